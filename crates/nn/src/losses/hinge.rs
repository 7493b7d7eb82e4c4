//! Hinge: the mean of `max(1 − t·p, 0)` over the outputs.
//!
//! Targets are −1 or 1; where all targets of a batch are 0 or 1 they are taken as −1 or 1. Gradient:
//! `−t / n` where `t·p ≤ 1`. Source: Keras `keras/src/losses/losses.py`, `hinge`.

use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `max(1 − t·p, 0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hinge {}

impl LossRule for Hinge {
    const NAME: &'static str = "hinge";

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

impl ElementLoss for Hinge {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        R::lit(0.0).max(margin(t, p))
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let flat = R::lit(0.0).gt(margin(t, p));
        R::select(flat, R::lit(0.0), -t)
    }
}

/// `1 − t·p`
#[inline(always)]
pub(super) fn margin<R: Lane>(t: R, p: R) -> R {
    R::lit(1.0) - t * p
}

/// A loss whose targets 0 and 1 mean −1 and 1.
#[derive(Clone, Copy)]
pub(super) struct Signed<E>(pub(super) E);

impl<E: ElementLoss> ElementLoss for Signed<E> {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        self.0.value(t + t - R::lit(1.0), p)
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        self.0.slope(t + t - R::lit(1.0), p)
    }
}
