//! Squareplus: y = (x + √(x² + b))/2.
//!
//! Below 0 it is computed as b / (√(x² + b) − x) / 2, which is the same and subtracts no near numbers.
//!
//! Keras: `keras/src/activations/activations.py`, `squareplus`. Barron, *Squareplus: a
//! softplus-like algebraic rectifier* (2021).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = (x + √(x² + b))/2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squareplus {
    /// How round the corner at 0 is; finite, > 0.
    pub b: f64,
}

impl Squareplus {
    /// Keras's default.
    pub const B: f64 = 4.0;
}

impl Elementwise for Squareplus {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let (b, half) = (L::lit(self.b), L::lit(0.5));
        let root = x.mul_add(x, b).sqrt();
        let below = half * (b / (root - x));
        L::select(x.gt(L::lit(0.0)), half * (x + root), below)
    }

    /// dy · (1 + x/√(x² + b))/2.
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let root = x.mul_add(x, L::lit(self.b)).sqrt();
        dy * L::lit(0.5).mul_add(x / root, L::lit(0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for b in [0.2, 4.0] {
            testing::follows(Squareplus { b }, |x| 0.5 * (x + (x * x + b).sqrt()));
        }
    }
}
