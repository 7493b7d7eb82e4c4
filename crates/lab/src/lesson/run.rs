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
    /// Runs the lesson. The record's seconds begin here: a caller that loaded data first may add that time. Once
    /// `interrupted` is set, running trials end after their batch and no other begins; the
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::lesson::render;
    use crate::testing::loaded;
    use seedbed_nn::initializers::Initializer;
    use seedbed_nn::optimizers::{Optimizer, Sgd};

    fn options() -> LessonOptions {
        LessonOptions { epochs: 2, batch_size: 8, hidden: 6, seed: 7, seeds: 2, ..LessonOptions::default() }
    }

    fn run(options: &LessonOptions, threads: usize) -> LessonRecord {
        run_with(options, threads, &mut (), &AtomicBool::new(false))
    }

    fn run_with(
        options: &LessonOptions,
        threads: usize,
        observer: &mut dyn LessonObserver,
        interrupted: &AtomicBool,
    ) -> LessonRecord {
        let loaded = loaded();
        let models = options.models(&loaded.dataset).unwrap();
        let threads = NonZeroUsize::new(threads).unwrap();
        let (started, command) = ("now".to_owned(), "seedbed lesson".to_owned());
        let lesson = Lesson { options, models: &models, loaded: &loaded, threads, started, command };
        lesson.run(observer, interrupted).unwrap()
    }

    /// The record without what a clock and the number of threads put into it.
    fn timeless(mut record: LessonRecord) -> LessonRecord {
        (record.seconds, record.environment.threads) = (0.0, 0);
        for trial in record.models.iter_mut().flat_map(|model| &mut model.trials) {
            trial.seconds = 0.0;
            trial.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
        }
        record
    }

    #[test]
    fn the_record_is_complete() {
        let record = run(&options(), 2);
        assert_eq!((record.seeds.as_slice(), record.interrupted), ([7, 8].as_slice(), false));
        assert_eq!((record.dataset.train_count, record.dataset.test_count), (60, 30));
        assert_eq!(
            (record.dataset.first_labels.as_slice(), record.dataset.last_labels.as_slice()),
            ([0, 2, 1].as_slice(), [0, 2, 1].as_slice())
        );
        assert_eq!(
            (record.dataset.pictures.len(), record.dataset.notice.as_deref()),
            (25, Some("made up for a test"))
        );
        for (model, name) in record.models.iter().zip(["model 1", "model 2", "model 3"]) {
            assert_eq!(model.name, name);
            let trials: Vec<_> = model
                .trials
                .iter()
                .map(|trial| (trial.model.as_str(), trial.seed, trial.epochs.len()))
                .collect();
            assert_eq!(trials, [(name, 7, 2), (name, 8, 2)]);
            assert!(model.trials.iter().all(|trial| trial.status == TrialStatus::Finished));
            assert_eq!(model.inspection.as_ref().unwrap().seed, 7);
            assert_ne!(model.trials[0].epochs[0].train_loss, model.trials[1].epochs[0].train_loss);
        }
        assert!(render(&record).contains("Bright rows"));
    }

    #[test]
    fn neither_time_nor_threads_change_a_record() {
        let options = options();
        let first = timeless(run(&options, 1));
        assert_eq!(timeless(run(&options, 1)), first);
        assert_eq!(timeless(run(&options, 5)), first);
        let alone = LessonOptions { seeds: 1, ..options };
        let alone = [1, 3].map(|threads| timeless(run(&alone, threads)));
        assert_eq!(alone[0], alone[1]);
        for (model, both) in alone[0].models.iter().zip(&first.models) {
            assert_eq!((&model.trials[0], &model.inspection), (&both.trials[0], &both.inspection));
        }
    }

    #[test]
    fn units_that_start_equal_stay_equal() {
        let record = run(&LessonOptions { initializer: Initializer::Zeros, ..options() }, 2);
        for (model, units) in record.models.iter().zip([6, 1, 1]) {
            let hidden = &model.inspection.as_ref().unwrap().layers[0];
            assert_eq!((hidden.distinct_before, hidden.distinct_after), (units, units), "{}", model.name);
        }
    }

    /// Interrupts in the second epoch of one trial, and writes down what it hears.
    struct Interrupts<'a> {
        trial: usize,
        flag: &'a AtomicBool,
        heard: Vec<String>,
    }

    impl LessonObserver for Interrupts<'_> {
        fn trial_begin(&mut self, trial: TrialPlace<'_>) {
            self.heard
                .push(format!("{} of {}: {}, seed {}", trial.index, trial.trials, trial.model, trial.seed));
        }

        fn batch_end(&mut self, trial: TrialPlace<'_>, at: Progress, _so_far: &Score) {
            if trial.index == self.trial && at.epoch == 1 {
                self.flag.store(true, Ordering::Relaxed);
            }
        }

        fn trial_end(&mut self, _trial: TrialPlace<'_>, record: &TrialRecord) {
            self.heard.push(format!("{:?}", record.status));
        }
    }

    #[test]
    fn an_interrupted_lesson_keeps_what_was_measured() {
        let flag = AtomicBool::new(false);
        let mut observer = Interrupts { trial: 1, flag: &flag, heard: Vec::new() };
        let record = run_with(&LessonOptions { seeds: 1, ..options() }, 2, &mut observer, &flag);
        assert_eq!(
            observer.heard,
            ["0 of 3: model 1, seed 7", "Finished", "1 of 3: model 2, seed 7", "Interrupted { epoch: 1 }"]
        );
        assert!(record.interrupted);
        let trials: Vec<_> = record.models.iter().map(|model| model.trials.len()).collect();
        assert_eq!(trials, [1, 1, 0]);
        assert_eq!(record.models[1].trials[0].epochs.len(), 1);
        assert!(record.models[0].inspection.is_some() && record.models[1].inspection.is_none());
        assert!(render(&record).contains("1 of 3 trials ran to the end"));
    }

    #[test]
    fn a_lesson_interrupted_before_a_trial_is_incomplete_too() {
        let record = run_with(&options(), 2, &mut (), &AtomicBool::new(true));
        assert!(record.interrupted && record.models.iter().all(|model| model.trials.is_empty()));
        assert!(render(&record).contains("0 of 6 trials ran to the end"));
    }

    #[test]
    fn a_lesson_interrupted_on_several_cores_ends_and_says_so() {
        let flag = AtomicBool::new(false);
        let mut observer = Interrupts { trial: 2, flag: &flag, heard: Vec::new() };
        let record = run_with(&LessonOptions { seeds: 4, ..options() }, 3, &mut observer, &flag);
        assert!(record.interrupted);
        let run: usize = record.models.iter().map(|model| model.trials.len()).sum();
        // How many others a slow trial lets pass before it interrupts is a matter of luck.
        assert!(run >= 3, "{run} of 12");
        assert_eq!(observer.heard.len(), 2 * run, "every trial that begins also ends");
    }

    #[test]
    fn trials_that_diverge_are_recorded_and_the_rest_goes_on() {
        let optimizer = Some(Optimizer::new(Sgd::default()).learning_rate(1e38));
        let record = run(&LessonOptions { optimizer, ..options() }, 2);
        assert!(!record.interrupted);
        for trial in record.models.iter().flat_map(|model| &model.trials) {
            assert!(matches!(trial.status, TrialStatus::Diverged { .. }), "{:?}", trial.status);
        }
        assert_eq!(record.models.iter().map(|model| model.trials.len()).sum::<usize>(), 6);
        assert!(render(&record).contains("diverged"));
    }

    #[test]
    fn a_lesson_without_models_or_with_unfit_ones_is_refused() {
        let (options, loaded) = (options(), loaded());
        let mut models = options.models(&loaded.dataset).unwrap();
        models[2].recipe.model.input_shape = [16].into();
        let threads = NonZeroUsize::MIN;
        let refused = |models: &[LessonModel]| {
            let (started, command) = (String::new(), String::new());
            let lesson = Lesson { options: &options, models, loaded: &loaded, threads, started, command };
            lesson.run(&mut (), &AtomicBool::new(false)).unwrap_err().to_string()
        };
        assert_eq!(refused(&[]), "models: expected at least 1, received 0");
        assert!(refused(&models).contains("input_shape: expected (None, 4, 4)"));
    }
}
