//! Exponential: y = eˣ.
//!
//! Keras: `keras/src/activations/activations.py`, `exponential`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = eˣ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential;

impl Elementwise for Exponential {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x.exp()
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        dy * y
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for x in [-20.0, -1.0, 0.0, 0.5, 3.0, 20.0] {
            let y: f64 = Exponential.value(x);
            assert!((y / std::f64::consts::E.powf(x) - 1.0).abs() < 1e-14);
            assert_eq!(Exponential.gradient(y, 3.0), 3.0 * y);
        }
        testing::same_bits_at_every_level(Exponential);
    }
}
