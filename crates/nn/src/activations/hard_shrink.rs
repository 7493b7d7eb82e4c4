//! Hard shrink: y = x for |x| > threshold, 0 otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `hard_shrink`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x for |x| > threshold, 0 otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardShrink {
    /// Up to where it is 0; finite and not negative.
    pub threshold: f64,
}

impl HardShrink {
    /// Keras's default.
    pub const THRESHOLD: f64 = 0.5;
}

impl Elementwise for HardShrink {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::select(x.abs().gt(L::lit(self.threshold)), x, L::lit(0.0))
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        L::select(y.equals(L::lit(0.0)), L::lit(0.0), dy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for threshold in [0.2, 0.5] {
            testing::follows(HardShrink { threshold }, |x| if x.abs() > threshold { x } else { 0.0 });
        }
    }
}
