//! Poisson: the mean of `p − t·ln(p + 1e-7)` over the outputs.
//!
//! Gradient: `(1 − t / (p + 1e-7)) / n`. Source: Keras `keras/src/losses/losses.py`, `poisson`.

use super::{EPSILON, ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `p − t·ln(p + 1e-7)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisson {}

impl LossRule for Poisson {
    const NAME: &'static str = "poisson";

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        mean(self, target, prediction, gradient)
    }
}

impl ElementLoss for Poisson {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        p - t * (p + R::lit(EPSILON)).ln()
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        R::lit(1.0) - t / (p + R::lit(EPSILON))
    }
}
