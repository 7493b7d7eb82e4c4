//! compile: how a model is to be trained, checked and planned.

use super::{Model, outputs};
use crate::error::ModelError;
use crate::kernels::SimdLevel;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::plan::Plan;
use crate::plan::workspace::State;
use crate::random::{Seed, Streams};
use crate::sequential::Sequential;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How a model is to be trained.
#[derive(Clone, Debug)]
pub struct Compile {
    optimizer: Optimizer,
    loss: Loss,
    metrics: Vec<Metric>,
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
            metrics: Vec::new(),
            streams: Streams::new(Seed(0)),
            simd: SimdLevel::detect(),
            threads: NonZeroUsize::MIN,
        }
    }

    /// Sets what is measured beside loss and accuracy, which always are.
    pub fn metrics(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.metrics = metrics.into_iter().collect();
        self
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

impl Sequential {
    /// Checks everything, makes the plan and the initial weights.
    ///
    /// # Errors
    /// Where a layer, the optimizer or the loss cannot work; the error says what was expected and
    /// received.
    pub fn compile(&self, options: Compile) -> Result<Model, ModelError> {
        let plan = Plan::new(self, options.optimizer, options.loss, options.simd, options.threads.get())?;
        let outputs = outputs(&plan);
        for metric in &options.metrics {
            let wrong = |problem| ModelError::Metric { name: metric.name(), problem };
            metric.check(outputs).map_err(wrong)?;
        }
        let state = State::new(&plan, &options.streams);
        Ok(Model {
            sequential: self.clone(),
            plan: Arc::new(plan),
            metrics: options.metrics,
            streams: options.streams,
            threads: options.threads,
            state,
            epochs_done: 0,
            is_adapted: false,
        })
    }
}
