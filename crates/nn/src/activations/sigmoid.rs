//! Logistic sigmoid: y = 1 / (1 + e⁻ˣ).
//!
//! Keras: `keras/src/activations/activations.py`, `sigmoid`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = 1 / (1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

impl Elementwise for Sigmoid {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let one = L::lit(1.0);
        one / (one + (-x).exp())
    }

    /// dy · y (1 − y).
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        dy * (y * (L::lit(1.0) - y))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Sigmoid, |x| 0.5 * (1.0 + (0.5 * x).tanh()));
    }

    #[test]
    fn saturates_without_nan() {
        assert_eq!(Sigmoid.value(f32::INFINITY), 1.0);
        assert_eq!(Sigmoid.value(f32::NEG_INFINITY), 0.0);
        assert_eq!(Sigmoid.value(-1e30_f32), 0.0);
    }
}
