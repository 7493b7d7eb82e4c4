//! Sparse plus: y = 0 for x ≤ −1, (x + 1)²/4 for −1 < x < 1, x for x ≥ 1.
//!
//! Keras: `keras/src/activations/activations.py`, `sparse_plus`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = 0 for x ≤ −1, (x + 1)²/4 for −1 < x < 1, x for x ≥ 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparsePlus;

impl Elementwise for SparsePlus {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let (one, more) = (L::lit(1.0), x + L::lit(1.0));
        let curve = L::lit(0.25) * (more * more);
        L::select(x.gt(-one), L::select(one.gt(x), curve, x), L::lit(0.0))
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let one = L::lit(1.0);
        let slope = L::select(one.gt(x), L::lit(0.5) * (x + one), one);
        L::select(x.gt(-one), dy * slope, L::lit(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(SparsePlus, |x| match x {
            x if x <= -1.0 => 0.0,
            x if x < 1.0 => 0.25 * (x + 1.0).powi(2),
            x => x,
        });
    }
}
