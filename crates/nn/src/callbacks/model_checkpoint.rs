//! ModelCheckpoint: hands the model over after every epoch, or after those that are the best so far.
//!
//! Source: Keras `keras/src/callbacks/model_checkpoint.py`. What is done with it is the caller's: this crate knows
//! no files.

use super::monitor::{Mode, Monitor};
use super::{Callback, Memory, Progress, Training};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Hands over the model's state after epochs.
pub struct ModelCheckpoint<F> {
    monitor: Monitor,
    save_best_only: bool,
    save: F,
}

impl<F: FnMut(Progress, &Logs, &mut dyn Training) -> ControlFlow<()>> ModelCheckpoint<F> {
    /// `save` gets the state after every epoch, and what the epoch measured; `Break` ends the fit, as where a disk is
    /// full.
    pub fn new(save: F) -> Self {
        Self { monitor: Monitor::new("val_loss"), save_best_only: false, save }
    }

    /// Only after epochs whose monitored number is the best so far.
    pub fn save_best_only(mut self, monitor: &str) -> Self {
        (self.monitor.name, self.save_best_only) = (monitor.into(), true);
        self
    }

    /// Sets which way the number gets better.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.monitor.mode = mode;
        self
    }

    /// Only after epochs that are better than this, too.
    pub fn initial_value_threshold(mut self, threshold: f64) -> Self {
        self.monitor.best = Some(threshold);
        self
    }
}

impl<F: FnMut(Progress, &Logs, &mut dyn Training) -> ControlFlow<()>> Callback for ModelCheckpoint<F> {
    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        if self.save_best_only {
            match self.monitor.get(logs) {
                Some(value) if self.monitor.improves(value) => self.monitor.best = Some(value),
                _ => return ControlFlow::Continue(()),
            }
        }
        (self.save)(at, logs, training)
    }

    fn memory(&self) -> Memory {
        Memory::default().with("best", self.monitor.best)
    }

    fn remember(&mut self, memory: Memory) {
        self.monitor.best = memory.number("best");
    }
}
