//! Softplus: y = ln(1 + eˣ).
//!
//! Computed as max(x, 0) + ln(1 + e^−|x|), which cannot overflow.
//!
//! Keras: `keras/src/activations/activations.py`, `softplus`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = ln(1 + eˣ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus;

impl Elementwise for Softplus {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::lit(0.0).max(x) + (-x.abs()).exp().ln_1p()
    }

    /// The slope 1 / (1 + e⁻ˣ) is 1 − e⁻ʸ.
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        dy * -(-y).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Softplus, |x| (1.0 + x.exp()).ln());
    }

    #[test]
    fn large_inputs_neither_overflow_nor_lose_nan() {
        assert_eq!(Softplus.value(1e30_f32), 1e30);
        assert_eq!(Softplus.value(-1e30_f32), 0.0);
        assert!(Softplus.value(f32::NAN).is_nan());
    }
}
