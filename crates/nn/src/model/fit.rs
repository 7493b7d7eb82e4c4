//! fit: the only training loop.

use super::{Model, impossible, outputs};
use crate::callbacks::{Callback, Progress, Training};
use crate::error::ModelError;
use crate::examples::Examples;
use crate::history::{Ending, History, Logs};
use crate::kernels::score::arg_max;
use crate::losses::Target;
use crate::metrics::Metrics;
use crate::plan::run::{BatchOutputs, BatchScore, Epoch, Score};
use crate::plan::workspace::Workspace;
use crate::random::Purpose;
use crate::schedules::LearningRate;
use std::borrow::Cow;
use std::ops::ControlFlow;

/// How long and on what a model is fitted.
#[derive(Default)]
pub struct Fit<'a> {
    initial_epoch: usize,
    epochs: usize,
    batch_size: usize,
    shuffle: bool,
    class_weight: Vec<(usize, f64)>,
    validation_split: f64,
    watched: Vec<(String, &'a Examples<'a>)>,
    callbacks: Vec<&'a mut dyn Callback>,
}

impl<'a> Fit<'a> {
    /// Keras's defaults: 1 epoch, batches of 32, shuffled.
    pub fn new() -> Self {
        Self { epochs: 1, batch_size: 32, shuffle: true, ..Self::default() }
    }

    /// How often all samples are seen; at least 1.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// The number of the first epoch, where a fit goes on that was interrupted; below the number of epochs.
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// How many samples per step; at least 1. The last batch of an epoch may be shorter.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Whether each epoch has its own order.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Weighs the samples by their class, as Keras's `class_weight`: classes that are not named weigh 1. Only
    /// training is weighed.
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f64)>) -> Self {
        self.class_weight = weights.into_iter().collect();
        self
    }

    /// Takes this share of the samples, the last ones, out of training and scores them as [`Fit::validation`] does;
    /// from 0 to below 1.
    pub fn validation_split(mut self, share: f64) -> Self {
        self.validation_split = share;
        self
    }

    /// Scores these samples after every epoch, as `val_loss` and `val_accuracy`.
    pub fn validation(self, examples: &'a Examples<'a>) -> Self {
        self.watch("val", examples)
    }

    /// Scores these samples after every epoch, as `{name}_loss` and `{name}_accuracy`.
    pub fn watch(mut self, name: &str, examples: &'a Examples<'a>) -> Self {
        self.watched.push((name.into(), examples));
        self
    }

    /// Adds a listener.
    pub fn callback(mut self, callback: &'a mut dyn Callback) -> Self {
        self.callbacks.push(callback);
        self
    }

    fn changes_learning_rate(&self) -> bool {
        self.callbacks.iter().any(|callback| callback.changes_learning_rate())
    }
}

impl Model {
    /// Trains the model; training goes on where an earlier fit ended.
    ///
    /// # Errors
    /// Where the samples do not fit the model or an option is impossible; nothing was changed then.
    pub fn fit(&mut self, examples: &Examples<'_>, mut fit: Fit<'_>) -> Result<History, ModelError> {
        self.check_fit(examples, &fit)?;
        let (examples, held_out) = split(examples, fit.validation_split);
        if !self.is_adapted {
            self.adapt(&examples)?;
        }
        let held_out = held_out.iter().map(|examples| ("val", examples));
        let watched: Vec<(&str, &Examples<'_>)> =
            held_out.chain(fit.watched.iter().map(|(name, examples)| (name.as_str(), *examples))).collect();
        let class_weights = class_weights(&examples, &fit.class_weight, outputs(&self.plan).width);
        let weights = class_weights.as_deref().or(examples.weights);
        let mut workspace = Workspace::new(
            (&self.plan, &self.plan.train),
            fit.batch_size.min(examples.len()),
            &examples,
            self.threads.get(),
        );
        let mut history = History::new();
        let mut metrics = Metrics::new(&self.metrics, outputs(&self.plan));
        let mut order: Vec<u32> = Vec::with_capacity(examples.len());
        let batches = examples.len().div_ceil(fit.batch_size);
        for epoch in fit.initial_epoch..fit.epochs {
            let at = Progress { epoch, epochs: fit.epochs, batch: 0, batches };
            for callback in &mut fit.callbacks {
                callback.on_epoch_begin(at, self);
            }
            self.order(examples.len(), fit.shuffle, &mut order);
            metrics.reset();
            let data = (&*examples, weights, order.as_slice());
            let (score, ending) = self.epoch(data, &mut workspace, at, &mut metrics, &mut fit.callbacks);
            if let Some(ending) = ending {
                history.ending = ending;
                break;
            }
            self.epochs_done += 1;
            let mut logs = self.logs(&score, &metrics, &watched, &mut fit.callbacks)?;
            if fit.changes_learning_rate() {
                logs.add("learning_rate".to_owned(), self.learning_rate());
            }
            history.push(&logs);
            let at = Progress { batch: batches, ..at };
            let mut stop = false;
            for callback in &mut fit.callbacks {
                stop |= callback.on_epoch_end(at, &logs, self).is_break();
            }
            if stop {
                history.ending = Ending::Stopped;
                break;
            }
        }
        self.state.finalize(&self.plan);
        for callback in &mut fit.callbacks {
            callback.on_train_end(self);
        }
        Ok(history)
    }

    /// One step of training on all samples at once; gives the loss before the step, penalties included. No
    /// callback hears of it, and averages of the weights stay beside them.
    ///
    /// # Errors
    /// Where the samples do not fit the model; nothing was changed then.
    pub fn train_on_batch(&mut self, examples: &Examples<'_>) -> Result<f64, ModelError> {
        self.check(examples)?;
        let threads = self.threads.get();
        let mut workspace = Workspace::new((&self.plan, &self.plan.train), examples.len(), examples, threads);
        let order: Vec<u32> = (0..examples.len() as u32).collect();
        let at = Progress { epoch: 0, epochs: 1, batch: 0, batches: 1 };
        let mut metrics = Metrics::new(&[], outputs(&self.plan));
        let data = (examples, examples.weights, order.as_slice());
        let (score, _) = self.epoch(data, &mut workspace, at, &mut metrics, &mut []);
        Ok(score.loss())
    }

    fn check_fit(&self, examples: &Examples<'_>, fit: &Fit<'_>) -> Result<(), ModelError> {
        for (what, value) in [("epochs", fit.epochs), ("batch_size", fit.batch_size)] {
            if value == 0 {
                return Err(impossible(what, "at least 1", 0));
            }
        }
        if fit.initial_epoch >= fit.epochs {
            let expected = format!("below {} (epochs)", fit.epochs);
            return Err(impossible("initial_epoch", expected, fit.initial_epoch));
        }
        if let (LearningRate::Schedule(schedule), true) =
            (&self.plan.optimizer.learning_rate, fit.changes_learning_rate())
        {
            let expected = "one number, as a callback changes it";
            return Err(impossible("learning_rate", expected, schedule.name()));
        }
        if !self.plan.optimizer.use_ema && fit.callbacks.iter().any(|callback| callback.wants_averages()) {
            return Err(impossible("use_ema", "true, as a callback swaps the averages in", false));
        }
        self.check(examples)?;
        self.check_class_weight(examples, &fit.class_weight)?;
        check_split(examples, fit)?;
        fit.watched.iter().try_for_each(|(_, watched)| self.check(watched))
    }

    fn check_class_weight(
        &self,
        examples: &Examples<'_>,
        class_weight: &[(usize, f64)],
    ) -> Result<(), ModelError> {
        const WHAT: &str = "class_weight";
        // One output tells two classes apart.
        let last = outputs(&self.plan).width.max(2) - 1;
        for &(class, weight) in class_weight {
            if class > last {
                return Err(impossible(WHAT, format!("classes 0 to {last}"), format!("class {class}")));
            }
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(impossible(WHAT, "finite weights ≥ 0", format!("{weight} for class {class}")));
            }
        }
        if !class_weight.is_empty() && examples.weights.is_some() {
            return Err(impossible(WHAT, "samples without weights of their own", "sample_weights too"));
        }
        Ok(())
    }

    /// The epoch's order of samples: drawn from the shuffle stream, or as they are.
    fn order(&self, count: usize, shuffle: bool, order: &mut Vec<u32>) {
        order.clear();
        order.extend(0..count as u32);
        if shuffle {
            self.streams.open(Purpose::Shuffle, "epoch", self.epochs_done).shuffle(order);
        }
    }

    fn epoch(
        &mut self,
        (examples, weights, order): (&Examples<'_>, Option<&[f32]>, &[u32]),
        workspace: &mut Workspace,
        mut at: Progress,
        metrics: &mut Metrics,
        callbacks: &mut [&mut dyn Callback],
    ) -> (Score, Option<Ending>) {
        let mut ending = None;
        let mut after_batch = |batch: BatchScore, so_far: &Score, outputs: BatchOutputs<'_>| {
            at.batch += 1;
            if !metrics.is_empty() {
                outputs.for_each(|target, prediction| metrics.add(target, prediction));
            }
            if !batch.loss.is_finite() {
                ending = Some(Ending::Diverged { epoch: at.epoch, batch: at.batch - 1 });
                return ControlFlow::Break(());
            }
            let mut flow = ControlFlow::Continue(());
            for callback in callbacks.iter_mut() {
                if callback.on_batch_end(at, so_far).is_break() {
                    flow = ControlFlow::Break(());
                    ending = Some(Ending::Stopped);
                }
            }
            flow
        };
        let (plan, streams) = (&self.plan, &self.streams);
        let epoch = Epoch { plan, examples, weights, order, streams, threads: self.threads.get() };
        let score = epoch.train(&mut self.state, workspace, &mut after_batch);
        (score, ending)
    }

    fn logs(
        &mut self,
        score: &Score,
        metrics: &Metrics,
        watched: &[(&str, &Examples<'_>)],
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Logs, ModelError> {
        let mut logs = Logs::default();
        logs.push("", score.loss(), score.accuracy());
        metrics.results().for_each(|(name, value)| logs.add(name.to_owned(), value));
        if watched.is_empty() {
            return Ok(logs);
        }
        for callback in callbacks.iter_mut() {
            callback.on_test_begin(self);
        }
        for (name, examples) in watched {
            self.measured(examples)?.iter().for_each(|(of, value)| logs.add(format!("{name}_{of}"), value));
        }
        for callback in callbacks {
            callback.on_test_end(self);
        }
        Ok(logs)
    }
}

/// How many samples are trained on when a share of the last is held out, as Keras rounds it.
fn trained_on(samples: usize, held_out: f64) -> usize {
    (samples as f64 * (1.0 - held_out)).floor() as usize
}

fn check_split(examples: &Examples<'_>, fit: &Fit<'_>) -> Result<(), ModelError> {
    const WHAT: &str = "validation_split";
    let share = fit.validation_split;
    if !(0.0..1.0).contains(&share) {
        return Err(impossible(WHAT, "a number from 0 to below 1", share));
    }
    if share == 0.0 {
        return Ok(());
    }
    if fit.watched.iter().any(|(name, _)| name == "val") {
        return Err(impossible(WHAT, "no validation samples beside it", "both"));
    }
    let trained = trained_on(examples.len(), share);
    if trained == 0 || trained == examples.len() {
        let expected = format!("a share that leaves samples on both sides of {}", examples.len());
        return Err(impossible(WHAT, expected, share));
    }
    Ok(())
}

/// The samples that are trained on, and those that are held out. All of them stay the samples they are, and
/// so keep their lists for the next fit.
fn split<'e, 'a>(examples: &'e Examples<'a>, held_out: f64) -> (Cow<'e, Examples<'a>>, Option<Examples<'a>>) {
    if held_out == 0.0 {
        return (Cow::Borrowed(examples), None);
    }
    let at = trained_on(examples.len(), held_out);
    (Cow::Owned(examples.slice(0, at)), Some(examples.slice(at, examples.len())))
}

/// The weight of every sample by its class, where classes have weights.
///
/// Keras: `keras/src/trainers/data_adapters/data_adapter_utils.py`, `class_weight_to_sample_weights`.
fn class_weights(examples: &Examples<'_>, class_weight: &[(usize, f64)], outputs: usize) -> Option<Vec<f32>> {
    let class = |sample| match examples.target(sample, outputs) {
        Target::Class(class) => class,
        Target::Row([target]) => target.round() as usize,
        Target::Row(row) => arg_max(row),
    };
    let weight = |class: usize| {
        let named = class_weight.iter().rev().find(|(named, _)| *named == class);
        named.map_or(1.0, |(_, weight)| *weight as f32)
    };
    let all = || (0..examples.len()).map(|sample| weight(class(sample))).collect();
    (!class_weight.is_empty()).then(all)
}
