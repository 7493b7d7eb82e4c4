//! Log-cosh: the mean of `ln cosh(p − t)` over the outputs.
//!
//! With `x = p − t` computed as `x + softplus(−2x) − ln 2`. Gradient: `tanh(x) / n`. Source: Keras
//! `keras/src/losses/losses.py`, `log_cosh`.

use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::activations::{Elementwise, Softplus};
use crate::lane::Lane;
use serde::Deserialize;
use std::f64::consts::LN_2;

/// Mean of `ln cosh(p − t)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCosh {}

impl LossRule for LogCosh {
    const NAME: &'static str = "log_cosh";

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

impl ElementLoss for LogCosh {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let x = p - t;
        x + Softplus.value(R::lit(-2.0) * x) - R::lit(LN_2)
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        (p - t).tanh()
    }
}
