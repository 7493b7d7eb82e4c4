//! compile, fit, evaluate, predict. [`Model::fit`] is the only training loop.

use crate::callbacks::{Callback, Progress, Weights};
use crate::error::ModelError;
use crate::examples::Examples;
use crate::history::{Ending, History, Logs};
use crate::kernels::SimdLevel;
use crate::losses::Loss;
use crate::ops::{Param, ParamId};
use crate::optimizers::Optimizer;
use crate::plan::buffer::Buffer;
use crate::plan::run::{BatchScore, Epoch, INFERENCE_BATCH, Score, infer};
use crate::plan::workspace::{State, Workspace};
use crate::plan::{Plan, Stage};
use crate::random::{Purpose, Seed, Streams};
use crate::sequential::Sequential;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

/// How a model is to be trained.
#[derive(Clone, Debug)]
pub struct Compile {
    optimizer: Optimizer,
    loss: Loss,
    streams: Streams,
    simd: SimdLevel,
    threads: NonZeroUsize,
}

impl Compile {
    /// An optimizer and a loss; seed 0, the machine's best instructions, one thread.
    pub fn new(optimizer: impl Into<Optimizer>, loss: Loss) -> Self {
        Self {
            optimizer: optimizer.into(),
            loss,
            streams: Streams::new(Seed(0)),
            simd: SimdLevel::detect(),
            threads: NonZeroUsize::MIN,
        }
    }

    /// Sets the seed of every random stream.
    pub fn seed(mut self, seed: u64) -> Self {
        self.streams = Streams::new(Seed(seed));
        self
    }

    /// Sets the random streams one by one.
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// Forces a vector level; all give the same bits.
    pub fn simd(mut self, simd: SimdLevel) -> Self {
        self.simd = simd;
        self
    }

    /// Sets how many threads train and score; any number gives the same bits.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }
}

/// How long and on what a model is fitted.
#[derive(Default)]
pub struct Fit<'a> {
    epochs: usize,
    batch_size: usize,
    shuffle: bool,
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
}

/// A compiled model: its plan and its weights.
#[derive(Clone, Debug)]
pub struct Model {
    sequential: Sequential,
    plan: Arc<Plan>,
    streams: Streams,
    threads: NonZeroUsize,
    state: State,
    epochs_done: u64,
}

impl Sequential {
    /// Checks everything, makes the plan and the initial weights.
    ///
    /// # Errors
    /// Where a layer, the optimizer or the loss cannot work; the error says what was expected and
    /// received.
    pub fn compile(&self, options: Compile) -> Result<Model, ModelError> {
        let plan = Plan::new(self, options.optimizer, options.loss, options.simd, options.threads.get())?;
        let state = State::new(&plan, &options.streams);
        Ok(Model {
            sequential: self.clone(),
            plan: Arc::new(plan),
            streams: options.streams,
            threads: options.threads,
            state,
            epochs_done: 0,
        })
    }
}

impl Model {
    /// The description it was compiled from.
    pub fn sequential(&self) -> &Sequential {
        &self.sequential
    }

    /// How it is carried out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The variables in Keras's order: name, shape, how they start.
    pub fn params(&self) -> &[Param] {
        self.plan.params()
    }

    /// A variable's values, row-major, by Keras's name: `dense/kernel`.
    pub fn weight(&self, name: &str) -> Option<Vec<f32>> {
        let index = self.params().iter().position(|param| param.name == name)?;
        Some(self.state.weight(&self.plan, ParamId(index)))
    }

    /// Replaces a variable's values, row-major.
    ///
    /// # Errors
    /// Where there is no such variable, or the number of values differs.
    pub fn set_weight(&mut self, name: &str, values: &[f32]) -> Result<(), ModelError> {
        let wrong = |expected: String, received: String| Err(ModelError::Weights { expected, received });
        let Some(index) = self.params().iter().position(|param| param.name == name) else {
            let known: Vec<_> = self.params().iter().map(|param| param.name.as_str()).collect();
            return wrong(format!("one of {}", known.join(", ")), format!("{name:?}"));
        };
        let shape = &self.params()[index].spec.shape;
        if self.params()[index].count() != values.len() {
            return wrong(format!("{name} of shape {shape:?}"), format!("{} values", values.len()));
        }
        let plan = Arc::clone(&self.plan);
        self.state.set_weight(&plan, ParamId(index), values);
        Ok(())
    }

    /// Trains the model; training goes on where an earlier fit ended.
    ///
    /// # Errors
    /// Where the samples do not fit the model or an option is impossible; nothing was changed then.
    pub fn fit(&mut self, examples: &Examples<'_>, mut fit: Fit<'_>) -> Result<History, ModelError> {
        self.check_fit(examples, &fit)?;
        let mut workspace = Workspace::new(
            &self.plan.train,
            fit.batch_size.min(examples.len()),
            examples,
            self.threads.get(),
        );
        let mut history = History::new();
        let mut order: Vec<u32> = Vec::with_capacity(examples.len());
        let batches = examples.len().div_ceil(fit.batch_size);
        for epoch in 0..fit.epochs {
            let at = Progress { epoch, epochs: fit.epochs, batch: 0, batches };
            fit.callbacks.iter_mut().for_each(|callback| callback.on_epoch_begin(at));
            self.order(examples.len(), fit.shuffle, &mut order);
            let (score, ending) = self.epoch(examples, &order, &mut workspace, at, &mut fit.callbacks);
            if let Some(ending) = ending {
                history.ending = ending;
                break;
            }
            self.epochs_done += 1;
            let logs = self.logs(&score, &fit.watched)?;
            history.push(&logs);
            let at = Progress { batch: batches, ..at };
            let mut stop = false;
            for callback in &mut fit.callbacks {
                stop |= callback.on_epoch_end(at, &logs, &mut self.state).is_break();
            }
            if stop {
                history.ending = Ending::Stopped;
                break;
            }
        }
        fit.callbacks.iter_mut().for_each(|callback| callback.on_train_end(&mut self.state));
        Ok(history)
    }

    fn check_fit(&self, examples: &Examples<'_>, fit: &Fit<'_>) -> Result<(), ModelError> {
        for (what, value) in [("epochs", fit.epochs), ("batch_size", fit.batch_size)] {
            if value == 0 {
                let (expected, received) = ("at least 1".into(), "0".into());
                return Err(ModelError::Option { what, expected, received });
            }
        }
        self.check(examples)?;
        fit.watched.iter().try_for_each(|(_, watched)| self.check(watched))
    }

    fn check(&self, examples: &Examples<'_>) -> Result<(), ModelError> {
        examples.check(&self.sequential.input_shape, self.plan.predict.outputs(), &self.plan.loss)
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
        examples: &Examples<'_>,
        order: &[u32],
        workspace: &mut Workspace,
        mut at: Progress,
        callbacks: &mut [&mut dyn Callback],
    ) -> (Score, Option<Ending>) {
        let mut ending = None;
        let mut after_batch = |batch: BatchScore, so_far: &Score| {
            at.batch += 1;
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
        let weights = examples.weights;
        let epoch = Epoch { plan, examples, weights, order, streams, threads: self.threads.get() };
        let score = epoch.train(&mut self.state, workspace, &mut after_batch);
        (score, ending)
    }

    fn logs(&self, score: &Score, watched: &[(String, &Examples<'_>)]) -> Result<Logs, ModelError> {
        let mut logs = Logs::default();
        logs.push("", score.loss(), score.accuracy());
        for (name, examples) in watched {
            let score = self.evaluate(examples)?;
            logs.push(&format!("{name}_"), score.loss(), score.accuracy());
        }
        Ok(logs)
    }

    /// Loss (with penalties) and accuracy in inference mode.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn evaluate(&self, examples: &Examples<'_>) -> Result<Score, ModelError> {
        self.check(examples)?;
        let batches = Mutex::new(vec![None; examples.len().div_ceil(INFERENCE_BATCH)]);
        self.infer(&self.plan.evaluate, examples, &|first, score, _| {
            let mut batches = batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            batches[first / INFERENCE_BATCH] = Some(score);
        });
        let batches = batches.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut total = Score::default();
        batches.into_iter().flatten().for_each(|batch| total.add(batch));
        Ok(total)
    }

    /// What the last layer gives, `[samples, outputs]` row-major.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn predict(&self, examples: &Examples<'_>) -> Result<Vec<f32>, ModelError> {
        self.check(examples)?;
        let width = self.plan.predict.outputs();
        let all = Mutex::new(vec![0.0; examples.len() * width]);
        self.infer(&self.plan.predict, examples, &|first, score, outputs| {
            let stride = outputs.len() / score.samples;
            let mut all = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let to = &mut all[first * width..(first + score.samples) * width];
            for (to, row) in to.chunks_exact_mut(width).zip(outputs.chunks(stride)) {
                to.copy_from_slice(&row[..width]);
            }
        });
        Ok(all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn infer(
        &self,
        stage: &Stage,
        examples: &Examples<'_>,
        each: &(dyn Fn(usize, BatchScore, &[f32]) + Sync),
    ) {
        infer((&self.plan, stage), &self.state, examples, self.threads.get(), each);
    }
}

impl Weights for State {
    fn copy(&self) -> Vec<f32> {
        self.weights.as_slice().to_vec()
    }

    fn restore(&mut self, copy: &[f32]) {
        let mut weights = Buffer::new(copy.len());
        weights.as_mut_slice().copy_from_slice(copy);
        self.weights = weights;
    }
}
