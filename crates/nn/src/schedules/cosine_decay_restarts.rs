//! Cosine decay with warm restarts: half a wave down, again and again.
//!
//! Round `i` takes `first_decay_steps · t_mulⁱ` steps and starts from `initial · m_mulⁱ`; within it
//! `lr = initial · ((1 − α) · m_mulⁱ · ½(1 + cos(π x)) + α)`, with x the share of the round that has passed.
//!
//! Source: Loshchilov and Hutter 2017; Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`. Keras
//! finds the round with a logarithm, which at the very step of a restart may round either way; here rounds are
//! counted.

use super::{Schedule, positive, steps};
use crate::config::{InvalidParameter, Value, require};
use serde::Deserialize;

/// Half a wave down, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecayRestarts {
    /// The learning rate of the first step, > 0.
    pub initial_learning_rate: f64,
    /// How many steps the first round takes; at least 1.
    pub first_decay_steps: u64,
    /// How much longer each round is than the one before; at least 1.
    pub t_mul: f64,
    /// How much higher each round starts than the one before; > 0.
    pub m_mul: f64,
    /// The share that is left at the end of a round, from 0 to 1.
    pub alpha: f64,
}

impl CosineDecayRestarts {
    pub(super) const NAME: &'static str = "cosine_decay_restarts";

    /// Rounds of doubling length, all from the same start down to 0.
    pub fn new(initial_learning_rate: f64, first_decay_steps: u64) -> Self {
        Self { initial_learning_rate, first_decay_steps, t_mul: 2.0, m_mul: 1.0, alpha: 0.0 }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("initial_learning_rate", self.initial_learning_rate.into()),
            ("first_decay_steps", self.first_decay_steps.into()),
            ("t_mul", self.t_mul.into()),
            ("m_mul", self.m_mul.into()),
            ("alpha", self.alpha.into()),
        ]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        positive(Self::NAME, "initial_learning_rate", self.initial_learning_rate)?;
        steps(Self::NAME, "first_decay_steps", self.first_decay_steps)?;
        let longer = self.t_mul.is_finite() && self.t_mul >= 1.0;
        require(longer, Self::NAME, "t_mul", "a finite number from 1", self.t_mul)?;
        positive(Self::NAME, "m_mul", self.m_mul)?;
        let share = (0.0..=1.0).contains(&self.alpha);
        require(share, Self::NAME, "alpha", "from 0 to 1", self.alpha)
    }

    /// The number of the round and the share of it that has passed.
    fn round(&self, step: u64) -> (f64, f64) {
        let passed = super::share(step, self.first_decay_steps, false);
        if self.t_mul == 1.0 {
            return (passed.floor(), passed.fract());
        }
        let starts = |round: f64| (1.0 - libm::pow(self.t_mul, round)) / (1.0 - self.t_mul);
        let guess = libm::log(1.0 - passed * (1.0 - self.t_mul)) / libm::log(self.t_mul);
        let mut round = guess.floor();
        if starts(round) > passed {
            round -= 1.0;
        } else if starts(round + 1.0) <= passed {
            round += 1.0;
        }
        (round, (passed - starts(round)) / libm::pow(self.t_mul, round))
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let (round, passed) = self.round(step);
        let wave = libm::pow(self.m_mul, round) * super::half_wave(passed);
        self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)
    }
}

impl From<CosineDecayRestarts> for Schedule {
    fn from(schedule: CosineDecayRestarts) -> Self {
        Self::CosineDecayRestarts(schedule)
    }
}
