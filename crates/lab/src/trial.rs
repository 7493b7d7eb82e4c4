//! Trial: one recipe run with one seed.
//!
//! The clock lives here, not in the engine: an epoch's seconds run from its first batch to its last, without the two
//! evaluations that follow.

use crate::error::LabError;
use crate::prepared::Prepared;
use crate::recipe::{FitRecipe, Recipe};
use crate::record::{EpochRecord, TrialRecord, TrialStatus};
use seedbed_nn::Score;
use seedbed_nn::callbacks::{Progress, Training};
use seedbed_nn::examples::Examples;
use seedbed_nn::history::{Ending, History};
use seedbed_nn::model::{Fit, Model};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

mod backup;
mod callbacks;
mod diagnose;
mod inspect;
mod listener;

use backup::Backup;
use callbacks::Failure;
use diagnose::Diagnosis;
pub use inspect::inspect;
pub(crate) use inspect::largest;
use listener::Listener;

/// Listens to a trial. Every method may be left out.
pub trait Observer {
    /// Before a training goes on from a backup: its epochs until then.
    fn goes_on(&mut self, _epochs: &[EpochRecord]) {}
    /// Before an epoch.
    fn epoch_begin(&mut self, _at: Progress) {}
    /// After a batch; `so_far` are the epoch's running means. `Break` interrupts the trial.
    fn batch_end(&mut self, _at: Progress, _so_far: &Score) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// After an epoch, with everything that was measured.
    fn epoch_end(&mut self, _record: &EpochRecord) {}
    /// After an epoch, with the weights that it was measured with.
    fn weights(&mut self, _record: &EpochRecord, _weights: &mut dyn Training) {}
}

/// Listens to nothing.
impl Observer for () {}

/// What a trial leaves.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was measured.
    pub record: TrialRecord,
    /// The model with its last weights.
    pub model: Model,
    /// The weights before training: Keras's name of each variable and its values, row-major.
    pub initial: Vec<(String, Vec<f32>)>,
}

/// Runs a recipe with a seed. The numbers do not depend on `threads`.
///
/// A trial that diverges or is interrupted is no error: its record says so.
///
/// # Errors
/// Where recipe and data cannot work together; nothing was trained then.
pub fn run(
    name: &str,
    recipe: &Recipe,
    seed: u64,
    data: &Prepared<'_>,
    threads: NonZeroUsize,
    observer: &mut dyn Observer,
) -> Result<Outcome, LabError> {
    fit(recipe.compile(seed, threads)?, name, recipe, seed, data, observer)
}

/// As [`run`], from a model that was compiled from the recipe and may have been given other weights.
///
/// # Errors
/// As [`run`]; and where a callback of the recipe writes files, since many trials would write the same ones.
pub fn fit(
    model: Model,
    name: &str,
    recipe: &Recipe,
    seed: u64,
    data: &Prepared<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, LabError> {
    if let Some(writes) = recipe.fit.callbacks.iter().find(|callback| callback.writes_files()) {
        let problem = "writes files, and only `seedbed train` lets it; leave it out here";
        return Err(LabError::Value(format!("fit.callbacks: {} {problem}", writes.class_name())));
    }
    train(model, name, recipe, seed, data, observer)
}

/// As [`fit`], and callbacks write their files. Where the recipe has a `BackupAndRestore` and its folder a backup, the training
/// goes on from there.
///
/// # Errors
/// As [`run`]; [`LabError::Backup`] where a backup is damaged or belongs to another training, [`LabError::Io`] where
/// a file cannot be written.
pub fn train(
    mut model: Model,
    name: &str,
    recipe: &Recipe,
    seed: u64,
    data: &Prepared<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, LabError> {
    let began = Instant::now();
    data.check(&model)?;
    let noisy = data.noisy_labels(recipe.data.label_noise, model.streams());
    let data = &noisy.as_ref().map_or_else(|| Ok(data.clone()), |labels| data.with_labels(labels))?;
    let sets = Sets::of(recipe, data)?;
    let initial = weights(&model);
    let backup = Backup::of(recipe, seed, || data.dataset().fingerprint(), &initial)?;
    let failure = Failure::default();
    let mut listener = Listener {
        callbacks: callbacks::of(recipe, &model, &failure)?,
        diagnosis: Diagnosis::begin(&model, sets.train())?,
        observer,
        epochs: Vec::new(),
        backup: backup.as_ref(),
        failure: Rc::clone(&failure),
        began,
        interrupted: false,
        weights: Vec::new(),
        epoch_began: began,
        trained: Duration::ZERO,
    };
    if let Some(backup) = &backup {
        listener.go_on(backup, recipe, &mut model)?;
    }
    let history = match failure.take() {
        Some(error) => return Err(error),
        None => model.fit(sets.train(), sets.options(recipe, &mut listener))?,
    };
    let Listener { epochs, diagnosis, began, interrupted, weights, .. } = listener;
    if let Some(error) = failure.take() {
        return Err(error);
    }
    let status = status(&history, &epochs, interrupted);
    let ended = match epochs.last().filter(|_| status == TrialStatus::Finished && model.weights() != weights)
    {
        Some(last) => Some(sets.measured(&model, last)?),
        None => None,
    };
    if let Some(backup) = backup.as_ref().filter(|_| !matches!(status, TrialStatus::Interrupted { .. })) {
        backup.delete()?;
    }
    let (seconds, diagnostics) = (began.elapsed().as_secs_f64(), diagnosis.finish());
    Ok(Outcome {
        record: TrialRecord { model: name.to_owned(), seed, status, epochs, ended, seconds, diagnostics },
        model,
        initial,
    })
}

/// What a trial learns from and is scored on, by the names that scores have in the history.
struct Sets<'a>(Vec<(&'static str, Examples<'a>)>);

impl<'a> Sets<'a> {
    fn of(recipe: &Recipe, data: &Prepared<'a>) -> Result<Self, LabError> {
        let mut sets = vec![("train", data.train().clone()), ("test", data.test().clone())];
        let share = recipe.fit.validation_split;
        if share > 0.0 {
            let split = data.validation_split(share)?;
            sets[0].1 = split.train().clone();
            sets.push(("val", split.test().clone()));
        } else if recipe.fit.validation_data.is_some() {
            sets.push(("val", data.test().clone()));
        }
        Ok(Self(sets))
    }

    fn train(&self) -> &Examples<'a> {
        &self.0[0].1
    }

    fn options<'f>(&'f self, recipe: &Recipe, listener: &'f mut Listener<'_>) -> Fit<'f> {
        let FitRecipe { epochs, batch_size, shuffle, class_weight, .. } = &recipe.fit;
        let fit = Fit::new()
            .initial_epoch(listener.epochs.len())
            .epochs(*epochs)
            .batch_size(*batch_size)
            .shuffle(*shuffle)
            .class_weight(class_weight.0.clone());
        self.0.iter().fold(fit, |fit, (name, examples)| fit.watch(name, examples)).callback(listener)
    }

    /// The last epoch with what the model measures now.
    fn measured(&self, model: &Model, last: &EpochRecord) -> Result<EpochRecord, LabError> {
        let mut record = last.clone();
        for (name, examples) in &self.0 {
            model
                .measured(examples)?
                .iter()
                .for_each(|(of, value)| record.set(&format!("{name}_{of}"), value));
        }
        Ok(record)
    }
}

fn weights(model: &Model) -> Vec<(String, Vec<f32>)> {
    let of = |name: &String| Some((name.clone(), model.weight(name)?));
    model.params().iter().filter_map(|param| of(&param.name)).collect()
}

/// How the fit ended, as a record says it: epochs from 1. A last step that broke the weights is a divergence too; a callback
/// that stops it finishes it.
fn status(history: &History, epochs: &[EpochRecord], interrupted: bool) -> TrialStatus {
    match history.ending {
        Ending::Diverged { epoch, batch } => TrialStatus::Diverged {
            epoch: epoch + 1,
            reason: format!("the loss of batch {} is not a finite number", batch + 1),
        },
        Ending::Stopped if interrupted => TrialStatus::Interrupted { epoch: epochs.len() },
        Ending::Finished | Ending::Stopped => match epochs.last() {
            Some(last) if !last.train_loss.is_finite() => TrialStatus::Diverged {
                epoch: last.epoch,
                reason: "the training loss at its end is not a finite number".to_owned(),
            },
            _ => TrialStatus::Finished,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::DataRecipe;
    use crate::testing::rows;

    const FILE: &str = "input_shape = [4, 4]
        fit = { epochs = 3, batch_size = 8 }
        layers = [{ class_name = 'Flatten' }, { class_name = 'Dense', units = 5, activation = 'relu' },
                  { class_name = 'Dropout', rate = 0.5 },
                  { class_name = 'Dense', units = 3, activation = 'softmax' }]";

    fn outcome(recipe: &Recipe, observer: &mut dyn Observer) -> Outcome {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        run("model 1", recipe, 5, &data, NonZeroUsize::MIN, observer).unwrap()
    }

    #[test]
    fn a_record_holds_what_evaluating_the_model_gives() {
        let recipe = Recipe::parse("m.toml", FILE).unwrap();
        let outcome = outcome(&recipe, &mut ());
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let [train, test] =
            [data.train(), data.test()].map(|examples| outcome.model.evaluate(examples).unwrap());
        assert_eq!((outcome.record.status.clone(), outcome.record.epochs.len()), (TrialStatus::Finished, 3));
        let last = outcome.record.outcome().unwrap();
        assert_eq!((last.train_loss, last.train_accuracy), (train.loss(), train.accuracy()));
        assert_eq!((last.test_loss, last.test_accuracy), (test.loss(), test.accuracy()));
        assert_ne!(last.running_loss, last.train_loss, "dropout is on in one and off in the other");
        assert!(last.seconds > 0.0 && outcome.record.seconds > last.seconds);
        let untouched = recipe.compile(5, NonZeroUsize::MIN).unwrap();
        assert_eq!(outcome.initial, weights(&untouched));
        assert_ne!(outcome.initial, weights(&outcome.model));
    }

    #[test]
    fn replaced_labels_are_what_is_learned_and_the_test_stays_as_it_is() {
        let long = FILE.replace("epochs = 3", "epochs = 30").replace("rate = 0.5", "rate = 0")
            + "\ncompile.optimizer = { name = 'adam', learning_rate = 0.02 }";
        let clean = outcome(&Recipe::parse("m.toml", &long).unwrap(), &mut ());
        let noisy = outcome(&Recipe::parse("m.toml", &(long + "\ndata.label_noise = 1.0")).unwrap(), &mut ());
        let [clean, noisy] = [clean, noisy].map(|outcome| outcome.record.outcome().unwrap().clone());
        // Every training label is wrong: what is learned by heart helps nothing on the right ones.
        assert!(clean.test_accuracy > noisy.test_accuracy + 0.3, "{clean:?}\n{noisy:?}");
        assert!(noisy.train_accuracy > noisy.test_accuracy + 0.1, "{noisy:?}");
    }

    #[test]
    fn a_trial_that_diverges_says_when() {
        let recipe = FILE.to_owned() + "\ncompile.optimizer = { name = 'sgd', learning_rate = 1e38 }";
        let outcome = outcome(&Recipe::parse("m.toml", &recipe).unwrap(), &mut ());
        let TrialStatus::Diverged { epoch, reason } = &outcome.record.status else {
            panic!("{:?}", outcome.record.status)
        };
        assert_eq!(*epoch, 1);
        assert!(
            reason.starts_with("the loss of batch ") || reason.starts_with("the training loss"),
            "{reason}"
        );
    }

    #[test]
    fn weights_that_break_in_the_last_step_are_a_divergence() {
        // One batch only: its loss is taken before the step that breaks the weights.
        let recipe = FILE.replace("epochs = 3, batch_size = 8", "epochs = 1, batch_size = 60")
            + "\ncompile.optimizer = { name = 'sgd', learning_rate = 1e39 }";
        let outcome = outcome(&Recipe::parse("m.toml", &recipe).unwrap(), &mut ());
        let reason = "the training loss at its end is not a finite number".to_owned();
        assert_eq!(outcome.record.status, TrialStatus::Diverged { epoch: 1, reason });
    }

    /// Breaks at a batch and counts what it hears.
    #[derive(Default)]
    struct Breaks {
        begun: usize,
        ended: usize,
    }

    impl Observer for Breaks {
        fn epoch_begin(&mut self, _at: Progress) {
            self.begun += 1;
        }

        fn batch_end(&mut self, at: Progress, _so_far: &Score) -> ControlFlow<()> {
            if (at.epoch, at.batch) == (1, 2) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }

        fn epoch_end(&mut self, _record: &EpochRecord) {
            self.ended += 1;
        }
    }

    #[test]
    fn an_interrupted_trial_keeps_its_finished_epochs() {
        let mut breaks = Breaks::default();
        let recipe = Recipe::parse("m.toml", FILE).unwrap();
        let broken = outcome(&recipe, &mut breaks);
        assert_eq!((breaks.begun, breaks.ended), (2, 1));
        assert_eq!(broken.record.status, TrialStatus::Interrupted { epoch: 1 });
        let whole = outcome(&recipe, &mut ()).record.epochs[0].clone();
        let first = &broken.record.epochs[0];
        assert_eq!(*first, EpochRecord { seconds: first.seconds, ..whole });
    }
}
