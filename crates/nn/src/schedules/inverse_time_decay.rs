//! Inverse time decay: `lr = initial / (1 + rate · t / steps)`, `t / steps` rounded down with `staircase`.
//!
//! Source: Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`.

use super::{Schedule, not_negative, positive, steps};
use crate::config::{InvalidParameter, Value};
use serde::Deserialize;

/// Falls like 1/t.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseTimeDecay {
    /// The learning rate of the first step, > 0.
    pub initial_learning_rate: f64,
    /// How many steps are one unit of time; at least 1.
    pub decay_steps: u64,
    /// How much the divisor grows per unit of time; ≥ 0.
    pub decay_rate: f64,
    /// Whether only whole units count.
    pub staircase: bool,
}

impl InverseTimeDecay {
    pub(super) const NAME: &'static str = "inverse_time_decay";

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
        not_negative(Self::NAME, "decay_rate", self.decay_rate)
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let time = super::share(step, self.decay_steps, self.staircase);
        self.initial_learning_rate / (1.0 + self.decay_rate * time)
    }
}

impl From<InverseTimeDecay> for Schedule {
    fn from(schedule: InverseTimeDecay) -> Self {
        Self::InverseTimeDecay(schedule)
    }
}
