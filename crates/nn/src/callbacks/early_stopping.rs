//! EarlyStopping: ends a fit when a number has not improved for some epochs.
//!
//! Source: Keras `keras/src/callbacks/early_stopping.py`. An improvement is a change of more than `min_delta`.

use super::monitor::{Mode, Monitor};
use super::{Callback, Memory, Progress, Training};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Ends a fit when a monitored number has not improved for `patience` epochs.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    restore_best_weights: bool,
    baseline: Option<f64>,
    start_from_epoch: usize,
    best_weights: Option<Vec<f32>>,
    waited: usize,
}

impl EarlyStopping {
    /// Monitors a number by the name it has in [`crate::History`]: `val_loss`, `val_accuracy`, `loss`, …
    pub fn new(monitor: &str) -> Self {
        Self {
            monitor: Monitor::new(monitor),
            patience: 0,
            restore_best_weights: false,
            baseline: None,
            start_from_epoch: 0,
            best_weights: None,
            waited: 0,
        }
    }

    /// Changes up to this are no improvement; 0 by default.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta.abs();
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

    /// Sets which way the number gets better.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.monitor.mode = mode;
        self
    }

    /// Ends also where the number never becomes better than this.
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Looks away before this epoch, counted from 0.
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }
}

impl Callback for EarlyStopping {
    /// A number that was not measured never ends a fit, as in Keras.
    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        let value = self.monitor.get(logs).filter(|_| at.epoch >= self.start_from_epoch);
        let Some(value) = value else { return ControlFlow::Continue(()) };
        self.waited += 1;
        let improves = match (self.monitor.best, self.baseline) {
            (None, Some(baseline)) => self.monitor.is_better(value, baseline),
            _ => self.monitor.improves(value),
        };
        if improves {
            (self.monitor.best, self.waited) = (Some(value), 0);
        }
        if self.restore_best_weights && (improves || self.best_weights.is_none()) {
            self.best_weights = Some(training.weights());
        }
        if !improves && self.waited >= self.patience && at.epoch > 0 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn on_train_end(&mut self, training: &mut dyn Training) {
        if let Some(best) = self.best_weights.take() {
            training.restore(&best);
        }
        (self.monitor.best, self.waited) = (None, 0);
    }

    fn memory(&self) -> Memory {
        let memory = Memory { weights: self.best_weights.clone(), ..Memory::default() };
        memory.with("best", self.monitor.best).with("waited", Some(self.waited as f64))
    }

    fn remember(&mut self, memory: Memory) {
        (self.monitor.best, self.waited) = (memory.number("best"), memory.count("waited"));
        self.best_weights = memory.weights;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model whose only weight is the number of the epoch.
    struct Epoch(f32);

    impl Training for Epoch {
        fn weights(&self) -> Vec<f32> {
            vec![self.0]
        }

        fn restore(&mut self, weights: &[f32]) {
            self.0 = weights[0];
        }

        fn learning_rate(&self) -> f64 {
            unreachable!("EarlyStopping does not ask")
        }

        fn set_learning_rate(&mut self, _: f64) {}

        fn swap_averages(&mut self) {
            unreachable!("EarlyStopping does not ask")
        }

        fn snapshot(&self) -> super::super::Snapshot {
            unreachable!("EarlyStopping does not ask")
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
        let name = stopping.monitor.name.clone();
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

    /// Whatever the epoch at which one that knows nothing takes over, the fit ends as it would have.
    #[test]
    fn what_is_remembered_is_enough_to_go_on() {
        let numbers = [5.0, 4.0, 4.5, 3.0, 3.5, 3.25, 2.0, 2.5, 2.25, 2.125, 1.0];
        let fresh = || EarlyStopping::new("loss").patience(3).restore_best_weights(true).baseline(4.75);
        let whole = fit(&mut fresh(), "loss", &numbers);
        for interrupted in 1..numbers.len() - 1 {
            let (mut stopping, mut weights) = (fresh(), Epoch(f32::NAN));
            for (epoch, &number) in numbers.iter().enumerate() {
                if epoch == interrupted {
                    let memory = stopping.memory();
                    stopping = fresh();
                    stopping.remember(memory);
                }
                weights.0 = epoch as f32;
                let logs = Logs(vec![("loss".into(), number)]);
                let at = Progress { epoch, epochs: numbers.len(), batch: 1, batches: 1 };
                let ends = stopping.on_epoch_end(at, &logs, &mut weights).is_break();
                assert_eq!(ends, epoch + 1 == whole.0, "{interrupted}");
                if ends {
                    break;
                }
            }
            stopping.on_train_end(&mut weights);
            assert_eq!(weights.0, whole.1, "{interrupted}");
        }
    }

    /// As in Keras, which forgets everything when a fit begins.
    #[test]
    fn a_second_fit_begins_afresh() {
        let mut stopping = EarlyStopping::new("loss").patience(1).restore_best_weights(true);
        assert_eq!(fit(&mut stopping, "loss", &[0.5, 0.1, 0.2]), (3, 1.0));
        assert_eq!(fit(&mut stopping, "loss", &[9.0, 8.0, 7.0, 8.0]), (4, 2.0));
    }
}
