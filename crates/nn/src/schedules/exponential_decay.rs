//! Exponential decay: `lr = initial · rate^(t / steps)`, the exponent rounded down with `staircase`.
//!
//! Source: Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`.

use super::{Schedule, positive, steps};
use crate::config::{InvalidParameter, Value};
use serde::Deserialize;

/// Times `decay_rate` every `decay_steps` steps.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialDecay {
    /// The learning rate of the first step, > 0.
    pub initial_learning_rate: f64,
    /// After how many steps the factor has acted once; at least 1.
    pub decay_steps: u64,
    /// The factor; > 0.
    pub decay_rate: f64,
    /// Whether the factor acts all at once.
    pub staircase: bool,
}

impl ExponentialDecay {
    pub(super) const NAME: &'static str = "exponential_decay";

    /// A smooth decay.
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        Self { initial_learning_rate, decay_steps, decay_rate, staircase: false }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("initial_learning_rate", self.initial_learning_rate.into()),
            ("decay_steps", self.decay_steps.into()),
            ("decay_rate", self.decay_rate.into()),
            ("staircase", self.staircase.into()),
        ]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        positive(Self::NAME, "initial_learning_rate", self.initial_learning_rate)?;
        steps(Self::NAME, "decay_steps", self.decay_steps)?;
        positive(Self::NAME, "decay_rate", self.decay_rate)
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let exponent = super::share(step, self.decay_steps, self.staircase);
        self.initial_learning_rate * libm::pow(self.decay_rate, exponent)
    }
}

impl From<ExponentialDecay> for Schedule {
    fn from(schedule: ExponentialDecay) -> Self {
        Self::ExponentialDecay(schedule)
    }
}
