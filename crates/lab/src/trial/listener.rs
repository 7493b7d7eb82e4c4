//! What listens to a trial's fit: it times epochs, collects their records, and passes everything on to the recipe's callbacks
//! and to the trial's observer.

use super::Observer;
use super::backup::{Backup, State};
use super::callbacks::Failure;
use super::diagnose::Diagnosis;
use crate::error::LabError;
use crate::recipe::Recipe;
use crate::record::EpochRecord;
use seedbed_nn::Score;
use seedbed_nn::callbacks::{Callback, Progress, Training};
use seedbed_nn::history::Logs;
use seedbed_nn::model::Model;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Listens to a trial's fit.
pub(super) struct Listener<'a> {
    pub(super) observer: &'a mut dyn Observer,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) epochs: Vec<EpochRecord>,
    pub(super) diagnosis: Diagnosis<'a>,
    pub(super) backup: Option<&'a Backup>,
    /// What could not be written.
    pub(super) failure: Failure,
    /// When the trial would have begun, had it not been interrupted.
    pub(super) began: Instant,
    /// Whether the observer ended the trial.
    pub(super) interrupted: bool,
    /// The weights at the end of the last epoch.
    pub(super) weights: Vec<f32>,
    pub(super) epoch_began: Instant,
    pub(super) trained: Duration,
}

impl Listener<'_> {
    /// Puts everything back as a backup has it, if there is one.
    pub(super) fn go_on(
        &mut self,
        backup: &Backup,
        recipe: &Recipe,
        model: &mut Model,
    ) -> Result<(), LabError> {
        let Some(resumed) = backup.read(model, recipe)? else { return Ok(()) };
        model.resume(&resumed.snapshot).map_err(|error| backup.refused(error))?;
        self.diagnosis.go_on(resumed.diagnostics, &model.weights());
        for (callback, memory) in self.callbacks.iter_mut().zip(resumed.memories) {
            callback.remember(memory);
        }
        self.began = self.began.checked_sub(Duration::from_secs_f64(resumed.seconds)).unwrap_or(self.began);
        self.observer.goes_on(&resumed.epochs);
        self.epochs = resumed.epochs;
        Ok(())
    }

    /// What the epoch measured.
    fn record(&self, at: Progress, logs: &Logs) -> EpochRecord {
        let mut record = EpochRecord::new(at.epoch + 1, self.trained.as_secs_f64());
        logs.iter().for_each(|(name, value)| record.set(name, value));
        record
    }

    /// Keeps the training. Not after its last epoch: where that is run again, it ends in the same way.
    fn back_up(&self, training: &mut dyn Training) -> ControlFlow<()> {
        let Some(backup) = self.backup else { return ControlFlow::Continue(()) };
        let state = State {
            epochs: &self.epochs,
            diagnostics: self.diagnosis.so_far(),
            seconds: self.began.elapsed().as_secs_f64(),
            callbacks: &self.callbacks,
        };
        super::callbacks::done(&self.failure, backup.write(state, training))
    }
}

impl Callback for Listener<'_> {
    fn changes_learning_rate(&self) -> bool {
        self.callbacks.iter().any(|callback| callback.changes_learning_rate())
    }

    fn wants_averages(&self) -> bool {
        self.callbacks.iter().any(|callback| callback.wants_averages())
    }

    fn on_test_begin(&mut self, training: &mut dyn Training) {
        self.callbacks.iter_mut().for_each(|callback| callback.on_test_begin(training));
    }

    fn on_test_end(&mut self, training: &mut dyn Training) {
        self.callbacks.iter_mut().for_each(|callback| callback.on_test_end(training));
    }

    fn on_epoch_begin(&mut self, at: Progress, training: &mut dyn Training) {
        self.callbacks.iter_mut().for_each(|callback| callback.on_epoch_begin(at, training));
        self.observer.epoch_begin(at);
        self.epoch_began = Instant::now();
    }

    fn on_batch_end(&mut self, at: Progress, so_far: &Score) -> ControlFlow<()> {
        if at.batch == at.batches {
            self.trained = self.epoch_began.elapsed();
        }
        let flow = self.observer.batch_end(at, so_far);
        self.interrupted |= flow.is_break();
        flow
    }

    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        self.weights = training.weights();
        self.diagnosis.epoch(&self.weights);
        let record = self.record(at, logs);
        self.observer.epoch_end(&record);
        self.observer.weights(&record, training);
        self.epochs.push(record);
        let mut stops = false;
        for callback in &mut self.callbacks {
            stops |= callback.on_epoch_end(at, logs, training).is_break();
        }
        match stops {
            true => ControlFlow::Break(()),
            false if at.epoch + 1 == at.epochs => ControlFlow::Continue(()),
            false => self.back_up(training),
        }
    }

    fn on_train_end(&mut self, training: &mut dyn Training) {
        self.callbacks.iter_mut().for_each(|callback| callback.on_train_end(training));
    }
}
