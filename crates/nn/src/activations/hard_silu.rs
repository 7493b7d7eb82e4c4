//! Hard SiLU, or hard swish: y = x · hard_sigmoid(x).
//!
//! Keras: `keras/src/activations/activations.py`, `hard_silu`. Howard et al., *Searching for MobileNetV3* (2019).

use super::{Elementwise, GradientFrom, HardSigmoid};
use crate::lane::Lane;

/// y = x · hard_sigmoid(x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSilu;

impl Elementwise for HardSilu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x * HardSigmoid.value(x)
    }

    /// dy · (h + x h′).
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let h = HardSigmoid.value(x);
        HardSigmoid.gradient(h, dy * x) + dy * h
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(HardSilu, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0));
    }
}
