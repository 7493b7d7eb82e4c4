//! Hard sigmoid: y = x/6 + ½, at least 0 and at most 1.
//!
//! Keras: `keras/src/activations/activations.py`, `hard_sigmoid`.

use super::{Elementwise, GradientFrom, Relu6};
use crate::lane::Lane;

/// y = x/6 + ½, at least 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid;

impl Elementwise for HardSigmoid {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        Relu6.value(x + L::lit(3.0)) / L::lit(6.0)
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        let (zero, one) = (L::lit(0.0), L::lit(1.0));
        L::select(y.gt(zero), L::select(one.gt(y), dy / L::lit(6.0), zero), zero)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(HardSigmoid, |x| (x / 6.0 + 0.5).clamp(0.0, 1.0));
    }
}
