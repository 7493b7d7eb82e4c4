//! Min-max-norm: `w ← w · (rate · clip(‖w‖, min, max) + (1 − rate)·‖w‖) / (ε + ‖w‖)`.
//!
//! Source: Keras `keras/src/constraints/constraints.py`.

use super::{Axes, Constraint, EPSILON};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Norms are between two values, or drawn towards them; by default 0 and 1, at once, of axis 0.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinMaxNorm {
    /// The smallest norm; ≥ 0.
    pub min_value: f64,
    /// The largest norm, at least `min_value`.
    pub max_value: f64,
    /// How much of the way is gone in one step, from 0 to 1.
    pub rate: f64,
    /// Of what.
    pub axis: Axes,
}

impl Default for MinMaxNorm {
    fn default() -> Self {
        Self { min_value: 0.0, max_value: 1.0, rate: 1.0, axis: Axes::One(0) }
    }
}

impl MinMaxNorm {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("min_value", self.min_value.into()),
            ("max_value", self.max_value.into()),
            ("rate", self.rate.into()),
            ("axis", (&self.axis).into()),
        ]
    }

    #[inline(always)]
    pub(super) fn factor<L: Lane>(&self, norm: L) -> L {
        let clipped = L::lit(self.min_value).max(L::lit(self.max_value).min(norm));
        let desired = L::lit(self.rate) * clipped + L::lit(1.0 - self.rate) * norm;
        desired / (L::lit(EPSILON) + norm)
    }
}

impl From<MinMaxNorm> for Constraint {
    fn from(constraint: MinMaxNorm) -> Self {
        Self::MinMaxNorm(constraint)
    }
}
