//! Categorical hinge: `max(max((1 − t)·p) − Σ t·p + 1, 0)`.
//!
//! Gradient, where it is not 0: `1 − tᵢ` for the largest of `(1 − t)·p` (shared where several are),
//! less `tᵢ` for all. Source: Keras `keras/src/losses/losses.py`, `categorical_hinge`.

use super::{LossRule, Target, Whole};
use crate::lane::Lane;
use serde::Deserialize;

/// By how much the largest wrong output comes within 1 of the right one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalHinge {}

impl LossRule for CategoricalHinge {
    const NAME: &'static str = "categorical_hinge";

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let wrong = |i: usize, p: R| (one - target.at(i)) * p;
        let (mut right, mut largest) = (zero, R::lit(f64::NEG_INFINITY));
        for (i, &p) in prediction.iter().enumerate() {
            right = target.at(i).mul_add(p, right);
            largest = largest.max(wrong(i, p));
        }
        let margin = largest - right + one;
        if let Some(gradient) = gradient {
            let is_largest = |i: usize, p: R| R::select(wrong(i, p).equals(largest), one, zero);
            let count = prediction.iter().enumerate().fold(zero, |sum, (i, &p)| sum + is_largest(i, p));
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                let slope = (one - target.at(i)) * is_largest(i, p) / count - target.at(i);
                *slot = R::select(zero.gt(margin), zero, slope);
            }
        }
        zero.max(margin)
    }
}
