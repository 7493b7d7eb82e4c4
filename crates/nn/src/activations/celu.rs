//! Continuously differentiable exponential linear unit: y = x for x > 0, alpha · (e^(x/alpha) − 1) otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `celu`; at exactly 0 its slope on TensorFlow is 2, because both
//! branches count, and here 1. Barron, *Continuously differentiable exponential linear units* (2017).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x for x > 0, alpha · (e^(x/alpha) − 1) otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    /// Minus the limit towards −∞; finite, > 0.
    pub alpha: f64,
}

impl Celu {
    /// Keras's default.
    pub const ALPHA: f64 = 1.0;
}

impl Elementwise for Celu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let alpha = L::lit(self.alpha);
        L::select(x.gt(L::lit(0.0)), x, alpha * (x / alpha).exp_m1())
    }

    /// Below 0 the slope e^(x/alpha) is y/alpha + 1.
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        L::select(y.gt(L::lit(0.0)), dy, dy * (y / L::lit(self.alpha) + L::lit(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for alpha in [0.5, 1.0, 2.0] {
            let f = |x: f64| if x < 0.0 { alpha * ((x / alpha).exp() - 1.0) } else { x };
            testing::follows(Celu { alpha }, f);
        }
    }
}
