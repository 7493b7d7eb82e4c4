//! LearningRateScheduler: a learning rate for every epoch, from the epoch and the rate so far.
//!
//! Source: Keras `keras/src/callbacks/learning_rate_scheduler.py`. The history has the `learning_rate` of each epoch.

use super::{Callback, Progress, Training};

/// Sets the learning rate before every epoch.
pub struct LearningRateScheduler<F>(F);

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// `schedule` gives the rate of an epoch (from 0) from the rate of the one before.
    pub fn new(schedule: F) -> Self {
        Self(schedule)
    }
}

impl<F: FnMut(usize, f64) -> f64> Callback for LearningRateScheduler<F> {
    fn changes_learning_rate(&self) -> bool {
        true
    }

    fn on_epoch_begin(&mut self, at: Progress, training: &mut dyn Training) {
        let rate = (self.0)(at.epoch, training.learning_rate());
        training.set_learning_rate(rate);
    }
}
