//! Sigmoid linear unit, or swish: y = x / (1 + e⁻ˣ).
//!
//! Keras: `keras/src/activations/activations.py`, `silu`. Elfwing, Uchibe and Doya, *Sigmoid-weighted
//! linear units* (2017).

use super::{Elementwise, GradientFrom, Sigmoid};
use crate::lane::Lane;

/// y = x / (1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silu;

impl Elementwise for Silu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x * Sigmoid.value(x)
    }

    /// With s the sigmoid: dy · s (1 + x (1 − s)).
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let (one, s) = (L::lit(1.0), Sigmoid.value(x));
        dy * (s * x.mul_add(one - s, one))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;

    #[test]
    fn follows_its_formula() {
        testing::follows(super::Silu, |x| 0.5 * x * (1.0 + (0.5 * x).tanh()));
    }
}
