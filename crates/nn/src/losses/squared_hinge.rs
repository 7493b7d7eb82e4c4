//! SquaredHinge: the mean of `max(1 − t·p, 0)²` over the outputs.
//!
//! Targets are −1 or 1; where all targets of a batch are 0 or 1 they are taken as −1 or 1. Gradient:
//! `−2t·max(1 − t·p, 0) / n`. Source: Keras `keras/src/losses/losses.py`, `squared_hinge`.

use super::hinge::{Signed, margin};
use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `max(1 − t·p, 0)²`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SquaredHinge {}

impl LossRule for SquaredHinge {
    const NAME: &'static str = "squared_hinge";

    #[inline(always)]
    fn row<R: Lane>(
        self,
        whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        if whole.binary {
            mean(Signed(self), target, prediction, gradient)
        } else {
            mean(self, target, prediction, gradient)
        }
    }
}

impl ElementLoss for SquaredHinge {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let short = R::lit(0.0).max(margin(t, p));
        short * short
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let short = R::lit(0.0).max(margin(t, p));
        -(short + short) * t
    }
}
