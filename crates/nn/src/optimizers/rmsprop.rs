//! RMSprop: the step is divided by a running root mean square of the gradients.
//!
//! `v ← ρ·v + (1−ρ)·g²`, `w ← w − lr·g / √(v + ε)`. Centered: `a ← ρ·a + (1−ρ)·g` and `v − a²` under
//! the root. With momentum: `m ← μ·m + lr·g/√…`, `w ← w − m`.
//!
//! Source: Keras `keras/src/optimizers/rmsprop.py`; Hinton 2012, lecture 6e. Keras has ε inside
//! the root.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// RMSprop; defaults: ρ 0.9, no momentum, ε 1e-7, not centered.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// How slowly the mean square forgets, from 0 to below 1.
    pub rho: f64,
    /// How much of the last move is kept, from 0 to below 1.
    pub momentum: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
    /// Divide by the variance instead of the mean square.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false }
    }
}

impl RmsProp {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("rho", self.rho.into()),
            ("momentum", self.momentum.into()),
            ("epsilon", self.epsilon.into()),
            ("centered", self.centered.into()),
        ]
    }
}

impl UpdateRule for RmsProp {
    /// The mean square, the last move (slot 1) and the mean (slot 2).
    fn slots(self) -> usize {
        match (self.centered, self.momentum != 0.0) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => 1,
        }
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [lr; 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        let [square, moved, mean] = slots;
        let (rho, rest) = (L::lit(self.rho), L::lit(1.0 - self.rho));
        *square = rho * *square + rest * (g * g);
        let mut spread = *square;
        if self.centered {
            *mean = rho * *mean + rest * g;
            spread = spread - *mean * *mean;
        }
        let step = lr * g / (spread + L::lit(self.epsilon)).sqrt();
        if self.momentum == 0.0 {
            return w - step;
        }
        *moved = L::lit(self.momentum) * *moved + step;
        w - *moved
    }
}

impl From<RmsProp> for Rule {
    fn from(rule: RmsProp) -> Self {
        Self::RmsProp(rule)
    }
}
