//! Unit norm: `w ← w / (ε + ‖w‖)`.
//!
//! Source: Keras `keras/src/constraints/constraints.py`.

use super::{Axes, Constraint, EPSILON};
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Norms are 1; by default of axis 0.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitNorm {
    /// Of what.
    pub axis: Axes,
}

impl Default for UnitNorm {
    fn default() -> Self {
        Self { axis: Axes::One(0) }
    }
}

impl UnitNorm {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("axis", (&self.axis).into())]
    }

    #[inline(always)]
    pub(super) fn factor<L: Lane>(&self, norm: L) -> L {
        L::lit(1.0) / (L::lit(EPSILON) + norm)
    }
}

impl From<UnitNorm> for Constraint {
    fn from(constraint: UnitNorm) -> Self {
        Self::UnitNorm(constraint)
    }
}
