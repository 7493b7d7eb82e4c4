//! FTRL: follow the regularized leader; keeps weights at exactly 0 until their gradients insist.
//!
//! With `p = −learning_rate_power` and `q = 2·(l2 + beta / (2·lr))`:
//! `a′ = a + g²`, `z ← z + (g + 2·shrinkage·w) − (a′ᵖ − aᵖ)/lr · w`,
//! `w ← (clip(z, −l1, l1) − z) / (a′ᵖ/lr + q)`, `a ← a′`.
//!
//! Source: McMahan et al. 2013; Keras `keras/src/optimizers/ftrl.py`. The weight is made anew from `z`
//! at every step, so the first step forgets where it started, and weight decay has no effect but through `z`.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// FTRL; defaults: power −0.5, sum of squares starts at 0.1, no penalty, β 0.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ftrl {
    /// How fast the step falls with the sum of squares; ≤ 0, and at 0 it never does.
    pub learning_rate_power: f64,
    /// The sum of squares before the first step; ≥ 0.
    pub initial_accumulator_value: f64,
    /// Penalty on |w|; ≥ 0.
    pub l1_regularization_strength: f64,
    /// Penalty on w²; ≥ 0.
    pub l2_regularization_strength: f64,
    /// Penalty on w² that acts through the gradient; ≥ 0.
    pub l2_shrinkage_regularization_strength: f64,
    /// The paper's β; ≥ 0.
    pub beta: f64,
}

impl Default for Ftrl {
    fn default() -> Self {
        Self {
            learning_rate_power: -0.5,
            initial_accumulator_value: 0.1,
            l1_regularization_strength: 0.0,
            l2_regularization_strength: 0.0,
            l2_shrinkage_regularization_strength: 0.0,
            beta: 0.0,
        }
    }
}

impl Ftrl {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("learning_rate_power", self.learning_rate_power.into()),
            ("initial_accumulator_value", self.initial_accumulator_value.into()),
            ("l1_regularization_strength", self.l1_regularization_strength.into()),
            ("l2_regularization_strength", self.l2_regularization_strength.into()),
            ("l2_shrinkage_regularization_strength", self.l2_shrinkage_regularization_strength.into()),
            ("beta", self.beta.into()),
        ]
    }

    /// `aᵖ` for a ≥ 0.
    #[inline(always)]
    fn raised<L: Lane>(self, a: L) -> L {
        match -self.learning_rate_power {
            0.0 => L::lit(1.0),
            0.5 => a.sqrt(),
            1.0 => a,
            p => (a.ln() * L::lit(p)).exp(),
        }
    }
}

impl UpdateRule for Ftrl {
    fn slots(self) -> usize {
        2
    }

    fn slot_start(self, slot: usize) -> f64 {
        if slot == 0 { self.initial_accumulator_value } else { 0.0 }
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        let l2 = L::lit(self.l2_regularization_strength) + L::lit(self.beta) / (L::lit(2.0) * lr);
        let q = L::lit(2.0) * l2;
        [lr, q, q, q, q, q]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, q, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [squares, z, _] = slots;
        let before = self.raised(*squares);
        *squares = *squares + g * g;
        let after = self.raised(*squares);
        let shrunk = g + L::lit(2.0 * self.l2_shrinkage_regularization_strength) * w;
        *z = *z + (shrunk - (after - before) / lr * w);
        let l1 = L::lit(self.l1_regularization_strength);
        let clipped = (-l1).max(l1.min(*z));
        (clipped - *z) / (after / lr + q)
    }
}

impl From<Ftrl> for Rule {
    fn from(rule: Ftrl) -> Self {
        Self::Ftrl(rule)
    }
}
