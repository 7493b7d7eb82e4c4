//! Mean squared logarithmic error: the mean of `(ln(t + 1) − ln(p + 1))²` over the outputs, with `t` and
//! `p` at least 1e-7.
//!
//! Gradient: `2·(ln(p + 1) − ln(t + 1)) / (p + 1) / n`, 0 for p below 1e-7. Source: Keras
//! `keras/src/losses/losses.py`, `mean_squared_logarithmic_error`.

use super::{EPSILON, ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `(ln(t + 1) − ln(p + 1))²`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquaredLogarithmicError {}

impl LossRule for MeanSquaredLogarithmicError {
    const NAME: &'static str = "mean_squared_logarithmic_error";

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

impl ElementLoss for MeanSquaredLogarithmicError {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let difference = one_more(p).ln() - one_more(t).ln();
        difference * difference
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let difference = one_more(p).ln() - one_more(t).ln();
        let slope = (difference + difference) / one_more(p);
        R::select(R::lit(EPSILON).gt(p), R::lit(0.0), slope)
    }
}

/// What the logarithm is taken of.
#[inline(always)]
fn one_more<R: Lane>(x: R) -> R {
    R::lit(EPSILON).max(x) + R::lit(1.0)
}
