//! Exponential linear unit: y = x for x > 0, alpha · (eˣ − 1) otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `elu`. Clevert, Unterthiner and Hochreiter, *Fast
//! and accurate deep network learning by exponential linear units* (2016).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x for x > 0, alpha · (eˣ − 1) otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// Minus the limit towards −∞; finite and not negative.
    pub alpha: f64,
}

impl Elu {
    /// Keras's default.
    pub const ALPHA: f64 = 1.0;
}

impl Elementwise for Elu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::lit(0.0)), x, L::lit(self.alpha) * x.exp_m1())
    }

    /// Below 0 the slope alpha · eˣ is y + alpha.
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        L::select(y.gt(L::lit(0.0)), dy, dy * (y + L::lit(self.alpha)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for alpha in [0.0, 0.7, 1.0, 2.0] {
            testing::follows(Elu { alpha }, |x| if x < 0.0 { alpha * (x.exp() - 1.0) } else { x });
        }
    }
}
