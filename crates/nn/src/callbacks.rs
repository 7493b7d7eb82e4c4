//! What listens while a model is fitted, and may end it.

use crate::history::Logs;
use crate::plan::run::Score;
use std::ops::ControlFlow;

mod early_stopping;

pub use early_stopping::EarlyStopping;

/// Where a fit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The epoch, from 0.
    pub epoch: usize,
    /// How many epochs there will be at most.
    pub epochs: usize,
    /// How many batches of the epoch are done.
    pub batch: usize,
    /// How many batches an epoch has.
    pub batches: usize,
}

/// The weights of a model, for callbacks that keep or restore them.
pub trait Weights {
    /// A copy of all weights, in one piece.
    fn copy(&self) -> Vec<f32>;
    /// Puts back what [`Weights::copy`] gave.
    fn restore(&mut self, copy: &[f32]);
}

/// Listens to a fit. Every method may be left out.
pub trait Callback {
    /// Before an epoch.
    fn on_epoch_begin(&mut self, _at: Progress) {}
    /// After a batch; `so_far` are the running means. `Break` ends the fit within this epoch.
    fn on_batch_end(&mut self, _at: Progress, _so_far: &Score) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// After an epoch, with everything that was measured. `Break` ends the fit.
    fn on_epoch_end(&mut self, _at: Progress, _logs: &Logs, _weights: &mut dyn Weights) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// After the last epoch, however the fit ended.
    fn on_train_end(&mut self, _weights: &mut dyn Weights) {}
}
