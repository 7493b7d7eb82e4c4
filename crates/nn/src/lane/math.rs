//! exp, expm1, ln, log1p, tanh and erf for `f32` lanes.
//!
//! libm differs between machines; these do not: they use only operations that IEEE 754 rounds
//! correctly, so one number or sixteen give the same bits everywhere. Each reduces its argument to
//! a short interval and evaluates a polynomial there; `polynomials.py` fits the polynomials.
//!
//! Greatest error, in units in the last place of the exact result, over every 13th `f32` (the tests
//! take a sample and allow 1.5 for exp and ln, 3 for the others):
//!
//! | function | error | how |
//! |----------|-------|-----|
//! | exp      | 1.03 | x = n ln 2 + r, eˣ = 2ⁿ eʳ (Cody and Waite's reduction) |
//! | exp_m1   | 1.51 | 2ⁿ (eʳ − 1) + (2ⁿ − 1) |
//! | ln       | 0.85 | x = 2ᵉ (1 + f), ln x = e ln 2 + ln(1 + f) |
//! | ln_1p    | 1.42 | the same, with what rounding 1 + x lost put back into f |
//! | tanh     | 2.46 | t / (t + 2) with t = e^2x − 1 |
//! | erf      | 1.08 | x + x P(x²) near 0, 1 − e^P(x) beyond 0.9 |

use super::F32Lane;

/// ln 2 in two parts: multiples of the first by up to ±512 are exact.
const LN_2_HIGH: f32 = 0.69314575;
const LN_2_LOW: f32 = 1.4286068e-06;
/// (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2; error relative to eʳ − 1: 1.4e-08.
const EXP: [f32; 5] = [0.0013869958, 0.008366253, 0.041667443, 0.16666546, 0.49999997];
/// (ln(1 + f) − f + f²/2) / f³ for √½ ≤ 1 + f ≤ √2; error relative to ln(1 + f): 5.9e-09.
const LN: [f32; 8] =
    [-0.076375075, 0.1276441, -0.13160263, 0.1420132, -0.16623314, 0.20001249, -0.25000823, 0.3333333];
/// erf(x)/x − 1 in x² for |x| ≤ 0.9; error relative to erf(x): 8.9e-10.
const ERF_NEAR: [f32; 7] =
    [7.9431e-05, -0.0008039753, 0.005191753, -0.02685556, 0.11283624, -0.3761263, 0.12837917];
/// ln(erfc(x)) for 0.9 ≤ x ≤ 4; error of erf(x): 1.6e-09.
const ERF_FAR: [f32; 7] =
    [0.00019717866, -0.0030555837, 0.022277016, -0.10403726, -0.6370598, -1.1277496, -0.00017748724];

#[inline(always)]
fn horner<L: F32Lane, const N: usize>(coefficients: &[f32; N], x: L) -> L {
    let mut sum = L::splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, L::splat(coefficient));
    }
    sum
}

/// `(n, r)` with x = n ln 2 + r, n whole and |r| ≤ ½ ln 2.
#[inline(always)]
fn reduce<L: F32Lane>(x: L) -> (L, L) {
    let n = (x * L::splat(std::f32::consts::LOG2_E)).round();
    (n, n.mul_add(L::splat(-LN_2_LOW), n.mul_add(L::splat(-LN_2_HIGH), x)))
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
#[inline(always)]
fn exp_m1_reduced<L: F32Lane>(r: L) -> L {
    (r * r).mul_add(horner(&EXP, r), r)
}

/// eˣ. NaN stays NaN; beyond the range of `f32` the result is 0 or ∞.
#[inline(always)]
pub fn exp<L: F32Lane>(x: L) -> L {
    let (n, r) = reduce(L::splat(89.0).min(L::splat(-104.0).max(x)));
    let p = exp_m1_reduced(r) + L::splat(1.0);
    // In two steps, for n may be 128, or so low that the result is subnormal.
    let half = (n * L::splat(0.5)).round();
    p * half.exp2() * (n - half).exp2()
}

/// eˣ − 1.
#[inline(always)]
pub fn exp_m1<L: F32Lane>(x: L) -> L {
    let (n, r) = reduce(L::splat(89.0).min(L::splat(-18.0).max(x)));
    let p = exp_m1_reduced(r);
    // Half of the result, for n may be 128.
    let scale = (n - L::splat(1.0)).exp2();
    let half = p.mul_add(scale, scale - L::splat(0.5));
    half + half
}

/// ln(2ᵉ (1 + f)) for √½ ≤ 1 + f ≤ √2.
#[inline(always)]
fn ln_reduced<L: F32Lane>(e: L, f: L) -> L {
    let square = f * f;
    let small = (f * square).mul_add(horner(&LN, f), e * L::splat(LN_2_LOW));
    let small = square.mul_add(L::splat(-0.5), small);
    let whole = e * L::splat(LN_2_HIGH);
    let large = whole + f;
    large + (small + (f - (large - whole)))
}

/// `(e, f)` with x = 2ᵉ (1 + f) and √½ ≤ 1 + f < √2, for positive normal x.
#[inline(always)]
fn split<L: F32Lane>(x: L) -> (L, L) {
    let one = L::splat(1.0);
    let (m, e) = x.split_exponent();
    let low = L::splat(std::f32::consts::FRAC_1_SQRT_2).gt(m);
    (L::select(low, e - one, e), L::select(low, m + m, m) - one)
}

/// `finite` where 0 < x < ∞; otherwise what the logarithm of x is there.
#[inline(always)]
fn ln_at_the_ends<L: F32Lane>(x: L, finite: L) -> L {
    let infinity = L::splat(f32::INFINITY);
    let not_positive = L::select(x.equals(L::splat(0.0)), -infinity, L::splat(f32::NAN));
    let positive = L::select(x.equals(infinity), infinity, finite);
    L::select(x.gt(L::splat(0.0)), positive, not_positive)
}

/// The natural logarithm: −∞ at 0, NaN below.
#[inline(always)]
pub fn ln<L: F32Lane>(x: L) -> L {
    let subnormal = L::splat(f32::MIN_POSITIVE).gt(x);
    let (e, f) = split(L::select(subnormal, x * L::splat(8_388_608.0), x));
    let e = L::select(subnormal, e - L::splat(23.0), e);
    ln_at_the_ends(x, ln_reduced(e, f))
}

/// ln(1 + x): −∞ at −1, NaN below.
#[inline(always)]
pub fn ln_1p<L: F32Lane>(x: L) -> L {
    let one = L::splat(1.0);
    let sum = one + x;
    let added = sum - one;
    let lost = (one - (sum - added)) + (x - added);
    let (e, f) = split(sum);
    // Beyond 2¹²⁶ the loss no longer matters, and 2⁻ᵉ would not be normal.
    let scale = (-L::splat(126.0).min(e)).exp2();
    ln_at_the_ends(sum, ln_reduced(e, lost.mul_add(scale, f)))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<L: F32Lane>(x: L) -> L {
    // Beyond 9.5 it is 1.
    let size = L::splat(9.5).min(x.abs());
    let (n, r) = reduce(size + size);
    let (p, scale) = (exp_m1_reduced(r), n.exp2());
    let t = p.mul_add(scale, scale - L::splat(1.0));
    let y = t / (t + L::splat(2.0));
    L::select(L::splat(0.0).gt(x), -y, y)
}

/// The error function.
#[inline(always)]
pub fn erf<L: F32Lane>(x: L) -> L {
    // Beyond 4 it is 1.
    let size = L::splat(4.0).min(x.abs());
    let near = size.mul_add(horner(&ERF_NEAR, size * size), size);
    let far = L::splat(1.0) - exp(horner(&ERF_FAR, size));
    let y = L::select(size.gt(L::splat(0.9)), far, near);
    L::select(L::splat(0.0).gt(x), -y, y)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, SimdLevel};
    use crate::lane::Lane;

    #[derive(Clone, Copy, Debug)]
    enum Function {
        Exp,
        ExpM1,
        Ln,
        Ln1p,
        Tanh,
        Erf,
    }
    use Function::*;

    impl Function {
        const ALL: [Self; 6] = [Exp, ExpM1, Ln, Ln1p, Tanh, Erf];

        #[inline(always)]
        fn of<L: Lane>(self, x: L) -> L {
            match self {
                Exp => x.exp(),
                ExpM1 => x.exp_m1(),
                Ln => x.ln(),
                Ln1p => x.ln_1p(),
                Tanh => x.tanh(),
                Erf => x.erf(),
            }
        }

        /// The greatest error allowed, in units in the last place.
        fn bound(self) -> f64 {
            match self {
                Exp | Ln => 1.5,
                _ => 3.0,
            }
        }
    }

    struct Map<'a>(Function, &'a [f32]);

    impl Kernel for Map<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<L: F32Lane>(self) -> Vec<f32> {
            let mut out = vec![0.0; self.1.len()];
            for (x, y) in self.1.chunks_exact(L::WIDTH).zip(out.chunks_exact_mut(L::WIDTH)) {
                // SAFETY: each chunk is one lane wide.
                unsafe { self.0.of(L::load(x.as_ptr())).store(y.as_mut_ptr()) }
            }
            out
        }
    }

    /// A dense grid, numbers of all sizes, random bit patterns and the special numbers.
    fn inputs() -> Vec<f32> {
        let mut bits = 1_u32;
        let random = std::iter::repeat_with(move || {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits(bits ^ bits >> 16)
        });
        let grid = (-2_000_000..2_000_000).map(|i| i as f32 * 5.5e-5);
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            1e-45,
            -1e-45,
            f32::MIN_POSITIVE,
            88.722_84,
            88.722_83,
            -103.972_08,
            -87.336_55,
        ];
        let fine = (0..400_000).map(|i| f32::from_bits(0x3f00_0000 + 43 * i));
        let all: Vec<f32> =
            special.into_iter().chain(grid).chain(fine).chain(random.take(3_600_000)).collect();
        assert_eq!(all.len() % 16, 0);
        all
    }

    /// The distance between two neighbouring `f32`s where y is.
    fn unit_in_the_last_place(y: f64) -> f64 {
        let exponent = ((y.to_bits() >> 52) & 0x7ff) as i32 - 1023;
        2.0_f64.powi(exponent.clamp(-126, 127) - 23)
    }

    fn error(found: f32, exact: f64) -> f64 {
        if exact.is_nan() || exact.abs() > 3.402_823_567e38 {
            let same = found.is_nan() == exact.is_nan()
                && (exact.is_nan() || f64::from(found) == exact.signum() / 0.0);
            return if same { 0.0 } else { f64::INFINITY };
        }
        let distance = (f64::from(found) - exact).abs() / unit_in_the_last_place(exact);
        if distance.is_nan() { f64::INFINITY } else { distance }
    }

    #[test]
    fn errors_are_bounded() {
        let inputs = inputs();
        for function in Function::ALL {
            let found = SimdLevel::detect().run(Map(function, &inputs));
            let (mut worst, mut at) = (0.0, 0.0);
            for (&x, &y) in inputs.iter().zip(&found) {
                let error = error(y, function.of(f64::from(x)));
                if error > worst {
                    (worst, at) = (error, x);
                }
            }
            println!("{function:?}: {worst:.3} at {at:e}");
            assert!(worst <= function.bound(), "{function:?}: {worst} at {at:e}");
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let inputs = inputs();
        for function in Function::ALL {
            let one_by_one = SimdLevel::Scalar.run(Map(function, &inputs));
            for level in SimdLevel::available() {
                let found = level.run(Map(function, &inputs));
                for ((a, b), x) in found.iter().zip(&one_by_one).zip(&inputs) {
                    let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                    assert!(same, "{function:?} at {x:e}, {level}: {a:e}, not {b:e}");
                }
            }
        }
    }

    #[test]
    fn the_ends_are_exact() {
        let (infinity, nan) = (f32::INFINITY, f32::NAN);
        assert_eq!([exp(-infinity), exp(0.0), exp(infinity)], [0.0, 1.0, infinity]);
        assert_eq!([exp_m1(-infinity), exp_m1(0.0), exp_m1(infinity)], [-1.0, 0.0, infinity]);
        assert_eq!([ln(0.0), ln(-0.0), ln(1.0), ln(infinity)], [-infinity, -infinity, 0.0, infinity]);
        assert_eq!([ln_1p(-1.0), ln_1p(0.0), ln_1p(infinity)], [-infinity, 0.0, infinity]);
        assert_eq!([tanh(-infinity), tanh(0.0), tanh(infinity)], [-1.0, 0.0, 1.0]);
        assert_eq!([erf(-infinity), erf(0.0), erf(infinity)], [-1.0, 0.0, 1.0]);
        assert!(ln(-1e-45_f32).is_nan() && ln_1p(-1.000_000_1_f32).is_nan());
        for function in Function::ALL {
            assert!(function.of(nan).is_nan(), "{function:?}");
        }
    }
}
