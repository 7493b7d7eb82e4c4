//! Scaled exponential linear unit: y = scale · x for x > 0, scale · alpha · (eˣ − 1) otherwise.
//!
//! Keras: `keras/src/activations/activations.py`, `selu`. Klambauer, Unterthiner, Mayr and
//! Hochreiter, *Self-normalizing neural networks* (2017), which derives both constants.

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;

const ALPHA: f64 = 1.673_263_242_354_377_2;
const SCALE: f64 = 1.050_700_987_355_480_5;

/// y = scale · x for x > 0, scale · alpha · (eˣ − 1) otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selu;

impl Elementwise for Selu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Output;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::lit(0.0)), L::lit(SCALE) * x, L::lit(SCALE * ALPHA) * x.exp_m1())
    }

    /// Below 0 the slope scale · alpha · eˣ is y + scale · alpha; at the kink it is scale, as in Keras.
    #[inline(always)]
    fn gradient<L: Lane>(self, y: L, dy: L) -> L {
        let slope = L::select(L::lit(0.0).gt(y), y + L::lit(SCALE * ALPHA), L::lit(SCALE));
        dy * slope
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Selu, |x| SCALE * if x < 0.0 { ALPHA * (x.exp() - 1.0) } else { x });
    }

    /// What the constants are for: a standard normal input gives mean 0 and variance 1.
    #[test]
    fn keeps_mean_and_variance() {
        let (mut mean, mut square) = (0.0, 0.0);
        for i in -100_000..=100_000 {
            let x = f64::from(i) * 1e-4;
            let weight = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() * 1e-4;
            mean += weight * Selu.value(x);
            square += weight * Selu.value(x).powi(2);
        }
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "{mean} {square}");
    }
}
