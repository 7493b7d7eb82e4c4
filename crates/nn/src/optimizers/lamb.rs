//! LAMB: Adam's step, stretched for every variable to the length of the variable itself.
//!
//! `m ← m + (g − m)·(1−β₁)`, `v ← v + (g² − v)·(1−β₂)`, `u = (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + ε)`,
//! `w ← w − lr·(‖w‖ / ‖u‖)·u`; the ratio is 1 where a norm is 0.
//!
//! Source: You et al. 2020; Keras `keras/src/optimizers/lamb.py`. The norm is that of the whole variable, and
//! weight decay acts before it, not within the ratio as in the paper.

use super::Rule;
use super::variable::{Variable, VariableRule};
use crate::config::Value;
use crate::lane::Lane;
use crate::lane::linear::norm;
use serde::Deserialize;

/// LAMB; defaults: β₁ 0.9, β₂ 0.999, ε 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamb {
    /// How slowly the mean forgets, from 0 to below 1.
    pub beta_1: f64,
    /// How slowly the mean square forgets, from 0 to below 1.
    pub beta_2: f64,
    /// Keeps the divisor from 0; ≥ 0.
    pub epsilon: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Lamb {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("beta_1", self.beta_1.into()), ("beta_2", self.beta_2.into()), ("epsilon", self.epsilon.into())]
    }
}

impl VariableRule for Lamb {
    #[inline(always)]
    fn update<R: Lane>(&self, lr: R, t: u64, variable: Variable<'_, R>) {
        let Variable { cols, w, g, slots: [m, v], .. } = variable;
        let one = R::lit(1.0);
        let (mean_rest, square_rest) = (one - R::power(self.beta_1, t), one - R::power(self.beta_2, t));
        for ((g, m), v) in g.iter_mut().zip(m).zip(v) {
            let mean = *m + (*g - *m) * R::lit(1.0 - self.beta_1);
            let square = *v + (*g * *g - *v) * R::lit(1.0 - self.beta_2);
            *g = (mean / mean_rest) / ((square / square_rest).sqrt() + R::lit(self.epsilon));
            (*m, *v) = (mean.flush_subnormal(), square.flush_subnormal());
        }
        let (size, length) = (norm(w, cols), norm(g, cols));
        let zero = R::lit(0.0);
        let ratio = R::select(size.gt(zero), R::select(length.gt(zero), size / length, one), one);
        for (w, u) in w.iter_mut().zip(g) {
            *w = *w - ratio * lr * *u;
        }
    }
}

impl From<Lamb> for Rule {
    fn from(rule: Lamb) -> Self {
        Self::Lamb(rule)
    }
}
