//! Hyperbolic tangent: y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).
//!
//! Keras: `keras/src/activations/activations.py`, `tanh`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = tanh x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tanh;

impl Elementwise for Tanh {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x.tanh()
    }

    /// dy · (1 − y²).
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        dy * (-y).mul_add(y, L::lit(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;

    #[test]
    fn follows_its_formula() {
        testing::follows(super::Tanh, |x| 1.0 - 2.0 / ((2.0 * x).exp() + 1.0));
    }
}
