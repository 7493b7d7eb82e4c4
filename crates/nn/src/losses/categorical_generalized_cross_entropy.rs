//! Categorical generalized crossentropy: `(1 − pᑫ) / q` of the right class, between crossentropy (q → 0)
//! and mean absolute error (q = 1).
//!
//! Gradient: `−p^(q − 1)` for the right class; a probability of exactly 0 has an infinite one, and ends the
//! run as diverged. Source: Zhang and Sabuncu 2018; Keras `keras/src/losses/losses.py`,
//! `categorical_generalized_cross_entropy`.

use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value, require};
use crate::lane::Lane;
use serde::Deserialize;

/// `(1 − pᑫ) / q` of the right class.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalGeneralizedCrossEntropy {
    /// Between 0 and 1; 0.5. The larger, the less a wrong label weighs.
    pub q: f64,
}

impl Default for CategoricalGeneralizedCrossEntropy {
    fn default() -> Self {
        Self { q: 0.5 }
    }
}

impl LossRule for CategoricalGeneralizedCrossEntropy {
    const NAME: &'static str = "categorical_generalized_cross_entropy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("q", self.q.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        require(self.q > 0.0 && self.q < 1.0, Self::NAME, "q", "between 0 and 1", self.q)
    }

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let mut right = R::lit(0.0);
        for (i, &p) in prediction.iter().enumerate() {
            right = target.at(i).mul_add(p, right);
        }
        if let Some(gradient) = gradient {
            let slope = -right.pow(self.q - 1.0);
            for (i, slot) in gradient.iter_mut().enumerate() {
                *slot = target.at(i) * slope;
            }
        }
        (R::lit(1.0) - right.pow(self.q)) / R::lit(self.q)
    }
}
