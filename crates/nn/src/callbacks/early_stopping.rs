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
        let Some(best) = self.best else { return !value.is_nan() };
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
        (self.best, self.waited) = (None, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model whose only weight is the number of the epoch.
    struct Epoch(f32);

    impl Weights for Epoch {
        fn copy(&self) -> Vec<f32> {
            vec![self.0]
        }

        fn restore(&mut self, copy: &[f32]) {
            self.0 = copy[0];
        }
    }

    /// Fits with these numbers under a name; gives how many epochs were done and the last weight.
    fn fit(stopping: &mut EarlyStopping, name: &str, numbers: &[f64]) -> (usize, f32) {
        let (mut weights, mut done) = (Epoch(f32::NAN), 0);
        for (epoch, &number) in numbers.iter().enumerate() {
            weights.0 = epoch as f32;
            done += 1;
            let logs = Logs(vec![("other".into(), 0.0), (name.into(), number)]);
            let at = Progress { epoch, epochs: numbers.len(), batch: 1, batches: 1 };
            if stopping.on_epoch_end(at, &logs, &mut weights).is_break() {
                break;
            }
        }
        stopping.on_train_end(&mut weights);
        (done, weights.0)
    }

    /// How many epochs are done.
    fn epochs(mut stopping: EarlyStopping, numbers: &[f64]) -> usize {
        let name = stopping.monitor.clone();
        fit(&mut stopping, &name, numbers).0
    }

    #[test]
    fn patience_is_the_number_of_epochs_without_improvement() {
        let loss = || EarlyStopping::new("val_loss");
        let numbers = [5.0, 4.0, 4.5, 3.0, 3.5, 3.5, 2.0, 2.5, 2.5, 2.5];
        assert_eq!(epochs(loss(), &numbers), 3);
        assert_eq!(epochs(loss().patience(1), &numbers), 3);
        assert_eq!(epochs(loss().patience(2), &numbers), 6);
        assert_eq!(epochs(loss().patience(3), &numbers), 10);
        assert_eq!(epochs(loss().patience(4), &numbers), 10);
        // As good as the best is not better.
        assert_eq!(epochs(loss(), &[1.0, 1.0, 0.5]), 2);
    }

    #[test]
    fn a_change_up_to_min_delta_is_no_improvement() {
        let numbers = [1.0, 0.75, 0.5, 0.25, 0.0];
        assert_eq!(epochs(EarlyStopping::new("loss").min_delta(0.2), &numbers), 5);
        for delta in [0.25, -0.25] {
            assert_eq!(epochs(EarlyStopping::new("loss").min_delta(delta), &numbers), 2);
            // Small steps add up, since all are compared with the best.
            assert_eq!(epochs(EarlyStopping::new("loss").min_delta(delta).patience(2), &numbers), 5);
        }
    }

    #[test]
    fn accuracy_should_grow() {
        for name in ["accuracy", "val_accuracy"] {
            let stopping = || EarlyStopping::new(name);
            assert_eq!(epochs(stopping(), &[0.1, 0.2, 0.3]), 3);
            assert_eq!(epochs(stopping(), &[0.3, 0.2, 0.1]), 2);
            assert_eq!(epochs(stopping().min_delta(0.125), &[0.5, 0.625, 0.875]), 2);
        }
    }

    #[test]
    fn the_best_weights_come_back_however_the_fit_ended() {
        let restoring = || EarlyStopping::new("loss").patience(2).restore_best_weights(true);
        assert_eq!(fit(&mut restoring(), "loss", &[3.0, 1.0, 2.0, 2.0, 0.0]), (4, 1.0));
        assert_eq!(fit(&mut restoring(), "loss", &[3.0, 1.0, 2.0]), (3, 1.0));
        assert_eq!(fit(&mut restoring().restore_best_weights(false), "loss", &[3.0, 1.0, 2.0]), (3, 2.0));
    }

    #[test]
    fn a_number_that_is_not_measured_never_ends_a_fit() {
        let mut stopping = EarlyStopping::new("val_loss").restore_best_weights(true);
        assert_eq!(fit(&mut stopping, "loss", &[1.0, 2.0, 3.0]), (3, 2.0));
    }

    /// As in Keras, where NaN is no improvement on anything.
    #[test]
    fn nan_is_never_the_best() {
        let mut stopping = EarlyStopping::new("loss").patience(2).restore_best_weights(true);
        assert_eq!(fit(&mut stopping, "loss", &[f64::NAN, 2.0, 1.0, f64::NAN, 3.0]), (5, 2.0));
    }

    /// As in Keras, which forgets everything when a fit begins.
    #[test]
    fn a_second_fit_begins_afresh() {
        let mut stopping = EarlyStopping::new("loss").patience(1).restore_best_weights(true);
        assert_eq!(fit(&mut stopping, "loss", &[0.5, 0.1, 0.2]), (3, 1.0));
        assert_eq!(fit(&mut stopping, "loss", &[9.0, 8.0, 7.0, 8.0]), (4, 2.0));
    }
}
