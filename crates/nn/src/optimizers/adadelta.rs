//! Adadelta: the step is as large as recent steps were, by the ratio of two running root mean squares.
//!
//! `a ← ρ·a + (1−ρ)·g²`, `d = −√(b + ε)·g / √(a + ε)`, `b ← ρ·b + (1−ρ)·d²`, `w ← w + lr·d`.
//!
//! Source: Zeiler 2012; Keras `keras/src/optimizers/adadelta.py`. The paper has no learning rate, that is 1;
//! Keras's default of 0.001 makes it a thousand times slower.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Adadelta; defaults: ρ 0.95, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adadelta {
    /// How slowly the mean squares forget, from 0 to below 1.
    pub rho: f64,
    /// Sets the size of the first steps; ≥ 0.
    pub epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { rho: 0.95, epsilon: 1e-7 }
    }
}

impl Adadelta {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("rho", self.rho.into()), ("epsilon", self.epsilon.into())]
    }
}

impl UpdateRule for Adadelta {
    /// The mean squares of the gradients and of the steps.
    fn slots(self) -> usize {
        2
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [lr; 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [gradients, steps, _] = slots;
        let (rho, rest, epsilon) = (L::lit(self.rho), L::lit(1.0 - self.rho), L::lit(self.epsilon));
        *gradients = rho * *gradients + rest * (g * g);
        let step = -((*steps + epsilon).sqrt() * g / (*gradients + epsilon).sqrt());
        *steps = rho * *steps + rest * (step * step);
        w + lr * step
    }
}

impl From<Adadelta> for Rule {
    fn from(rule: Adadelta) -> Self {
        Self::Adadelta(rule)
    }
}
