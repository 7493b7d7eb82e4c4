//! Mean squared error: the mean of `(t − p)²` over the outputs.
//!
//! Gradient: `2·(p − t) / n`. Source: Keras `keras/src/losses/losses.py`, `mean_squared_error`.

use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `(t − p)²`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquaredError {}

impl LossRule for MeanSquaredError {
    const NAME: &'static str = "mean_squared_error";

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

impl ElementLoss for MeanSquaredError {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let difference = p - t;
        difference * difference
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let difference = p - t;
        difference + difference
    }
}
