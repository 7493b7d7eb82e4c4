//! Lion: every weight moves by the learning rate, in the direction of a mean of gradients.
//!
//! `w ← w − lr·sign(β₁·m + (1−β₁)·g)`, then `m ← β₂·m + (1−β₂)·g`.
//!
//! Source: Chen et al. 2023; Keras `keras/src/optimizers/lion.py`, which takes `1 − β` after rounding β to
//! the variable's precision.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Lion; defaults: β₁ 0.9, β₂ 0.99.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lion {
    /// The share of the mean in the direction, above 0 to 1: at 0 it would be the gradient's sign alone.
    pub beta_1: f64,
    /// How slowly the mean forgets, from 0 to below 1.
    pub beta_2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.99 }
    }
}

impl Lion {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("beta_1", self.beta_1.into()), ("beta_2", self.beta_2.into())]
    }
}

impl UpdateRule for Lion {
    fn slots(self) -> usize {
        1
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [lr; 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let (one, beta_1, beta_2) = (L::lit(1.0), L::lit(self.beta_1), L::lit(self.beta_2));
        let mean = &mut slots[0];
        let direction = (*mean * beta_1 + g * (one - beta_1)).signum();
        *mean = *mean * beta_2 + g * (one - beta_2);
        w - lr * direction
    }
}

impl From<Lion> for Rule {
    fn from(rule: Lion) -> Self {
        Self::Lion(rule)
    }
}
