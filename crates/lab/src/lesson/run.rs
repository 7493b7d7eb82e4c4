//! Runs a lesson: every model with every seed.
//!
//! With one seed, trial follows trial, each on all threads. With several, the trials are spread over the threads, one
//! thread each; seed after seed, so that a lesson that is stopped leaves complete pairs. Either way each result goes
//! to its own place: the record does not depend on who was faster.

use super::{LessonModel, LessonOptions, record};
use crate::error::LabError;
use crate::prepared::Prepared;
use crate::record::{Environment, EpochRecord, Inspection, LessonRecord, TrialRecord, TrialStatus};
use crate::trial::{self, Observer};
use seedbed_data::Loaded;
use seedbed_nn::Score;
use seedbed_nn::callbacks::Progress;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// A lesson that is ready to run.
#[derive(Clone, Debug)]
pub struct Lesson<'a> {
    /// What was chosen.
    pub options: &'a LessonOptions,
    /// The models, as [`LessonOptions::models`] made them.
    pub models: &'a [LessonModel],
    /// The data.
    pub loaded: &'a Loaded,
    /// How many threads may train.
    pub threads: NonZeroUsize,
    /// The time, as the caller writes it.
    pub started: String,
    /// The command line that runs the same lesson again.
    pub command: String,
}

/// Which trial of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialPlace<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The seed.
    pub seed: u64,
    /// Which trial of the lesson, from 0, in the order in which they begin.
    pub index: usize,
    /// How many trials the lesson has.
    pub trials: usize,
}

/// Listens to a lesson, from whichever thread runs a trial, one call at a time. Every method may be left out.
pub trait LessonObserver: Send {
    /// Before a trial.
    fn trial_begin(&mut self, _trial: TrialPlace<'_>) {}
    /// Before an epoch.
    fn epoch_begin(&mut self, _trial: TrialPlace<'_>, _at: Progress) {}
    /// After a batch; `so_far` are the epoch's running means.
    fn batch_end(&mut self, _trial: TrialPlace<'_>, _at: Progress, _so_far: &Score) {}
    /// After an epoch, with everything that was measured.
    fn epoch_end(&mut self, _trial: TrialPlace<'_>, _record: &EpochRecord) {}
    /// After a trial, however it ended.
    fn trial_end(&mut self, _trial: TrialPlace<'_>, _record: &TrialRecord) {}
}

/// Listens to nothing.
impl LessonObserver for () {}

/// What one trial adds to the record.
struct Done {
    record: TrialRecord,
    inspection: Option<Inspection>,
}

/// What the workers share.
struct Work<'a> {
    lesson: &'a Lesson<'a>,
    data: &'a Prepared<'a>,
    seeds: &'a [u64],
    threads: NonZeroUsize,
    next: AtomicUsize,
    /// No further trial begins: one could not be run.
    failed: AtomicBool,
    interrupted: &'a AtomicBool,
    observer: Mutex<&'a mut dyn LessonObserver>,
}

impl Lesson<'_> {
    /// Runs the lesson. Once `interrupted` is set, running trials end after their batch and no other begins; the
    /// record then holds what was measured and says that it is incomplete.
    ///
    /// # Errors
    /// Where models and data cannot work together; [`LessonOptions::models`] finds that out beforehand.
    pub fn run(
        &self,
        observer: &mut dyn LessonObserver,
        interrupted: &AtomicBool,
    ) -> Result<LessonRecord, LabError> {
        let began = Instant::now();
        let seeds = self.options.all_seeds()?;
        let Some(recipe) = self.models.first().map(|model| &model.recipe) else {
            return Err(LabError::Choice {
                what: "models",
                expected: "at least 1".into(),
                received: "0".into(),
            });
        };
        let data = Prepared::new(&self.loaded.dataset, &recipe.data)?;
        let trials = self.trials(&data, &seeds, observer, interrupted)?;
        let complete = |done: &Option<Done>| {
            done.as_ref().is_some_and(|done| !matches!(done.record.status, TrialStatus::Interrupted { .. }))
        };
        let interrupted = !trials.iter().all(complete);
        Ok(LessonRecord {
            environment: Environment::detect(self.threads, &self.started),
            dataset: record::dataset(self.loaded, data.train().len(), recipe.data.normalization),
            models: self.model_records(trials)?,
            seeds,
            epochs: recipe.fit.epochs,
            batch_size: recipe.fit.batch_size,
            command: self.command.clone(),
            interrupted,
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// Every trial's result, seed after seed and model after model; `None` for those that never began.
    fn trials(
        &self,
        data: &Prepared<'_>,
        seeds: &[u64],
        observer: &mut dyn LessonObserver,
        interrupted: &AtomicBool,
    ) -> Result<Vec<Option<Done>>, LabError> {
        let count = seeds.len() * self.models.len();
        let several = seeds.len() > 1;
        let work = Work {
            lesson: self,
            data,
            seeds,
            threads: if several { NonZeroUsize::MIN } else { self.threads },
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            interrupted,
            observer: Mutex::new(observer),
        };
        let results: Vec<Mutex<Option<Result<Done, LabError>>>> =
            (0..count).map(|_| Mutex::new(None)).collect();
        let workers = if several { self.threads.get().min(count) } else { 1 };
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| work.take_trials(&results));
            }
        });
        results
            .into_iter()
            .map(|result| result.into_inner().unwrap_or_else(|broken| broken.into_inner()).transpose())
            .collect()
    }

    fn model_records(&self, trials: Vec<Option<Done>>) -> Result<Vec<crate::record::ModelRecord>, LabError> {
        let mut by_model: Vec<Vec<Done>> = self.models.iter().map(|_| Vec::new()).collect();
        for (index, done) in trials.into_iter().enumerate() {
            by_model[index % self.models.len()].extend(done);
        }
        let records = self.models.iter().zip(by_model).map(|(model, done)| {
            let (trials, inspections): (Vec<_>, Vec<_>) =
                done.into_iter().map(|done| (done.record, done.inspection)).unzip();
            record::model(model, trials, inspections.into_iter().flatten().next())
        });
        records.collect()
    }
}

impl Work<'_> {
    /// Takes the next trial until there is none, or none may begin.
    fn take_trials(&self, results: &[Mutex<Option<Result<Done, LabError>>>]) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= results.len() || self.stopped() {
                return;
            }
            let done = self.run(index, results.len());
            if done.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            *locked(&results[index]) = Some(done);
        }
    }

    fn stopped(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    fn run(&self, index: usize, trials: usize) -> Result<Done, LabError> {
        let models = self.lesson.models;
        let (model, seed) = (&models[index % models.len()], self.seeds[index / models.len()]);
        let place = TrialPlace { model: &model.name, seed, index, trials };
        locked(&self.observer).trial_begin(place);
        let mut relay = Relay { work: self, place };
        let outcome = trial::run(&model.name, &model.recipe, seed, self.data, self.threads, &mut relay)?;
        // The weights of a trial that diverged or was interrupted belong to no epoch of the record.
        let inspected = seed == self.seeds[0] && outcome.record.status == TrialStatus::Finished;
        let inspection = inspected.then(|| trial::inspect(&outcome, self.data)).transpose()?;
        locked(&self.observer).trial_end(place, &outcome.record);
        Ok(Done { record: outcome.record, inspection })
    }
}

/// Passes a trial's news on to the lesson's observer, and the interruption to the trial.
struct Relay<'w, 'a> {
    work: &'w Work<'a>,
    place: TrialPlace<'w>,
}

impl Observer for Relay<'_, '_> {
    fn epoch_begin(&mut self, at: Progress) {
        locked(&self.work.observer).epoch_begin(self.place, at);
    }

    fn batch_end(&mut self, at: Progress, so_far: &Score) -> ControlFlow<()> {
        locked(&self.work.observer).batch_end(self.place, at, so_far);
        if self.work.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch_end(&mut self, record: &EpochRecord) {
        locked(&self.work.observer).epoch_end(self.place, record);
    }
}

/// A panic elsewhere does not make the value behind a lock unusable here; the panic itself is passed on by the scope.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}
