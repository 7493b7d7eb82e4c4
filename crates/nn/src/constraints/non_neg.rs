//! Non-negative: `w ← max(w, 0)`.
//!
//! Source: Keras `keras/src/constraints/constraints.py`.

use super::Constraint;
use crate::lane::Lane;
use serde::Deserialize;

/// No number is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonNeg {}

impl NonNeg {
    /// The number, or 0.
    #[inline(always)]
    pub(crate) fn apply<L: Lane>(w: L) -> L {
        L::lit(0.0).max(w)
    }
}

impl From<NonNeg> for Constraint {
    fn from(constraint: NonNeg) -> Self {
        Self::NonNeg(constraint)
    }
}
