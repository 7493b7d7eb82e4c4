//! Tversky: `1 − Σtp / (Σtp + alpha·Σt(1 − p) + beta·Σp(1 − t) + 1e-7)`, over the whole batch or, with
//! `axis = -1`, over each sample.
//!
//! `alpha` weighs what the prediction misses and `beta` what it adds. Source: Keras
//! `keras/src/losses/losses.py`, `tversky`; Salehi, Erdogmus and Gholipour 2017.

use super::overlap::{Overlap, check_axis};
use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value, require};
use crate::lane::Lane;
use serde::Deserialize;

/// Dice with a weight for each kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tversky {
    /// The weight of `Σt(1 − p)`: finite, ≥ 0; 0.5.
    pub alpha: f64,
    /// The weight of `Σp(1 − t)`: finite, ≥ 0; 0.5.
    pub beta: f64,
    /// −1 for each sample, `None` (the default) for the whole batch.
    pub axis: Option<i64>,
}

impl Default for Tversky {
    fn default() -> Self {
        Self { alpha: 0.5, beta: 0.5, axis: None }
    }
}

impl LossRule for Tversky {
    const NAME: &'static str = "tversky";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("alpha", self.alpha.into()), ("beta", self.beta.into()), ("axis", self.axis.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        for (parameter, value) in [("alpha", self.alpha), ("beta", self.beta)] {
            let ok = value.is_finite() && value >= 0.0;
            require(ok, Self::NAME, parameter, "a finite number ≥ 0", value)?;
        }
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
        let (a, b) = (self.alpha, self.beta);
        let overlap = Overlap { n: 1.0, a, b, c: 1.0 - a - b };
        overlap.row(self.axis, whole, target, prediction, gradient)
    }
}
