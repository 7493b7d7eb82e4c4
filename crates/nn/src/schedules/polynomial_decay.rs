//! Polynomial decay: `lr = (initial − end) · (1 − t / steps)^power + end`.
//!
//! `t` stops at `steps`; with `cycle`, `steps` is multiplied by the smallest whole number that keeps it from
//! being passed.
//!
//! Source: Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`.

use super::{Schedule, not_negative, positive, steps};
use crate::config::{InvalidParameter, Value};
use serde::Deserialize;

/// From one learning rate to another along a power of the time that is left.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolynomialDecay {
    /// The learning rate of the first step, > 0.
    pub initial_learning_rate: f64,
    /// How many steps it takes; at least 1.
    pub decay_steps: u64,
    /// The learning rate at the end; ≥ 0.
    pub end_learning_rate: f64,
    /// 1 is a straight line; > 0.
    pub power: f64,
    /// Whether it rises again once it has ended.
    pub cycle: bool,
}

impl PolynomialDecay {
    pub(super) const NAME: &'static str = "polynomial_decay";

    /// A straight line to 0.0001.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        Self { initial_learning_rate, decay_steps, end_learning_rate: 1e-4, power: 1.0, cycle: false }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("initial_learning_rate", self.initial_learning_rate.into()),
            ("decay_steps", self.decay_steps.into()),
            ("end_learning_rate", self.end_learning_rate.into()),
            ("power", self.power.into()),
            ("cycle", self.cycle.into()),
        ]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        positive(Self::NAME, "initial_learning_rate", self.initial_learning_rate)?;
        steps(Self::NAME, "decay_steps", self.decay_steps)?;
        not_negative(Self::NAME, "end_learning_rate", self.end_learning_rate)?;
        positive(Self::NAME, "power", self.power)
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let rounds = if self.cycle { step.div_ceil(self.decay_steps).max(1) } else { 1 };
        let steps = self.decay_steps.saturating_mul(rounds);
        let passed = super::share(step.min(steps), steps, false);
        let (start, end) = (self.initial_learning_rate, self.end_learning_rate);
        (start - end) * libm::pow(1.0 - passed, self.power) + end
    }
}

impl From<PolynomialDecay> for Schedule {
    fn from(schedule: PolynomialDecay) -> Self {
        Self::PolynomialDecay(schedule)
    }
}
