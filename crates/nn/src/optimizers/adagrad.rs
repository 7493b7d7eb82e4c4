//! Adagrad: the step is divided by the root of the sum of all squares so far.
//!
//! `a ← a + g²`, `w ← w − lr·g / √(a + ε)`.
//!
//! Source: Duchi et al. 2011; Keras `keras/src/optimizers/adagrad.py`. Keras starts `a` at 0.1 and
//! has ε inside the root; other libraries start at 0.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Adagrad; defaults: sum starts at 0.1, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adagrad {
    /// The sum of squares before the first step; ≥ 0.
    pub initial_accumulator_value: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self { initial_accumulator_value: 0.1, epsilon: 1e-7 }
    }
}

impl Adagrad {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("initial_accumulator_value", self.initial_accumulator_value.into()),
            ("epsilon", self.epsilon.into()),
        ]
    }
}

impl UpdateRule for Adagrad {
    fn slots(self) -> usize {
        1
    }

    fn slot_start(self, _slot: usize) -> f64 {
        self.initial_accumulator_value
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [lr; 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        slots[0] = slots[0] + g * g;
        w - lr * g / (slots[0] + L::lit(self.epsilon)).sqrt()
    }
}

impl From<Adagrad> for Rule {
    fn from(rule: Adagrad) -> Self {
        Self::Adagrad(rule)
    }
}
