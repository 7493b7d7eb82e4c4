//! Hard tanh: y = x, at least −1 and at most 1.
//!
//! Keras: `keras/src/activations/activations.py`, `hard_tanh`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x, at least −1 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardTanh;

impl Elementwise for HardTanh {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::lit(1.0).min(L::lit(-1.0).max(x))
    }

    /// 1 from −1 to 1, both included.
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        L::select(x.abs().gt(L::lit(1.0)), L::lit(0.0), dy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(HardTanh, |x| x.clamp(-1.0, 1.0));
    }
}
