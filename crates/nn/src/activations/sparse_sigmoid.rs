//! Sparse sigmoid: y = (x + 1)/2, at least 0 and at most 1.
//!
//! Keras: `keras/src/activations/activations.py`, `sparse_sigmoid`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = (x + 1)/2, at least 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseSigmoid;

impl Elementwise for SparseSigmoid {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let one = L::lit(1.0);
        one.min(L::lit(0.0).max(L::lit(0.5) * (x + one)))
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        let (zero, one) = (L::lit(0.0), L::lit(1.0));
        L::select(y.gt(zero), L::select(one.gt(y), L::lit(0.5) * dy, zero), zero)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(SparseSigmoid, |x| (0.5 * (x + 1.0)).clamp(0.0, 1.0));
    }
}
