//! Tanh shrink: y = x − tanh(x).
//!
//! Keras: `keras/src/activations/activations.py`, `tanh_shrink`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x − tanh(x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TanhShrink;

impl Elementwise for TanhShrink {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x - x.tanh()
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let t = x.tanh();
        dy * (t * t)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(TanhShrink, |x| x - x.tanh());
    }
}
