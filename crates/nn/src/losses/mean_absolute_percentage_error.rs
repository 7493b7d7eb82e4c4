//! Mean absolute percentage error: 100 times the mean of `|t − p| / max(|t|, 1e-7)` over the outputs.
//!
//! Gradient: `100·sign(p − t) / max(|t|, 1e-7) / n`. Source: Keras `keras/src/losses/losses.py`,
//! `mean_absolute_percentage_error`.

use super::{EPSILON, ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// 100 times the mean of `|t − p| / max(|t|, 1e-7)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsolutePercentageError {}

impl LossRule for MeanAbsolutePercentageError {
    const NAME: &'static str = "mean_absolute_percentage_error";

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

impl ElementLoss for MeanAbsolutePercentageError {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        R::lit(100.0) * ((t - p) / size(t)).abs()
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        R::lit(100.0) * (p - t).signum() / size(t)
    }
}

/// What the difference is a share of.
#[inline(always)]
fn size<R: Lane>(t: R) -> R {
    R::lit(EPSILON).max(t.abs())
}
