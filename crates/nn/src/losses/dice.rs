//! Dice: `1 − 2·Σtp / (Σt + Σp + 1e-7)`, over the whole batch or, with `axis = -1`, over each sample.
//!
//! Source: Keras `keras/src/losses/losses.py`, `dice`.

use super::overlap::{Overlap, check_axis};
use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value};
use crate::lane::Lane;
use serde::Deserialize;

/// How little target and prediction overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dice {
    /// −1 for each sample, `None` (the default) for the whole batch.
    pub axis: Option<i64>,
}

impl LossRule for Dice {
    const NAME: &'static str = "dice";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("axis", self.axis.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        check_axis(Self::NAME, self.axis)
    }

    #[inline(always)]
    fn row<R: Lane>(
        self,
        whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let overlap = Overlap { n: 2.0, a: 1.0, b: 1.0, c: 0.0 };
        overlap.row(self.axis, whole, target, prediction, gradient)
    }
}
