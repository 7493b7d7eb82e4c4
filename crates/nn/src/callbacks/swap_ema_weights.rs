//! SwapEMAWeights: what is scored, and what callbacks see between epochs, are the averages that `use_ema` keeps instead of
//! the weights that are trained.
//!
//! Source: Keras `keras/src/callbacks/swap_ema_weights.py`. Where a fit ends early, Keras's `swap_on_epoch` leaves the trained
//! weights in the model; here it ends with the averages in every case, as a fit without this callback does.

use super::{Callback, Progress, Training};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Exchanges weights and averages while samples are scored.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwapEmaWeights {
    swap_on_epoch: bool,
    swapped: bool,
}

impl SwapEmaWeights {
    /// Only while samples are scored.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the averages also stand in the weights' place from the end of each epoch to the start of the next: a
    /// [`super::ModelCheckpoint`] that is added after this one then keeps them. A fit cannot be resumed from that.
    pub fn swap_on_epoch(mut self, swap: bool) -> Self {
        self.swap_on_epoch = swap;
        self
    }

    fn set(&mut self, swapped: bool, training: &mut dyn Training) {
        if self.swapped != swapped {
            training.swap_averages();
            self.swapped = swapped;
        }
    }
}

impl Callback for SwapEmaWeights {
    fn wants_averages(&self) -> bool {
        true
    }

    fn on_epoch_begin(&mut self, _at: Progress, training: &mut dyn Training) {
        self.set(false, training);
    }

    fn on_test_begin(&mut self, training: &mut dyn Training) {
        self.set(true, training);
    }

    fn on_test_end(&mut self, training: &mut dyn Training) {
        self.set(false, training);
    }

    fn on_epoch_end(&mut self, _at: Progress, _logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        if self.swap_on_epoch {
            self.set(true, training);
        }
        ControlFlow::Continue(())
    }

    fn on_train_end(&mut self, _training: &mut dyn Training) {
        // The end of a fit has put the averages in the weights' place for good.
        self.swapped = false;
    }
}
