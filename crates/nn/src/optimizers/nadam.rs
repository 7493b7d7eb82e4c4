//! Nadam: Adam with Nesterov momentum.
//!
//! With `uₜ = β₁·(1 − ½·0.96ᵗ)` and `Pₜ = u₁·u₂⋯uₜ`:
//! `m ← m + (g − m)·(1−β₁)`, `v ← v + (g² − v)·(1−β₂)`,
//! `m̂ = uₜ₊₁·m / (1 − Pₜ₊₁) + (1 − uₜ)·g / (1 − Pₜ)`, `v̂ = v / (1 − β₂ᵗ)`,
//! `w ← w − m̂·lr / (√v̂ + ε)`.
//!
//! Source: Dozat 2016; Keras `keras/src/optimizers/nadam.py`, which takes `1 − β` after rounding β
//! to the variable's precision.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Nadam; defaults: β₁ 0.9, β₂ 0.999, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nadam {
    /// How slowly the mean forgets, from 0 to below 1.
    pub beta_1: f64,
    /// How slowly the mean square forgets, from 0 to below 1.
    pub beta_2: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
}

impl Default for Nadam {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Nadam {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("beta_1", self.beta_1.into()), ("beta_2", self.beta_2.into()), ("epsilon", self.epsilon.into())]
    }

    /// uₜ, the momentum of step `t`.
    fn momentum<L: Lane>(self, t: u64) -> L {
        L::lit(self.beta_1) * (L::lit(1.0) - L::lit(0.5) * L::power(0.96, t))
    }
}

impl UpdateRule for Nadam {
    fn slots(self) -> usize {
        2
    }

    /// Pₜ before the first step.
    fn memory_start(self) -> f64 {
        1.0
    }

    fn scalars<L: Lane>(self, lr: L, t: u64, memory: &mut Memory<L>) -> Scalars<L> {
        let one = L::lit(1.0);
        let (now, next) = (self.momentum::<L>(t), self.momentum::<L>(t + 1));
        memory[0] = memory[0] * L::lit(self.beta_1) * (one - L::lit(0.5) * L::power(0.96, t));
        let product = memory[0];
        [lr, next, one - product * next, one - now, one - product, one - L::power(self.beta_2, t)]
    }

    #[inline(always)]
    fn update<L: Lane>(self, scalars: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let &[lr, next, next_rest, now_rest, product_rest, square_rest] = scalars;
        let [m, v, _] = slots;
        *m = *m + (g - *m) * (L::lit(1.0) - L::lit(self.beta_1));
        *v = *v + (g * g - *v) * (L::lit(1.0) - L::lit(self.beta_2));
        let mean = next * *m / next_rest + now_rest * g / product_rest;
        let square = *v / square_rest;
        w - mean * lr / (square.sqrt() + L::lit(self.epsilon))
    }
}

impl From<Nadam> for Rule {
    fn from(rule: Nadam) -> Self {
        Self::Nadam(rule)
    }
}
