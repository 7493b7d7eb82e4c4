//! Softsign: y = x / (1 + |x|).
//!
//! Keras: `keras/src/activations/activations.py`, `softsign`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x / (1 + |x|).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softsign;

impl Elementwise for Softsign {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x / (L::lit(1.0) + x.abs())
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let size = L::lit(1.0) + x.abs();
        dy / (size * size)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Softsign, |x| x / (1.0 + x.abs()));
    }
}
