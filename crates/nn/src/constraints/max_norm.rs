//! Max-norm: `w ← w · min(‖w‖, max) / (ε + ‖w‖)`.
//!
//! Source: Srebro and Shraibman 2005, Srivastava et al. 2014; Keras `keras/src/constraints/constraints.py`. The ε acts
//! on norms below the maximum too: each step takes a 1e-7/‖w‖th of them.

use super::{Axes, Constraint, EPSILON};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Norms are at most so large; by default 2, of axis 0.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxNorm {
    /// The largest norm; ≥ 0.
    pub max_value: f64,
    /// Of what.
    pub axis: Axes,
}

impl Default for MaxNorm {
    fn default() -> Self {
        Self::new(2.0)
    }
}

impl MaxNorm {
    /// Along axis 0: of a Dense kernel, the weights of every unit.
    pub fn new(max_value: f64) -> Self {
        Self { max_value, axis: Axes::One(0) }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("max_value", self.max_value.into()), ("axis", (&self.axis).into())]
    }

    #[inline(always)]
    pub(super) fn factor<L: Lane>(&self, norm: L) -> L {
        let desired = L::lit(self.max_value).min(norm);
        desired / (L::lit(EPSILON) + norm)
    }
}

impl From<MaxNorm> for Constraint {
    fn from(constraint: MaxNorm) -> Self {
        Self::MaxNorm(constraint)
    }
}
