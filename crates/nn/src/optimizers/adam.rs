//! Adam: adaptive moments.
//!
//! `m ← m + (g − m)·(1−β₁)`, `v ← v + (g² − v)·(1−β₂)`,
//! `w ← w − m·α / (√v + ε)` with `α = lr·√(1−β₂ᵗ) / (1−β₁ᵗ)`.
//! With `amsgrad`, the largest `v` so far takes the place of `v`.
//!
//! Source: Kingma and Ba 2015; Reddi et al. 2018; Keras `keras/src/optimizers/adam.py`. Keras's ε
//! is the paper's "ε̂": 1e-7, outside the root, not corrected for bias.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Adam; defaults: β₁ 0.9, β₂ 0.999, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// How slowly the mean forgets, from 0 to below 1.
    pub beta_1: f64,
    /// How slowly the mean square forgets, from 0 to below 1.
    pub beta_2: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
    /// Divide by the largest mean square so far.
    pub amsgrad: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false }
    }
}

impl Adam {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("beta_1", self.beta_1.into()),
            ("beta_2", self.beta_2.into()),
            ("epsilon", self.epsilon.into()),
            ("amsgrad", self.amsgrad.into()),
        ]
    }
}

impl Adam {
    /// The step size of step `t`, with both moments' start at 0 undone.
    pub(super) fn alpha<L: Lane>(self, lr: L, t: u64) -> L {
        let one = L::lit(1.0);
        lr * (one - L::power(self.beta_2, t)).sqrt() / (one - L::power(self.beta_1, t))
    }

    /// Both moments after the gradient `g`.
    #[inline(always)]
    pub(super) fn moments<L: Lane>(self, g: L, m: L, v: L) -> (L, L) {
        let m = m + (g - m) * L::lit(1.0 - self.beta_1);
        (m, v + (g * g - v) * L::lit(1.0 - self.beta_2))
    }

    #[inline(always)]
    pub(super) fn move_by<L: Lane>(self, alpha: L, w: L, m: L, square: L) -> L {
        w - m * alpha / (square.sqrt() + L::lit(self.epsilon))
    }
}

impl UpdateRule for Adam {
    fn slots(self) -> usize {
        2
    }

    fn scalars<L: Lane>(self, lr: L, t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [self.alpha(lr, t); 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[alpha, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [m, v, _] = slots;
        (*m, *v) = self.moments(g, *m, *v);
        self.move_by(alpha, w, *m, *v)
    }
}

/// Adam with `amsgrad`: a rule of its own, so that Adam's loop has no third slot.
#[derive(Clone, Copy)]
pub(super) struct AmsGrad(pub(super) Adam);

impl UpdateRule for AmsGrad {
    fn slots(self) -> usize {
        3
    }

    fn scalars<L: Lane>(self, lr: L, t: u64, memory: &mut Memory<L>) -> Scalars<L> {
        self.0.scalars(lr, t, memory)
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[alpha, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [m, v, largest] = slots;
        (*m, *v) = self.0.moments(g, *m, *v);
        *largest = largest.max(*v);
        self.0.move_by(alpha, w, *m, *largest)
    }
}

impl From<Adam> for Rule {
    fn from(rule: Adam) -> Self {
        Self::Adam(rule)
    }
}
