//! Leaky rectified linear unit: y = x for x > 0, negative_slope · x otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `leaky_relu`. Maas, Hannun and Ng, *Rectifier
//! nonlinearities improve neural network acoustic models* (2013).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

/// y = x for x > 0, negative_slope · x otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below 0; finite and not negative, or the output would not tell the input's sign.
    pub negative_slope: f64,
}

impl LeakyRelu {
    /// Keras's default.
    pub const NEGATIVE_SLOPE: f64 = 0.2;
}

impl Elementwise for LeakyRelu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::lit(0.0)), x, L::lit(self.negative_slope) * x)
    }

    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        L::select(y.gt(L::lit(0.0)), dy, L::lit(self.negative_slope) * dy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for negative_slope in [0.0, 0.2, 1.5] {
            testing::follows(LeakyRelu { negative_slope }, |x| if x < 0.0 { negative_slope * x } else { x });
        }
    }
}
