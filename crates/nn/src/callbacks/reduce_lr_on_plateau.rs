//! ReduceLROnPlateau: a smaller learning rate when a number has not improved for some epochs.
//!
//! Source: Keras `keras/src/callbacks/reduce_lr_on_plateau.py`. After a reduction the count starts again, for
//! `cooldown` epochs later than it otherwise would. The history has the `learning_rate` of each epoch.

use super::monitor::{Mode, Monitor};
use super::{Callback, Memory, Progress, Training};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Multiplies the learning rate when a monitored number has not improved for `patience` epochs.
#[derive(Clone, Debug)]
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_lr: f64,
    waited: usize,
    cooling: usize,
}

impl ReduceLrOnPlateau {
    /// Monitors a number; Keras's defaults: factor 0.1, patience 10, `min_delta` 1e-4, no cooldown, no limit.
    pub fn new(monitor: &str) -> Self {
        Self {
            monitor: Monitor { min_delta: 1e-4, ..Monitor::new(monitor) },
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_lr: 0.0,
            waited: 0,
            cooling: 0,
        }
    }

    /// What the learning rate is multiplied with: > 0 and below 1, or nothing is changed.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Reduces after this many epochs without improvement.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Changes up to this are no improvement.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta.abs();
        self
    }

    /// For how many epochs after a reduction nothing is counted.
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// Below this the learning rate never falls.
    pub fn min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Sets which way the number gets better.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.monitor.mode = mode;
        self
    }

    fn reduce(&mut self, training: &mut dyn Training) {
        let old = training.learning_rate();
        if old > f64::from(self.min_lr as f32) && (0.0..1.0).contains(&self.factor) {
            training.set_learning_rate((old * self.factor).max(self.min_lr));
            (self.cooling, self.waited) = (self.cooldown, 0);
        }
    }
}

impl Callback for ReduceLrOnPlateau {
    fn changes_learning_rate(&self) -> bool {
        true
    }

    fn on_epoch_end(&mut self, _at: Progress, logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        let Some(value) = self.monitor.get(logs) else { return ControlFlow::Continue(()) };
        if self.cooling > 0 {
            (self.cooling, self.waited) = (self.cooling - 1, 0);
        }
        if self.monitor.improves(value) {
            (self.monitor.best, self.waited) = (Some(value), 0);
        } else if self.cooling == 0 {
            self.waited += 1;
            if self.waited >= self.patience {
                self.reduce(training);
            }
        }
        ControlFlow::Continue(())
    }

    fn on_train_end(&mut self, _training: &mut dyn Training) {
        (self.monitor.best, self.waited, self.cooling) = (None, 0, 0);
    }

    fn memory(&self) -> Memory {
        let counts = [("waited", self.waited), ("cooling", self.cooling)];
        let best = Memory::default().with("best", self.monitor.best);
        counts.into_iter().fold(best, |memory, (name, count)| memory.with(name, Some(count as f64)))
    }

    fn remember(&mut self, memory: Memory) {
        self.monitor.best = memory.number("best");
        (self.waited, self.cooling) = (memory.count("waited"), memory.count("cooling"));
    }
}
