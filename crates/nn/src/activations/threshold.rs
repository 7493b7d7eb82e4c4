//! Threshold: y = x for x > threshold, default_value otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `threshold`. It has no defaults there; here they are those of ReLU.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x for x > threshold, default_value otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Above which x stays; finite.
    pub threshold: f64,
    /// What stands for the others; finite.
    pub default_value: f64,
}

impl Elementwise for Threshold {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::lit(self.threshold)), x, L::lit(self.default_value))
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        L::select(x.gt(L::lit(self.threshold)), dy, L::lit(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for (threshold, default_value) in [(0.0, 0.0), (0.1, -0.3)] {
            let f = |x| if x > threshold { x } else { default_value };
            testing::follows(Threshold { threshold, default_value }, f);
        }
    }
}
