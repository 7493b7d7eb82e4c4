//! Penalties on weights: `l1·Σ|w| + l2·Σw²`, added to the loss of every batch.
//!
//! Source: Keras `keras/src/regularizers/regularizers.py` (L1, L2, L1L2). There is no ½ before
//! `l2`, and no scaling by the batch.

use crate::lane::Lane;
use serde::{Deserialize, Serialize};

/// The penalty on one variable.
///
/// ```
/// use seedbed_nn::regularizers::Regularizer;
/// let both = Regularizer::l1_l2(1e-5, 1e-4);
/// assert!(both.validate().is_ok() && Regularizer::l2(-1.0).validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularizer {
    /// Weight of Σ|w|; at least 0.
    pub l1: f64,
    /// Weight of Σw²; at least 0.
    pub l2: f64,
}

impl Regularizer {
    /// Only Σ|w|.
    pub fn l1(l1: f64) -> Self {
        Self { l1, l2: 0.0 }
    }

    /// Only Σw².
    pub fn l2(l2: f64) -> Self {
        Self { l1: 0.0, l2 }
    }

    /// Both.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        Self { l1, l2 }
    }

    /// Whether it does nothing.
    pub fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// Says what is wrong with the factors, if anything is.
    pub fn validate(&self) -> Result<(), String> {
        for (name, factor) in [("l1", self.l1), ("l2", self.l2)] {
            if !(factor.is_finite() && factor >= 0.0) {
                return Err(format!("{name}: expected a finite number ≥ 0, received {factor}"));
            }
        }
        Ok(())
    }

    /// The gradient with the penalty's own: `g + l1·sign(w) + 2·l2·w`.
    #[inline(always)]
    pub(crate) fn add_gradient<L: Lane>(self, w: L, g: L) -> L {
        let mut sum = g;
        if self.l1 != 0.0 {
            sum = sum + L::lit(self.l1) * w.signum();
        }
        if self.l2 != 0.0 {
            sum = sum + L::lit(self.l2) * (w + w);
        }
        sum
    }

    /// The penalty from Σ|w| and Σw².
    pub(crate) fn penalty<L: Lane>(self, sum_abs: L, sum_squares: L) -> L {
        L::lit(self.l1) * sum_abs + L::lit(self.l2) * sum_squares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_penalty() {
        let regularizer = Regularizer::l1_l2(0.3, 0.7);
        let penalty = |w: f64| regularizer.penalty(w.abs(), w * w);
        for w in [-2.0, -0.1, 0.4, 3.0] {
            let slope = (penalty(w + 1e-6) - penalty(w - 1e-6)) / 2e-6;
            assert!((regularizer.add_gradient(w, 0.0) - slope).abs() < 1e-8, "w = {w}");
        }
    }

    #[test]
    fn at_zero_l1_has_no_slope() {
        assert_eq!(Regularizer::l1(0.5).add_gradient(0.0_f64, 0.25), 0.25);
    }
}
