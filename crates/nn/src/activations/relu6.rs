//! ReLU6: y = max(x, 0), at most 6.
//!
//! Keras: `keras/src/activations/activations.py`, `relu6`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = max(x, 0), at most 6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu6;

impl Elementwise for Relu6 {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::lit(6.0).min(L::lit(0.0).max(x))
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        let (zero, six) = (L::lit(0.0), L::lit(6.0));
        L::select(y.gt(zero), L::select(six.gt(y), dy, zero), zero)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Relu6, |x| x.clamp(0.0, 6.0));
    }
}
