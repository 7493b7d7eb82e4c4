//! A compiled model: its plan and its weights.

mod adapt;
mod compile;
mod evaluate;
mod fit;
mod probe;
mod steps;

pub use compile::Compile;
pub use fit::Fit;
pub use probe::LayerOutput;

use crate::callbacks::{Snapshot, Training};
use crate::error::ModelError;
use crate::examples::Examples;
use crate::metrics::{Metric, Outputs};
use crate::ops::{Param, ParamId};
use crate::plan::Plan;
use crate::plan::buffer::Buffer;
use crate::plan::workspace::State;
use crate::random::Streams;
use crate::sequential::Sequential;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A compiled model: its plan and its weights.
#[derive(Clone, Debug)]
pub struct Model {
    sequential: Sequential,
    plan: Arc<Plan>,
    metrics: Vec<Metric>,
    streams: Streams,
    threads: NonZeroUsize,
    state: State,
    epochs_done: u64,
    /// Whether what layers take from data was taken or set.
    is_adapted: bool,
}

/// What the model gives, as metrics see it.
fn outputs(plan: &Plan) -> Outputs {
    Outputs { width: plan.predict.outputs(), are_logits: plan.loss.takes_logits() }
}

impl Model {
    /// The description it was compiled from.
    pub fn sequential(&self) -> &Sequential {
        &self.sequential
    }

    /// The random streams it was compiled with.
    pub fn streams(&self) -> &Streams {
        &self.streams
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
        self.is_adapted |= self.adapted_layers().contains(&self.params()[index].layer);
        Ok(())
    }

    /// Goes back to a snapshot of the same model: a fit from there gives the same bits as one that was never
    /// interrupted. Tell the fit its [`Fit::initial_epoch`].
    ///
    /// # Errors
    /// Where the snapshot is of another model or optimizer; nothing was changed then.
    pub fn resume(&mut self, snapshot: &Snapshot) -> Result<(), ModelError> {
        self.state = self.state.resumed(&self.plan, snapshot)?;
        self.epochs_done = snapshot.epochs_done;
        Arc::make_mut(&mut self.plan).optimizer.learning_rate = snapshot.learning_rate.clone();
        // A fit had adapted its layers before its first epoch.
        self.is_adapted |= snapshot.epochs_done > 0;
        Ok(())
    }

    /// Puts the averages that `use_ema` keeps in the place of the weights, as the end of [`Model::fit`] does. Without
    /// averages nothing changes.
    pub fn finalize_variable_values(&mut self) {
        self.state.finalize(&self.plan);
    }

    fn check(&self, examples: &Examples<'_>) -> Result<(), ModelError> {
        examples.check(&self.sequential.input_shape, self.plan.predict.outputs(), &self.plan.loss)
    }
}

fn impossible(what: &'static str, expected: impl Into<String>, received: impl ToString) -> ModelError {
    ModelError::Option { what, expected: expected.into(), received: received.to_string() }
}

/// A model between two steps, as callbacks see it; it also takes what a callback copied from another that was
/// compiled in the same way.
impl Training for Model {
    fn weights(&self) -> Vec<f32> {
        self.state.weights.as_slice().to_vec()
    }

    fn restore(&mut self, weights: &[f32]) {
        let mut buffer = Buffer::new(weights.len());
        buffer.as_mut_slice()[..weights.len()].copy_from_slice(weights);
        self.state.weights = buffer;
    }

    fn learning_rate(&self) -> f64 {
        f64::from(self.plan.optimizer.learning_rate.at(self.state.steps) as f32)
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        Arc::make_mut(&mut self.plan).optimizer.learning_rate = learning_rate.into();
    }

    fn swap_averages(&mut self) {
        self.state.swap_averages(&self.plan);
    }

    fn snapshot(&self) -> Snapshot {
        self.state.snapshot(&self.plan, self.epochs_done)
    }
}
