//! Runs what the store does not have: one trial per core, each stored as soon as it is finished.
//!
//! What is to be run is worked out from the store each time, so an interruption, a kill, another process on the same
//! study, more seeds or more levels are all the same thing: some trials are there, the others are run.

use super::destination::{Claim, Destination, Finished};
use super::plan::{Plan, PlannedTrial};
use super::store::Store;
use super::{Study, recipe_hash};
use crate::error::LabError;
use crate::lesson::record::dataset;
use crate::prepared::Prepared;
use crate::recipe::{DataRecipe, Recipe};
use crate::record::{Environment, StudyRecord, StudyTrial, TrialStatus};
use crate::trial::{self, Observer, largest};
use seedbed_data::Loaded;
use seedbed_nn::Score;
use seedbed_nn::callbacks::Progress;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// How often a process that waits for another one's trials looks whether they are there.
const LOOK: Duration = Duration::from_millis(200);

/// A study that is ready to run.
#[derive(Clone, Debug)]
pub struct Runner<'a> {
    /// The study, checked against the data.
    pub study: &'a Study,
    /// The data.
    pub loaded: &'a Loaded,
    /// How many trials may run at once.
    pub threads: NonZeroUsize,
    /// The time, as the caller writes it.
    pub started: String,
    /// The command line that runs the same study again.
    pub command: String,
}

/// Listens to a study, from whichever thread runs a trial, one call at a time. Every method may be left out.
pub trait StudyObserver: Send {
    /// Before the first trial, and again when tuning is done: the study so far.
    fn begin(&mut self, _study: &StudyRecord) {}
    /// Before a trial.
    fn trial_begin(&mut self, _trial: &PlannedTrial) {}
    /// After a batch of a trial: how much of the trial is done, 0 to 1.
    fn trial_progress(&mut self, _trial: &PlannedTrial, _done: f64) {}
    /// After a trial that was stored.
    fn trial_end(&mut self, _trial: &StudyTrial) {}
    /// While trials of another process are waited for: how many.
    fn waiting(&mut self, _trials: usize) {}
}

/// Listens to nothing.
impl StudyObserver for () {}

/// How a run of a study ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// How many trials this run finished.
    pub run: usize,
    /// Whether it was stopped before every trial was there.
    pub interrupted: bool,
}

/// What a trial needs besides its recipe.
#[derive(Debug)]
pub struct DataViews<'a> {
    views: Vec<(DataRecipe, Prepared<'a>)>,
}

/// What the workers share.
struct Work<'a> {
    plan: &'a Plan<'a>,
    views: &'a DataViews<'a>,
    environment: &'a Environment,
    threads: NonZeroUsize,
    pending: &'a [PlannedTrial],
    next: AtomicUsize,
    run: AtomicUsize,
    /// Trials that another process runs.
    elsewhere: Mutex<Vec<PlannedTrial>>,
    failure: Mutex<Option<LabError>>,
    failed: AtomicBool,
    interrupted: &'a AtomicBool,
    to: Mutex<&'a mut dyn Destination>,
    observer: Mutex<&'a mut dyn StudyObserver>,
}

impl Runner<'_> {
    /// The study's plan as far as the store allows to know it, and its record without trials.
    ///
    /// # Errors
    /// As from [`Plan::new`].
    pub fn plan(&self, store: &Store) -> Result<(Plan<'_>, StudyRecord), LabError> {
        let fingerprint = self.loaded.dataset.fingerprint();
        let plan = Plan::new(self.study, &fingerprint, &mut |trials| store.measured(trials))?;
        let baseline = &self.study.file.baseline.data;
        let train_count = baseline.train_size.unwrap_or(self.loaded.dataset.train.count);
        let record = dataset(self.loaded, train_count, baseline.normalization);
        let header = self.study.header(&plan, record, &self.loaded.dataset.test.labels, &self.command)?;
        Ok((plan, header))
    }

    /// Runs every trial that the store does not have. Once `interrupted` is set, running trials end after their batch
    /// and are dropped, and no other begins.
    ///
    /// # Errors
    /// [`LabError::Store`] if a trial cannot be stored, or where recipe and data cannot work together. What was
    /// finished before is stored.
    pub fn run(
        &self,
        store: &mut Store,
        observer: &mut dyn StudyObserver,
        interrupted: &AtomicBool,
    ) -> Result<RunOutcome, LabError> {
        let environment = Environment::detect(self.threads, &self.started);
        let views = DataViews::of(self.study, self.loaded)?;
        store.sweep()?;
        let mut run = 0;
        loop {
            let (plan, header) = self.plan(store)?;
            store.register(&header, &plan)?;
            observer.begin(&store.record(&header.name)?);
            run += self.run_all(&plan, (&views, &environment), store, observer, interrupted)?;
            if interrupted.load(Ordering::Relaxed) {
                let done = plan.complete() && store.stored_of(&header.name)?.len() == distinct(&plan.trials);
                return Ok(RunOutcome { run, interrupted: !done });
            }
            if plan.complete() {
                return Ok(RunOutcome { run, interrupted: false });
            }
        }
    }

    /// Runs all trials of a plan, and waits for those that other processes run; returns how many were run here.
    fn run_all(
        &self,
        plan: &Plan<'_>,
        (views, environment): (&DataViews<'_>, &Environment),
        store: &mut Store,
        observer: &mut dyn StudyObserver,
        interrupted: &AtomicBool,
    ) -> Result<usize, LabError> {
        let mut seen = store.stored(&plan.trials)?;
        let mut pending: Vec<PlannedTrial> =
            plan.trials.iter().filter(|trial| seen.insert(trial.id.clone())).cloned().collect();
        let mut run = 0;
        while !pending.is_empty() {
            let with = (views, environment, self.threads);
            let (here, elsewhere) = run_all(plan, &pending, with, store, observer, interrupted)?;
            run += here;
            pending = elsewhere;
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            if !pending.is_empty() {
                observer.waiting(pending.len());
                std::thread::sleep(LOOK);
                store.sweep()?;
            }
        }
        Ok(run)
    }
}

/// Runs trials, one per core, each stored as soon as it is finished. Returns how many were run, and those that another process
/// runs.
///
/// # Errors
/// The first that occurred; what was finished before is stored.
pub(super) fn run_all(
    plan: &Plan<'_>,
    pending: &[PlannedTrial],
    (views, environment, threads): (&DataViews<'_>, &Environment, NonZeroUsize),
    to: &mut dyn Destination,
    observer: &mut dyn StudyObserver,
    interrupted: &AtomicBool,
) -> Result<(usize, Vec<PlannedTrial>), LabError> {
    let work = Work {
        plan,
        views,
        environment,
        // Fewer trials than cores: the cores that are left help.
        threads: NonZeroUsize::new(threads.get() / pending.len().max(1)).unwrap_or(NonZeroUsize::MIN),
        pending,
        next: AtomicUsize::new(0),
        run: AtomicUsize::new(0),
        elsewhere: Mutex::new(Vec::new()),
        failure: Mutex::new(None),
        failed: AtomicBool::new(false),
        interrupted,
        to: Mutex::new(to),
        observer: Mutex::new(observer),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(pending.len()) {
            scope.spawn(|| work.take_trials());
        }
    });
    if let Some(error) = locked(&work.failure).take() {
        return Err(error);
    }
    let elsewhere = std::mem::take(&mut *locked(&work.elsewhere));
    Ok((work.run.load(Ordering::Relaxed), elsewhere))
}

fn distinct(trials: &[PlannedTrial]) -> usize {
    trials.iter().map(|trial| &trial.id).collect::<std::collections::HashSet<_>>().len()
}

impl<'a> DataViews<'a> {
    /// The views of one dataset that a study's recipes want; a few numbers each, however many pictures.
    ///
    /// # Errors
    /// [`LabError::Choice`] if there are fewer pictures than a recipe asks for.
    pub fn of(study: &Study, loaded: &'a Loaded) -> Result<Self, LabError> {
        let mut views = Self { views: Vec::new() };
        for variant in &study.variants {
            let wanted = Self::key(&variant.recipe);
            if views.views.iter().all(|(data, _)| *data != wanted) {
                let prepared = Prepared::new(&loaded.dataset, &wanted)?;
                views.views.push((wanted, prepared));
            }
        }
        Ok(views)
    }

    /// What decides a view; labels are replaced trial by trial.
    fn key(recipe: &Recipe) -> DataRecipe {
        DataRecipe { label_noise: 0.0, ..recipe.data.clone() }
    }

    pub(super) fn get(&self, recipe: &Recipe) -> Result<&Prepared<'a>, LabError> {
        let wanted = Self::key(recipe);
        let found = self.views.iter().find(|(data, _)| *data == wanted);
        found
            .map(|(_, view)| view)
            .ok_or_else(|| LabError::Study("no view of the data for this recipe".into()))
    }
}

/// Runs one trial of a plan; `None` if it was interrupted.
///
/// # Errors
/// Where recipe and data cannot work together.
pub fn run_trial(
    plan: &Plan<'_>,
    planned: &PlannedTrial,
    views: &DataViews<'_>,
    threads: NonZeroUsize,
    observer: &mut dyn Observer,
) -> Result<Option<Finished>, LabError> {
    let recipe = plan.recipe(planned)?;
    let held_out = plan.held_out(planned.arm);
    let whole = views.get(&recipe)?;
    let data = if held_out > 0.0 { whole.validation_split(held_out)? } else { whole.clone() };
    let model = recipe.compile_with(plan.streams(planned.arm, planned.seed), threads)?;
    let name = &plan.study.variants[planned.variant].name;
    let outcome = trial::fit(model, name, &recipe, planned.seed, &data, observer)?;
    let classes = data.dataset().class_names.len();
    let predicted = match outcome.record.status {
        TrialStatus::Interrupted { .. } => return Ok(None),
        TrialStatus::Finished if held_out == 0.0 && classes <= 256 => {
            let rows = outcome.model.predict(data.test())?;
            rows.chunks_exact(classes).map(|row| largest(row) as u8).collect()
        }
        _ => Vec::new(),
    };
    let (id, recipe, tested) = (planned.id.clone(), recipe_hash(&recipe), held_out == 0.0);
    Ok(Some(Finished { id, recipe, tested, trial: outcome.record, predicted }))
}

impl PlannedTrial {
    /// The trial with what came out.
    pub fn done(&self, finished: Finished) -> StudyTrial {
        let Finished { id, trial, predicted, .. } = finished;
        StudyTrial { id, variant: self.variant, seed: self.seed, arm: self.arm, trial, predicted }
    }
}

impl Work<'_> {
    /// Takes the next trial until there is none, or none may begin.
    fn take_trials(&self) {
        while let Some(planned) = self.pending.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.stopped() {
                return;
            }
            if let Err(error) = self.take(planned) {
                self.failed.store(true, Ordering::Relaxed);
                locked(&self.failure).get_or_insert(error);
            }
        }
    }

    fn stopped(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    fn take(&self, planned: &PlannedTrial) -> Result<(), LabError> {
        let claim = locked(&self.to).claim(&planned.id)?;
        match claim {
            Claim::Stored => return Ok(()),
            Claim::Elsewhere => {
                locked(&self.elsewhere).push(planned.clone());
                return Ok(());
            }
            Claim::Mine => {}
        }
        locked(&self.observer).trial_begin(planned);
        let mut relay = Relay { work: self, planned };
        let finished = run_trial(self.plan, planned, self.views, self.threads, &mut relay);
        let finished = match finished {
            Ok(Some(finished)) => finished,
            unfinished => {
                locked(&self.to).release(&planned.id)?;
                return unfinished.map(drop);
            }
        };
        locked(&self.to).finish(&finished, self.environment)?;
        self.run.fetch_add(1, Ordering::Relaxed);
        locked(&self.observer).trial_end(&planned.done(finished));
        Ok(())
    }
}

/// Passes a trial's progress on, and the interruption to the trial.
struct Relay<'w, 'a> {
    work: &'w Work<'a>,
    planned: &'w PlannedTrial,
}

impl Observer for Relay<'_, '_> {
    fn batch_end(&mut self, at: Progress, _so_far: &Score) -> ControlFlow<()> {
        // A hundred times an epoch is often enough for anybody who watches.
        if at.batch.is_multiple_of(at.batches.div_ceil(100)) {
            let done = (at.epoch as f64 + at.batch as f64 / at.batches as f64) / at.epochs as f64;
            locked(&self.work.observer).trial_progress(self.planned, done);
        }
        if self.work.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A panic elsewhere does not make the value behind a lock unusable here; the panic itself is passed on by the scope.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

#[cfg(test)]
mod tests {
    use super::super::tests::study;
    use super::*;
    use crate::record::Arm;
    use crate::testing::loaded;

    const HEAD: &str = "design = 'one-at-a-time'\nseeds = 3\ncontrol = true\nvariance_budget = 2";
    const FACTORS: &str = "dropout = [0, 0.5]\ntrain_size = [30]\nlabel_noise = [0, 0.5]";

    fn run(
        study: &Study,
        store: &mut Store,
        threads: usize,
        observer: &mut dyn StudyObserver,
        interrupted: &AtomicBool,
    ) -> Result<RunOutcome, LabError> {
        let (loaded, threads) = (loaded(), NonZeroUsize::new(threads).unwrap());
        let (started, command) = ("now".to_owned(), "seedbed study run small.toml".to_owned());
        Runner { study, loaded: &loaded, threads, started, command }.run(store, observer, interrupted)
    }

    fn whole(study: &Study, threads: usize) -> (StudyRecord, RunOutcome) {
        let mut store = Store::in_memory().unwrap();
        let outcome = run(study, &mut store, threads, &mut (), &AtomicBool::new(false)).unwrap();
        (timeless(store.record("small").unwrap()), outcome)
    }

    /// The record without what a clock and the number of threads put into it.
    fn timeless(mut record: StudyRecord) -> StudyRecord {
        record.environments.clear();
        for trial in &mut record.trials {
            trial.trial.seconds = 0.0;
            trial.trial.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
        }
        record
    }

    /// Counts, and sets a flag after some trials.
    struct Counts<'a> {
        ended: usize,
        stop_after: usize,
        stop: &'a AtomicBool,
    }

    impl StudyObserver for Counts<'_> {
        fn trial_end(&mut self, _trial: &StudyTrial) {
            self.ended += 1;
            if self.ended == self.stop_after {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn every_trial_is_run_once_and_recorded() {
        let study = study(HEAD, FACTORS).unwrap();
        let (record, outcome) = whole(&study, 2);
        // 4 variants and the control on 3 seeds, 2 streams on 2 seeds of which the first is the baseline itself.
        assert_eq!((record.planned, record.trials.len(), outcome.run), (19, 19, 17));
        assert!(record.complete() && !outcome.interrupted);
        assert_eq!((record.test_looks, record.test_labels.len()), (4, 30));
        let names: Vec<&str> = record.variants.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(names, ["baseline", "dropout 0.5", "train_size 30", "label_noise 0.5"]);
        for variant in 0..4 {
            assert_eq!(record.main(variant).map(|trial| trial.seed).collect::<Vec<_>>(), [0, 1, 2]);
        }
        assert_eq!(record.control().map(|trial| trial.seed).collect::<Vec<_>>(), record.control_seeds);
        for trial in &record.trials {
            let right = trial.predicted.iter().zip(&record.test_labels).filter(|(a, b)| a == b).count();
            let accuracy = trial.trial.test_accuracy().unwrap();
            assert!((right as f64 / 30.0 - accuracy).abs() < 1e-12, "what is kept is what was scored");
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let study = study(HEAD, FACTORS).unwrap();
        assert_eq!(whole(&study, 1).0, whole(&study, 5).0);
    }

    #[test]
    fn an_interrupted_study_goes_on_where_it_stopped() {
        let study = study(HEAD, FACTORS).unwrap();
        let mut store = Store::in_memory().unwrap();
        let mut run_in_all = 0;
        for stop_after in [1, 4, 6] {
            let stop = AtomicBool::new(false);
            let mut counts = Counts { ended: 0, stop_after, stop: &stop };
            let outcome = run(&study, &mut store, 2, &mut counts, &stop).unwrap();
            assert!(outcome.interrupted && outcome.run == counts.ended && outcome.run >= stop_after);
            run_in_all += outcome.run;
            assert!(!store.record("small").unwrap().complete());
        }
        let outcome = run(&study, &mut store, 2, &mut (), &AtomicBool::new(false)).unwrap();
        assert_eq!((run_in_all + outcome.run, outcome.interrupted), (17, false));
        assert_eq!(timeless(store.record("small").unwrap()), whole(&study, 2).0);
        let again = run(&study, &mut store, 2, &mut (), &AtomicBool::new(false)).unwrap();
        assert_eq!(again, RunOutcome { run: 0, interrupted: false });
    }

    #[test]
    fn more_seeds_and_levels_run_only_what_is_new() {
        let mut store = Store::in_memory().unwrap();
        let mut runs = |head: &str, factors: &str| {
            let study = study(head, factors).unwrap();
            run(&study, &mut store, 2, &mut (), &AtomicBool::new(false)).unwrap().run
        };
        assert_eq!(runs("design = 'one-at-a-time'\nseeds = 2", "dropout = [0, 0.5]"), 4);
        assert_eq!(runs("design = 'one-at-a-time'\nseeds = 3", "dropout = [0, 0.5]"), 2);
        assert_eq!(runs("design = 'one-at-a-time'\nseeds = 3", "dropout = [0, 0.2, 0.5]\nhidden = [7]"), 6);
        assert_eq!(runs("design = 'one-at-a-time'\nseeds = 1", "dropout = [0, 0.5]"), 0);
        // The same trials under another name: a study that shares them runs none.
        assert_eq!(runs("design = 'grid'\nseeds = 2", "dropout = [0, 0.5]"), 0);
    }

    #[test]
    fn tuning_never_sees_the_test_set_and_every_variant_has_its_rate() {
        let head = "design = 'one-at-a-time'\nseeds = 2\n\
            tuning = { multipliers = [0.1, 1, 30], seeds = 2, validation_split = 0.25 }";
        let study = study(head, "optimizer = ['adam', 'sgd']").unwrap();
        let (record, outcome) = whole(&study, 2);
        assert_eq!((record.planned, record.trials.len(), outcome.run), (16, 16, 16));
        let tuning = |trial: &&StudyTrial| matches!(trial.arm, Arm::Tuning { .. });
        assert!(record.trials.iter().filter(tuning).all(|trial| trial.predicted.is_empty()));
        assert_eq!((record.trials.iter().filter(tuning).count(), record.test_looks), (12, 2));
        for variant in &record.variants {
            let tuned = variant.tuned.as_ref().unwrap();
            assert_eq!(tuned.tried.len(), 3);
            assert!(
                variant.recipe.contains(&format!("learning_rate = {}", tuned.chosen)),
                "{}",
                variant.recipe
            );
        }
    }

    #[test]
    fn a_diverged_trial_is_stored_as_what_it_is() {
        let study = study(
            "design = 'one-at-a-time'\nseeds = 2",
            "optimizer = [{ name = 'sgd', learning_rate = 1e38 }]",
        );
        let (record, _) = whole(&study.unwrap(), 2);
        let diverged = |trial: &&StudyTrial| matches!(trial.trial.status, TrialStatus::Diverged { .. });
        assert_eq!((record.trials.iter().filter(diverged).count(), record.complete()), (2, true));
        assert!(record.trials.iter().filter(diverged).all(|trial| trial.predicted.is_empty()));
    }

    #[test]
    fn a_full_disk_stops_the_study_with_everything_finished_intact() {
        let folder = tempfile::tempdir().unwrap();
        let study = study("design = 'one-at-a-time'\nseeds = 40", "dropout = [0, 0.5]").unwrap();
        let mut store = Store::open(&folder.path().join("s.db")).unwrap();
        store.limit_pages(25);
        let mut counts = Counts { ended: 0, stop_after: usize::MAX, stop: &AtomicBool::new(false) };
        let error = run(&study, &mut store, 2, &mut counts, &AtomicBool::new(false)).unwrap_err().to_string();
        assert!(error.contains("the disk is full. Everything finished so far is stored"), "{error}");
        drop(store);
        let mut store = Store::open(&folder.path().join("s.db")).unwrap();
        let kept = store.record("small").unwrap().trials.len();
        assert!(kept == counts.ended && kept > 0 && kept < 80, "{kept}");
        let outcome = run(&study, &mut store, 2, &mut (), &AtomicBool::new(false)).unwrap();
        assert_eq!(outcome.run, 80 - kept);
    }

    #[test]
    fn several_processes_share_a_study() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let study = study("design = 'one-at-a-time'\nseeds = 30", "dropout = [0, 0.5]").unwrap();
        // Every thread has a store of its own, as a process would: another connection and another owner.
        let one = || {
            let mut store = Store::open(&path).unwrap();
            run(&study, &mut store, 1, &mut (), &AtomicBool::new(false)).unwrap().run
        };
        let runs: Vec<usize> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(runs.iter().sum::<usize>(), 60, "none lost, none twice: {runs:?}");
        let record = Store::open(&path).unwrap().record("small").unwrap();
        assert_eq!(timeless(record), whole(&study, 2).0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the store");
    }
}
