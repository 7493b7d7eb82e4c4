//! Linear: y = x.
//!
//! Keras: `keras/src/activations/activations.py`, `linear`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear;

impl Elementwise for Linear {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, _: L, dy: L) -> L {
        dy
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;

    #[test]
    fn follows_its_formula() {
        testing::follows(super::Linear, |x| x);
    }
}
