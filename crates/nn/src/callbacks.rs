//! What listens while a model is fitted, and may end it.

use crate::history::Logs;
use crate::plan::run::Score;
use std::ops::ControlFlow;

mod csv_logger;
mod early_stopping;
mod learning_rate_scheduler;
mod memory;
mod model_checkpoint;
mod monitor;
mod reduce_lr_on_plateau;
mod snapshot;
mod swap_ema_weights;

pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use learning_rate_scheduler::LearningRateScheduler;
pub use memory::Memory;
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::Mode;
pub use reduce_lr_on_plateau::ReduceLrOnPlateau;
pub use snapshot::Snapshot;
pub use swap_ema_weights::SwapEmaWeights;

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

/// What callbacks may keep, restore and change between epochs.
pub trait Training {
    /// A copy of all weights, in one piece.
    fn weights(&self) -> Vec<f32>;
    /// Puts back what [`Training::weights`] gave.
    fn restore(&mut self, weights: &[f32]);
    /// The learning rate of the next step, as float32 has it.
    fn learning_rate(&self) -> f64;
    /// Sets the learning rate from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f64);
    /// Exchanges the weights and the averages that `use_ema` keeps of them; without averages nothing changes. Before the
    /// next step they must be exchanged back.
    fn swap_averages(&mut self);
    /// Everything that training changed.
    fn snapshot(&self) -> Snapshot;
}

/// Listens to a fit. Every method may be left out.
pub trait Callback {
    /// Whether it changes the learning rate: the history then has the `learning_rate` of every epoch, and a fit by a
    /// schedule is refused, as Keras refuses it.
    fn changes_learning_rate(&self) -> bool {
        false
    }
    /// Whether it needs the averages that `use_ema` keeps: a fit without them is refused, as Keras refuses it.
    fn wants_averages(&self) -> bool {
        false
    }
    /// Before an epoch.
    fn on_epoch_begin(&mut self, _at: Progress, _training: &mut dyn Training) {}
    /// After a batch; `so_far` are the running means. `Break` ends the fit within this epoch.
    fn on_batch_end(&mut self, _at: Progress, _so_far: &Score) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// Before held-out and watched samples are scored.
    fn on_test_begin(&mut self, _training: &mut dyn Training) {}
    /// After they were scored.
    fn on_test_end(&mut self, _training: &mut dyn Training) {}
    /// After an epoch, with everything that was measured. `Break` ends the fit.
    fn on_epoch_end(&mut self, _at: Progress, _logs: &Logs, _training: &mut dyn Training) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// After the last epoch, however the fit ended.
    fn on_train_end(&mut self, _training: &mut dyn Training) {}
    /// What it must know to go on after an interruption as if there had been none.
    fn memory(&self) -> Memory {
        Memory::default()
    }
    /// Takes back what [`Callback::memory`] gave; before the fit that goes on.
    fn remember(&mut self, _memory: Memory) {}
}
