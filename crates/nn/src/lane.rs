//! One number, or 8 or 16 of them: the type every elementwise formula is written over.
//!
//! An activation, a loss or an optimizer is written once, over [`Lane`]. The oracle
//! ([`crate::plan::reference`]) runs it over `f32` or `f64`, one number at a time; the kernels run
//! the same code over [`F32Lane`]s of 1, 8 or 16 numbers. All of them give the same bits, because
//! every operation here is one correctly rounded IEEE 754 operation, and the functions of
//! [`math`] are built from these alone.

use std::ops::{Add, Div, Mul, Neg, Sub};

pub(crate) mod linear;
pub mod math;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{F32x8, F32x16};

/// Every row of a buffer is padded to a multiple of this many numbers, so that the widest lane
/// can read and write whole rows.
pub const PAD: usize = 16;

/// A number, or several side by side.
pub trait Lane:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The result of a comparison, one truth value per number.
    type Mask: Copy;

    /// The same constant in every place, rounded to the lane's precision.
    fn lit(value: f64) -> Self;
    /// `self * b + c`, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// `self > b`; false where either is NaN.
    fn gt(self, b: Self) -> Self::Mask;
    /// `self == b`; false where either is NaN.
    fn equals(self, b: Self) -> Self::Mask;
    /// `yes` where the mask is true, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// `if self > b { self } else { b }`: where one is NaN, the result is `b`.
    ///
    /// Put the value whose NaN must survive in second place: `L::lit(0.0).max(x)`.
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self::select(self.gt(b), self, b)
    }

    /// `if b > self { self } else { b }`: where one is NaN, the result is `b`.
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        Self::select(b.gt(self), self, b)
    }

    /// +0 where the number is subnormal, that is smaller than the smallest normal number, or −0.
    fn flush_subnormal(self) -> Self;

    /// −1, 0 or 1; 0 where NaN.
    #[inline(always)]
    fn signum(self) -> Self {
        let zero = Self::lit(0.0);
        let below = Self::select(zero.gt(self), Self::lit(-1.0), zero);
        Self::select(self.gt(zero), Self::lit(1.0), below)
    }

    /// `base`ⁿ, with `base` rounded to the lane's precision first, as Keras does.
    fn power(base: f64, n: u64) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The natural logarithm of 1 + x, accurate near 0.
    fn ln_1p(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;

    /// x to a power, for x ≥ 0: a product where the exponent is whole and small, otherwise e^(exponent · ln x).
    #[inline(always)]
    fn pow(self, exponent: f64) -> Self {
        if exponent.fract() == 0.0 && (0.0..=8.0).contains(&exponent) {
            (0..exponent as u32).fold(Self::lit(1.0), |product, _| product * self)
        } else {
            (self.ln() * Self::lit(exponent)).exp()
        }
    }
}

/// `base`ⁿ by repeated squaring: the same on every machine.
fn power(mut base: f64, mut n: u64) -> f64 {
    let mut product = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            product *= base;
        }
        base *= base;
        n >>= 1;
    }
    product
}

/// A lane of `f32`s that can be read from and written to memory.
pub trait F32Lane: Lane {
    /// How many numbers: 1, 8 or 16.
    const WIDTH: usize;
    /// How many of them the processor holds at once.
    const REGISTERS: usize;

    /// The same number in every place.
    fn splat(value: f32) -> Self;
    /// Reads `WIDTH` numbers.
    ///
    /// # Safety
    /// `from` must be valid for reading `WIDTH` numbers.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `WIDTH` numbers.
    ///
    /// # Safety
    /// `to` must be valid for writing `WIDTH` numbers.
    unsafe fn store(self, to: *mut f32);
    /// The nearest integer, ties to even; |x| < 2²².
    fn round(self) -> Self;
    /// 2ⁿ for integral n from −126 to 127.
    fn exp2(self) -> Self;
    /// `(m, e)` with x = m·2ᵉ and m in [½, 1), for positive normal x.
    fn split_exponent(self) -> (Self, Self);
    /// `WIDTH` bytes as numbers from 0 to 255.
    ///
    /// # Safety
    /// `from` must be valid for reading `WIDTH` bytes.
    unsafe fn from_bytes(from: *const u8) -> Self;
    /// Asks for the cache line of an address, which need not be valid.
    #[inline(always)]
    fn prefetch(address: *const u8) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint that never faults; SSE is part of x86-64.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    }
    /// Turns a `WIDTH`×`WIDTH` tile: row i of `from` becomes column i of `to`.
    ///
    /// # Safety
    /// Both must be valid for `WIDTH` rows of `WIDTH` numbers, `stride` numbers apart.
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize);
}

/// Adding and subtracting 1.5·2²³ leaves the nearest integer, ties to even, for |x| < 2²².
const ROUNDER: f32 = 12_582_912.0;

impl Lane for f32 {
    type Mask = bool;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        f32::mul_add(self, b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn gt(self, b: Self) -> bool {
        self > b
    }
    #[inline(always)]
    fn equals(self, b: Self) -> bool {
        self == b
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn flush_subnormal(self) -> Self {
        if self.is_subnormal() || self == 0.0 { 0.0 } else { self }
    }
    math::f32_functions!();
}

impl F32Lane for f32 {
    const WIDTH: usize = 1;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        value
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { *to = self }
    }
    #[inline(always)]
    fn round(self) -> Self {
        (self + ROUNDER) - ROUNDER
    }
    #[inline(always)]
    fn exp2(self) -> Self {
        f32::from_bits(((self as i32 + 127) << 23) as u32)
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let bits = self.to_bits();
        let mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
        (mantissa, (bits >> 23) as i32 as f32 - 126.0)
    }
    #[inline(always)]
    unsafe fn from_bytes(from: *const u8) -> Self {
        // SAFETY: as the caller promises.
        f32::from(unsafe { *from })
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, _: usize, to: *mut f32, _: usize) {
        // SAFETY: as the caller promises.
        unsafe { *to = *from }
    }
}

/// The oracle's precise side. Its functions come from the platform's libm: `f64` runs are compared
/// within a tolerance, never bit for bit.
impl Lane for f64 {
    type Mask = bool;

    fn lit(value: f64) -> Self {
        value
    }
    fn mul_add(self, b: Self, c: Self) -> Self {
        f64::mul_add(self, b, c)
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn gt(self, b: Self) -> bool {
        self > b
    }
    fn equals(self, b: Self) -> bool {
        self == b
    }
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    fn flush_subnormal(self) -> Self {
        if self.is_subnormal() || self == 0.0 { 0.0 } else { self }
    }
    fn power(base: f64, n: u64) -> Self {
        power(base, n)
    }
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn exp_m1(self) -> Self {
        f64::exp_m1(self)
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn ln_1p(self) -> Self {
        f64::ln_1p(self)
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    fn erf(self) -> Self {
        libm::erf(self)
    }
}
