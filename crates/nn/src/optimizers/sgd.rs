//! Stochastic gradient descent.
//!
//! Without momentum `w ← w − lr·g`. With momentum `m ← μ·m − lr·g`, then `w ← w + m`, or with
//! Nesterov's look-ahead `w ← w + μ·m − lr·g`.
//!
//! Source: Keras `keras/src/optimizers/sgd.py`; Sutskever et al. 2013 for Nesterov's form.

use super::{MAX_SLOTS, Memory, Rule, Scalars, UpdateRule};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Stochastic gradient descent; defaults: no momentum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// How much of the last move is kept, from 0 to below 1.
    pub momentum: f64,
    /// Look ahead along the momentum.
    pub nesterov: bool,
}

impl Sgd {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("momentum", self.momentum.into()), ("nesterov", self.nesterov.into())]
    }
}

impl UpdateRule for Sgd {
    fn slots(self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn scalars<L: Lane>(self, lr: L, _t: u64, _memory: &mut Memory<L>) -> Scalars<L> {
        [lr; 6]
    }

    #[inline(always)]
    fn update<L: Lane>(self, &[lr, ..]: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L {
        if self.momentum == 0.0 {
            return w - g * lr;
        }
        let momentum = L::lit(self.momentum);
        slots[0] = slots[0] * momentum - g * lr;
        if self.nesterov { w + (slots[0] * momentum - g * lr) } else { w + slots[0] }
    }
}

impl From<Sgd> for Rule {
    fn from(rule: Sgd) -> Self {
        Self::Sgd(rule)
    }
}
