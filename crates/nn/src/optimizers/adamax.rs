//! Adamax: Adam whose divisor is the largest gradient, fading.
//!
//! `m ← m + (g − m)·(1−β₁)`, `u ← max(β₂·u, |g|)`, `w ← w − lr·m / ((1−β₁ᵗ)·(u + ε))`.
//!
//! Source: Kingma and Ba 2015, section 7.1; Keras `keras/src/optimizers/adamax.py`.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Adamax; defaults: β₁ 0.9, β₂ 0.999, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adamax {
    /// How slowly the mean forgets, from 0 to below 1.
    pub beta_1: f64,
    /// How slowly the largest gradient fades, from 0 to below 1.
    pub beta_2: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Adamax {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("beta_1", self.beta_1.into()), ("beta_2", self.beta_2.into()), ("epsilon", self.epsilon.into())]
    }
}

impl UpdateRule for Adamax {
    fn slots(self) -> usize {
        2
    }

    fn scalars<L: Lane>(self, lr: L, t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        let rest = L::lit(1.0) - L::power(self.beta_1, t);
        [lr, rest, rest, rest, rest, rest]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, rest, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [m, u, _] = slots;
        *m = *m + (g - *m) * L::lit(1.0 - self.beta_1);
        *u = (L::lit(self.beta_2) * *u).max(g.abs());
        w - lr * *m / (rest * (*u + L::lit(self.epsilon)))
    }
}

impl From<Adamax> for Rule {
    fn from(rule: Adamax) -> Self {
        Self::Adamax(rule)
    }
}
