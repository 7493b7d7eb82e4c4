//! L1 and L2: the penalty `l1·Σ|w| + l2·Σw²`, with the gradient `l1·sign(w) + 2·l2·w`.
//!
//! Source: Keras `keras/src/regularizers/regularizers.py` (L1, L2, L1L2). There is no ½ before `l2`, and no scaling by
//! the batch. At 0, where |w| has no slope, the gradient is 0.

use super::Regularizer;
use crate::config::Value;
use crate::lane::Lane;
use serde::Deserialize;

/// Large weights cost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct L1L2 {
    /// Weight of Σ|w|; at least 0.
    pub l1: f64,
    /// Weight of Σw²; at least 0.
    pub l2: f64,
}

impl L1L2 {
    /// Whether it does nothing.
    pub(super) fn is_none(self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    pub(super) fn name(self) -> &'static str {
        match (self.l1 == 0.0, self.l2 == 0.0) {
            (false, true) => "l1",
            (true, false) => "l2",
            _ => "l1_l2",
        }
    }

    /// Those that the name speaks of.
    pub(super) fn parameters(self) -> Vec<(&'static str, Value)> {
        let both = [("l1", self.l1.into()), ("l2", self.l2.into())];
        let name = self.name();
        both.into_iter().filter(|(parameter, _)| name.contains(parameter)).collect()
    }

    /// The gradient with the penalty's own.
    #[inline(always)]
    pub(super) fn add_gradient<L: Lane>(self, w: L, g: L) -> L {
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
    pub(super) fn penalty<L: Lane>(self, sum_abs: L, sum_squares: L) -> L {
        L::lit(self.l1) * sum_abs + L::lit(self.l2) * sum_squares
    }
}

impl From<L1L2> for Regularizer {
    fn from(regularizer: L1L2) -> Self {
        Self::L1L2(regularizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_penalty() {
        let regularizer = L1L2 { l1: 0.3, l2: 0.7 };
        let penalty = |w: f64| regularizer.penalty(w.abs(), w * w);
        for w in [-2.0, -0.1, 0.4, 3.0] {
            let slope = (penalty(w + 1e-6) - penalty(w - 1e-6)) / 2e-6;
            assert!((regularizer.add_gradient(w, 0.0) - slope).abs() < 1e-8, "w = {w}");
        }
    }

    #[test]
    fn at_zero_l1_has_no_slope() {
        assert_eq!(L1L2 { l1: 0.5, l2: 0.0 }.add_gradient(0.0_f64, 0.25), 0.25);
    }
}
