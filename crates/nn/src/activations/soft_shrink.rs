//! Soft shrink: y = x − threshold for x > threshold, x + threshold for x < −threshold, 0 between.
//!
//! Keras: `keras/src/activations/activations.py`, `soft_shrink`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// x brought nearer to 0 by a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftShrink {
    /// By how much; finite and not negative.
    pub threshold: f64,
}

impl SoftShrink {
    /// Keras's default.
    pub const THRESHOLD: f64 = 0.5;
}

impl Elementwise for SoftShrink {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let t = L::lit(self.threshold);
        let negative = L::select((-t).gt(x), x + t, L::lit(0.0));
        L::select(x.gt(t), x - t, negative)
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
            testing::follows(SoftShrink { threshold }, |x| x.signum() * (x.abs() - threshold).max(0.0));
        }
    }
}
