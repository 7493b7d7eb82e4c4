//! Rectified linear unit: y = max(x, 0).
//!
//! The gradient at 0 is 0. NaN stays NaN.
//!
//! Keras: `keras/src/activations/activations.py`, `relu`. Nair and Hinton, *Rectified linear units
//! improve restricted Boltzmann machines* (2010).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = max(x, 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu;

impl Elementwise for Relu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::lit(0.0).max(x)
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        let zero = L::lit(0.0);
        L::select(y.gt(zero), dy, zero)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Relu, |x| if x < 0.0 { 0.0 } else { x });
    }

    #[test]
    fn lets_nan_through_and_is_flat_at_zero() {
        assert!(Relu.value(f32::NAN).is_nan());
        assert_eq!(Relu.gradient(0.0_f32, 1.0), 0.0);
    }
}
