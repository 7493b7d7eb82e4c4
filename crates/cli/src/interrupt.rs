//! Ctrl-C and SIGTERM: the first asks the program to end cleanly, the second ends it at once.
//!
//! Signals are caught only from when there is something to save; before that they end the program as they always do.

use crate::exit::Exit;
use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the signals so far ask for.
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Starts to catch signals.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let interrupt = Self { asked: Arc::default(), signal: Arc::default() };
        for signal in [SIGINT, SIGTERM] {
            let (asked, number) = (|| Arc::clone(&interrupt.asked), Arc::clone(&interrupt.signal));
            // In this order: the shutdown must see what earlier signals left, not what this one leaves.
            flag::register_conditional_shutdown(signal, 128 + signal, asked())
                .and_then(|_| flag::register(signal, asked()))
                .and_then(|_| flag::register_usize(signal, number, signal.unsigned_abs() as usize))
                .context("cannot catch signals")?;
        }
        Ok(interrupt)
    }

    /// Set once the program is to end.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    /// How the program is to end, if a signal asked for it.
    pub(crate) fn exit(&self) -> Option<Exit> {
        let asked = self.asked.load(Ordering::SeqCst);
        let terminated = self.signal.load(Ordering::SeqCst) == SIGTERM as usize;
        asked.then_some(if terminated { Exit::Terminated } else { Exit::Interrupted })
    }
}
