//! How a model is carried out: lower → fuse → allocate → run, and the oracle beside it.
//!
//! | stage | file | comes out |
//! |---|---|---|
//! | lower | [`mod@lower`], `differentiate`, `arrange` | ops: what is computed |
//! | fuse | [`mod@fuse`] | steps: what is done in one pass |
//! | allocate | [`layout`] | a range in a flat buffer for every number |
//! | run | `schedule`, `run`, `workspace`, `barrier` | weights that moved, outputs, losses |
//! | oracle | [`mod@reference`] | the same numbers, slowly |

use crate::error::ModelError;
use crate::kernels::SimdLevel;
use crate::losses::Loss;
use crate::ops::{Param, Program, ValueId};
use crate::optimizers::Optimizer;
use crate::sequential::Sequential;

mod arrange;
mod barrier;
pub(crate) mod buffer;
mod describe;
mod differentiate;
pub mod fuse;
pub mod layout;
pub mod lower;
pub mod reference;
pub(crate) mod run;
mod schedule;
pub(crate) mod workspace;

pub use describe::StepDescription;

use arrange::{Movement, arrange};
use fuse::{Step, fuse};
use layout::{ParamLayout, ValueLayout};
use lower::{Purpose, lower};

/// A program and the steps it became.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The ops.
    pub program: Program,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Stage {
    fn new(sequential: &Sequential, purpose: Purpose) -> Result<Self, ModelError> {
        Ok(Self::of(lower(sequential, purpose)?))
    }

    fn of(program: Program) -> Self {
        let steps = fuse(&program);
        Self { program, steps }
    }

    fn layout(&self, batch: usize, sparse: bool) -> ValueLayout {
        ValueLayout::new(&self.program, &self.steps, batch, sparse)
    }

    /// Whether a step reads the input by input, as weight gradients do.
    pub(crate) fn turns_input(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::KernelUpdate { x: ValueId(0), .. }))
    }

    /// How many outputs the model has.
    pub(crate) fn outputs(&self) -> usize {
        self.program.values[self.program.output.0].width
    }
}

/// Everything about a run that does not change while it runs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One step of training.
    pub train: Stage,
    /// Outputs, loss and accuracy.
    pub evaluate: Stage,
    /// Outputs.
    pub predict: Stage,
    /// Where the variables are.
    pub layout: ParamLayout,
    /// How the variables move.
    pub optimizer: Optimizer,
    /// The same for each variable.
    pub(crate) movements: Vec<Movement>,
    /// What is minimised.
    pub loss: Loss,
    /// With which instructions.
    pub simd: SimdLevel,
}

impl Plan {
    pub(crate) fn new(
        sequential: &Sequential,
        optimizer: Optimizer,
        loss: Loss,
        simd: SimdLevel,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let mut program = lower(sequential, Purpose::Train(loss))?;
        let movements = arrange(&mut program, &optimizer);
        let train = Stage::of(program);
        optimizer
            .validate()
            .map_err(|error| ModelError::Optimizer { name: optimizer.name(), problem: error.to_string() })?;
        if !SimdLevel::available().contains(&simd) {
            return Err(ModelError::Option {
                what: "simd",
                expected: format!("one of {:?}, which this machine has", SimdLevel::available()),
                received: format!("{simd:?}"),
            });
        }
        Ok(Self {
            layout: ParamLayout::new(&train.program.params, threads),
            evaluate: Stage::new(sequential, Purpose::Evaluate(loss))?,
            predict: Stage::new(sequential, Purpose::Predict)?,
            train,
            optimizer,
            movements,
            loss,
            simd,
        })
    }

    /// The variables, in Keras's order.
    pub fn params(&self) -> &[Param] {
        &self.train.program.params
    }
}
