//! Gaussian error linear unit: y = x Φ(x), with Φ the standard normal distribution function.
//!
//! Φ(x) = ½ (1 + erf(x/√2)), or, `approximate`, ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
//!
//! Keras: `keras/src/activations/activations.py`, `gelu`. Hendrycks and Gimpel, *Gaussian error
//! linear units* (2016).

use super::{Elementwise, GradientFrom};
use crate::lane::Lane;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

const CUBIC: f64 = 0.044_715;
/// √(2/π)
const SQRT_2_OVER_PI: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

/// y = x Φ(x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

impl Gelu {
    /// Φ(x)
    #[inline(always)]
    fn phi<L: Lane>(x: L) -> L {
        let half = L::lit(0.5);
        half.mul_add((x * L::lit(FRAC_1_SQRT_2)).erf(), half)
    }
}

impl Elementwise for Gelu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        x * Self::phi(x)
    }

    /// dy · (Φ(x) + x φ(x)), with φ the density e^(−x²/2) / √(2π).
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let density = L::lit(0.5 * SQRT_2_OVER_PI) * (L::lit(-0.5) * x * x).exp();
        dy * x.mul_add(density, Self::phi(x))
    }
}

/// y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApproximateGelu;

impl ApproximateGelu {
    #[inline(always)]
    fn tanh<L: Lane>(x: L) -> L {
        let factor = (L::lit(CUBIC) * x).mul_add(x, L::lit(1.0));
        (L::lit(SQRT_2_OVER_PI) * x * factor).tanh()
    }
}

impl Elementwise for ApproximateGelu {
    const GRADIENT_FROM: GradientFrom = GradientFrom::Input;

    #[inline(always)]
    fn value<L: Lane>(self, x: L) -> L {
        let half = L::lit(0.5);
        x * half.mul_add(Self::tanh(x), half)
    }

    /// With t the tanh: dy · ½ (1 + t + x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²)).
    #[inline(always)]
    fn gradient<L: Lane>(self, x: L, dy: L) -> L {
        let (one, t) = (L::lit(1.0), Self::tanh(x));
        let inner = L::lit(SQRT_2_OVER_PI) * (L::lit(3.0 * CUBIC) * x).mul_add(x, one);
        let slope = (-t).mul_add(t, one) * inner;
        dy * (L::lit(0.5) * (one + x.mul_add(slope, t)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn follows_its_formula() {
        testing::follows(Gelu, |x| 0.5 * x * libm::erfc(-x / 2.0_f64.sqrt()));
    }

    #[test]
    fn the_approximation_follows_its_formula() {
        testing::follows(ApproximateGelu, |x| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x / (1.0 + (-2.0 * inner).exp())
        });
    }

    #[test]
    fn the_approximation_is_near() {
        for i in -500..500 {
            let x = f64::from(i) * 0.01;
            assert!((Gelu.value(x) - ApproximateGelu.value(x)).abs() < 1e-3, "{x}");
        }
    }
}
