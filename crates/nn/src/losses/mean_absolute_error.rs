//! Mean absolute error: the mean of `|t − p|` over the outputs.
//!
//! Gradient: `sign(p − t) / n`, 0 where they are equal. Source: Keras `keras/src/losses/losses.py`,
//! `mean_absolute_error`.

use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `|t − p|`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {}

impl LossRule for MeanAbsoluteError {
    const NAME: &'static str = "mean_absolute_error";

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

impl ElementLoss for MeanAbsoluteError {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        (p - t).abs()
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        (p - t).signum()
    }
}
