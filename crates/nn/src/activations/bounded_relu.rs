//! ReLU with parameters: x for x > threshold, at most max_value, and negative_slope · (x − threshold)
//! otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `relu`.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;
use serde::Deserialize;

/// x for x > threshold, at most max_value, and negative_slope · (x − threshold) otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundedRelu {
    /// The slope below the threshold; finite and not negative.
    pub negative_slope: f64,
    /// The largest output; finite and not negative. `None`: there is none.
    pub max_value: Option<f64>,
    /// Above which x stays; finite and not negative.
    pub threshold: f64,
}

impl BoundedRelu {
    /// Plain ReLU, which is Keras's default.
    pub const PLAIN: Self = Self { negative_slope: 0.0, max_value: None, threshold: 0.0 };

    #[inline(always)]
    fn most<L: Lane>(self) -> L {
        L::lit(self.max_value.unwrap_or(f64::INFINITY))
    }
}

impl Elementwise for BoundedRelu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let (threshold, zero) = (L::lit(self.threshold), L::lit(0.0));
        let above = self.most::<L>().min(x);
        L::select(x.gt(threshold), above, L::lit(-self.negative_slope) * zero.max(threshold - x))
    }

    /// 1 above the threshold and up to max_value, negative_slope below.
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let (threshold, zero) = (L::lit(self.threshold), L::lit(0.0));
        let above = L::select(x.gt(self.most()), zero, dy);
        let below = L::select(threshold.gt(x), L::lit(self.negative_slope) * dy, zero);
        L::select(x.gt(threshold), above, below)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        for (negative_slope, max_value, threshold) in
            [(0.1, Some(0.8), 0.1), (0.0, None, 0.5), (0.3, Some(6.0), 0.0)]
        {
            let f = BoundedRelu { negative_slope, max_value, threshold };
            testing::follows(f, |x| {
                let above = x.min(max_value.unwrap_or(f64::MAX));
                if x > threshold { above } else { negative_slope * (x - threshold) }
            });
        }
    }
}
