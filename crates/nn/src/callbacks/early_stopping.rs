//! EarlyStopping: ends a fit when a number has not improved for some epochs.
//!
//! Source: Keras `keras/src/callbacks/early_stopping.py`. A name that ends in `accuracy` should grow,
//! any other should shrink; an improvement is a change of more than `min_delta`.

use super::{Callback, Progress, Weights};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Ends a fit when a monitored number has not improved for `patience` epochs.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: String,
    min_delta: f64,
    patience: usize,
    restore_best_weights: bool,
    best: Option<f64>,
    best_weights: Option<Vec<f32>>,
    waited: usize,
}

impl EarlyStopping {
    /// Monitors a number by the name it has in [`crate::History`]: `val_loss`, `val_accuracy`, `loss`, …
    pub fn new(monitor: &str) -> Self {
        Self {
            monitor: monitor.into(),
            min_delta: 0.0,
            patience: 0,
            restore_best_weights: false,
            best: None,
            best_weights: None,
            waited: 0,
        }
    }

    /// Changes up to this are no improvement; 0 by default.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.min_delta = min_delta.abs();
        self
    }

    /// Ends after this many epochs without improvement; 0 by default, as in Keras.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Whether the model ends with the weights of its best epoch.
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    fn improves(&self, value: f64) -> bool {
        let Some(best) = self.best else { return true };
        if self.monitor.ends_with("accuracy") {
            value - self.min_delta > best
        } else {
            value + self.min_delta < best
        }
    }
}

impl Callback for EarlyStopping {
    /// A number that was not measured never ends a fit, as in Keras.
    fn on_epoch_end(&mut self, _at: Progress, logs: &Logs, weights: &mut dyn Weights) -> ControlFlow<()> {
        let Some(value) = logs.get(&self.monitor) else { return ControlFlow::Continue(()) };
        if self.improves(value) {
            (self.best, self.waited) = (Some(value), 0);
            self.best_weights = self.restore_best_weights.then(|| weights.copy());
            return ControlFlow::Continue(());
        }
        self.waited += 1;
        if self.waited >= self.patience { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_train_end(&mut self, weights: &mut dyn Weights) {
        if let Some(best) = self.best_weights.take() {
            weights.restore(&best);
        }
    }
}
