//! Mish: y = x · tanh(ln(1 + eˣ)).
//!
//! Keras: `keras/src/activations/activations.py`, `mish`. Misra, *Mish: a self regularized non-monotonic activation function* (2019).

use super::{Elementwise, GradientFrom, Sigmoid, Softplus};
use crate::lane::Lane;

/// y = x · tanh(ln(1 + eˣ)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mish;

impl Elementwise for Mish {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x * Softplus.value(x).tanh()
    }

    /// With t the tanh and s the sigmoid: dy · (t + x (1 − t²) s).
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let t = Softplus.value(x).tanh();
        let slope = (-t).mul_add(t, L::lit(1.0)) * Sigmoid.value(x);
        dy * x.mul_add(slope, t)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Mish, |x| x * (1.0 + x.exp()).ln().tanh());
    }
}
