//! Cosine decay: `lr = from · ((1 − α) · ½(1 + cos(π t / steps)) + α)`, `t` stopping at `steps`.
//!
//! With a `warmup_target`, first a straight line from `initial` to it over `warmup_steps`, and the decay
//! begins there.
//!
//! Source: Loshchilov and Hutter 2017; Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`.

use super::{Schedule, not_negative, positive, steps};
use crate::config::{InvalidParameter, Value, require};
use serde::Deserialize;

/// Half a wave down, and before it perhaps a slope up.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecay {
    /// The learning rate of the first step: > 0, or ≥ 0 with a warm-up.
    pub initial_learning_rate: f64,
    /// How many steps the decay takes; at least 1.
    pub decay_steps: u64,
    /// The share that is left at the end, from 0 to 1.
    pub alpha: f64,
    /// The learning rate after the warm-up, > 0; `None` for no warm-up.
    pub warmup_target: Option<f64>,
    /// How many steps the warm-up takes.
    pub warmup_steps: u64,
}

impl CosineDecay {
    pub(super) const NAME: &'static str = "cosine_decay";

    /// Down to 0, without a warm-up.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        Self { initial_learning_rate, decay_steps, alpha: 0.0, warmup_target: None, warmup_steps: 0 }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("initial_learning_rate", self.initial_learning_rate.into()),
            ("decay_steps", self.decay_steps.into()),
            ("alpha", self.alpha.into()),
            ("warmup_target", self.warmup_target.into()),
            ("warmup_steps", self.warmup_steps.into()),
        ]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        match self.warmup_target {
            Some(target) => {
                not_negative(Self::NAME, "initial_learning_rate", self.initial_learning_rate)?;
                positive(Self::NAME, "warmup_target", target)?;
                require(
                    self.warmup_steps > 0,
                    Self::NAME,
                    "warmup_steps",
                    "at least 1 with a warmup_target",
                    0,
                )?;
            }
            None => {
                positive(Self::NAME, "initial_learning_rate", self.initial_learning_rate)?;
                let none = self.warmup_steps == 0;
                let expected = "0 without a warmup_target";
                require(none, Self::NAME, "warmup_steps", expected, self.warmup_steps)?;
            }
        }
        steps(Self::NAME, "decay_steps", self.decay_steps)?;
        let share = (0.0..=1.0).contains(&self.alpha);
        require(share, Self::NAME, "alpha", "from 0 to 1", self.alpha)
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let start = self.initial_learning_rate;
        let (from, step) = match self.warmup_target {
            Some(target) if step < self.warmup_steps => {
                return (target - start) * super::share(step, self.warmup_steps, false) + start;
            }
            Some(target) => (target, step - self.warmup_steps),
            None => (start, step),
        };
        let passed = super::share(step.min(self.decay_steps), self.decay_steps, false);
        from * ((1.0 - self.alpha) * super::half_wave(passed) + self.alpha)
    }
}

impl From<CosineDecay> for Schedule {
    fn from(schedule: CosineDecay) -> Self {
        Self::CosineDecay(schedule)
    }
}
