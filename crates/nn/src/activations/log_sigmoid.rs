//! Log-sigmoid: y = −ln(1 + e⁻ˣ).
//!
//! Keras: `keras/src/activations/activations.py`, `log_sigmoid`.

use super::{Elementwise, GradientFrom, Softplus};
use crate::lane::Lane;

/// y = −ln(1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSigmoid;

impl Elementwise for LogSigmoid {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        -Softplus.value(-x)
    }

    /// The slope 1 / (1 + eˣ) is 1 − eʸ.
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        dy * -y.exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(LogSigmoid, |x| -(1.0 + (-x).exp()).ln());
    }
}
