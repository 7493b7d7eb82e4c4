//! Lanes of 8 (AVX2 with FMA) and 16 (AVX-512) numbers.
//!
//! Values of these types exist only inside code that [`crate::kernels::SimdLevel::run`] started,
//! which has checked that the processor has the instructions; that is why the intrinsics may be
//! called here. Everything is inlined into the one function that carries the target features.

use super::{F32Lane, Lane, ROUNDER, math};
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Eight numbers side by side.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(__m256);

/// Sixteen numbers side by side.
#[derive(Clone, Copy)]
pub(crate) struct F32x16(__m512);

macro_rules! operators {
    ($lane:ident, $add:ident, $sub:ident, $mul:ident, $div:ident) => {
        operators!(@one $lane, Add, add, $add);
        operators!(@one $lane, Sub, sub, $sub);
        operators!(@one $lane, Mul, mul, $mul);
        operators!(@one $lane, Div, div, $div);
    };
    (@one $lane:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $lane {
            type Output = Self;
            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                // SAFETY: see the module's comment.
                Self(unsafe { $intrinsic(self.0, b.0) })
            }
        }
    };
}

operators!(F32x8, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps);
operators!(F32x16, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps);

impl Neg for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_xor_ps(self.0, _mm256_set1_ps(-0.0)) })
    }
}

impl Neg for F32x16 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_xor_ps(self.0, _mm512_set1_ps(-0.0)) })
    }
}

impl Lane for F32x8 {
    type Mask = __m256;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::splat(value as f32)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn gt(self, b: Self) -> __m256 {
        // SAFETY: see the module's comment.
        unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn equals(self, b: Self) -> __m256 {
        // SAFETY: see the module's comment.
        unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn select(mask: __m256, yes: Self, no: Self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn flush_subnormal(self) -> Self {
        // SAFETY: see the module's comment.
        unsafe {
            let exponent = _mm256_and_ps(self.0, _mm256_set1_ps(f32::INFINITY));
            let none = _mm256_cmp_ps::<_CMP_EQ_OQ>(exponent, _mm256_setzero_ps());
            Self(_mm256_andnot_ps(none, self.0))
        }
    }
    math::f32_functions!();
}

impl F32Lane for F32x8 {
    const WIDTH: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn round(self) -> Self {
        (self + Self::splat(ROUNDER)) - Self::splat(ROUNDER)
    }
    #[inline(always)]
    fn exp2(self) -> Self {
        // SAFETY: see the module's comment.
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvttps_epi32(self.0), _mm256_set1_epi32(127));
            Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
        }
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: see the module's comment.
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
            let mantissa = _mm256_or_si256(fraction, _mm256_set1_epi32(0x3f00_0000));
            let exponent = _mm256_cvtepi32_ps(_mm256_srli_epi32::<23>(bits));
            (Self(_mm256_castsi256_ps(mantissa)), Self(exponent) - Self::splat(126.0))
        }
    }
    #[inline(always)]
    unsafe fn from_bytes(from: *const u8) -> Self {
        // SAFETY: as the caller promises.
        unsafe { Self(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast())))) }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let row: [__m256; 8] = std::array::from_fn(|i| _mm256_loadu_ps(from.add(i * from_stride)));
            // quarter[4g + c]: numbers c and c + 4 of rows 4g to 4g + 3.
            let mut quarter = row;
            for g in 0..2 {
                let [a, b, c, d] = [row[4 * g], row[4 * g + 1], row[4 * g + 2], row[4 * g + 3]];
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                quarter[4 * g] = _mm256_shuffle_ps::<0x44>(ab_low, cd_low);
                quarter[4 * g + 1] = _mm256_shuffle_ps::<0xee>(ab_low, cd_low);
                quarter[4 * g + 2] = _mm256_shuffle_ps::<0x44>(ab_high, cd_high);
                quarter[4 * g + 3] = _mm256_shuffle_ps::<0xee>(ab_high, cd_high);
            }
            for c in 0..4 {
                let (upper, lower) = (quarter[c], quarter[4 + c]);
                _mm256_storeu_ps(to.add(c * to_stride), _mm256_permute2f128_ps::<0x20>(upper, lower));
                _mm256_storeu_ps(to.add((4 + c) * to_stride), _mm256_permute2f128_ps::<0x31>(upper, lower));
            }
        }
    }
}

impl Lane for F32x16 {
    type Mask = __mmask16;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::splat(value as f32)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn gt(self, b: Self) -> __mmask16 {
        // SAFETY: see the module's comment.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn equals(self, b: Self) -> __mmask16 {
        // SAFETY: see the module's comment.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_mask_blend_ps(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn flush_subnormal(self) -> Self {
        // SAFETY: see the module's comment.
        unsafe {
            let exponent = _mm512_set1_epi32(f32::INFINITY.to_bits() as i32);
            let normal = _mm512_test_epi32_mask(_mm512_castps_si512(self.0), exponent);
            Self(_mm512_maskz_mov_ps(normal, self.0))
        }
    }
    math::f32_functions!();
}

impl F32Lane for F32x16 {
    const WIDTH: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see the module's comment.
        Self(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn round(self) -> Self {
        (self + Self::splat(ROUNDER)) - Self::splat(ROUNDER)
    }
    #[inline(always)]
    fn exp2(self) -> Self {
        // SAFETY: see the module's comment.
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvttps_epi32(self.0), _mm512_set1_epi32(127));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased)))
        }
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: see the module's comment.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let fraction = _mm512_and_si512(bits, _mm512_set1_epi32(0x007f_ffff));
            let mantissa = _mm512_or_si512(fraction, _mm512_set1_epi32(0x3f00_0000));
            let exponent = _mm512_cvtepi32_ps(_mm512_srli_epi32::<23>(bits));
            (Self(_mm512_castsi512_ps(mantissa)), Self(exponent) - Self::splat(126.0))
        }
    }
    #[inline(always)]
    unsafe fn from_bytes(from: *const u8) -> Self {
        // SAFETY: as the caller promises.
        unsafe { Self(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast())))) }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let row: [__m512; 16] = std::array::from_fn(|i| _mm512_loadu_ps(from.add(i * from_stride)));
            // quarter[4g + c]: numbers c, c + 4, c + 8 and c + 12 of rows 4g to 4g + 3.
            let mut quarter = row;
            for g in 0..4 {
                let [a, b, c, d] = [row[4 * g], row[4 * g + 1], row[4 * g + 2], row[4 * g + 3]];
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                quarter[4 * g] = _mm512_shuffle_ps::<0x44>(ab_low, cd_low);
                quarter[4 * g + 1] = _mm512_shuffle_ps::<0xee>(ab_low, cd_low);
                quarter[4 * g + 2] = _mm512_shuffle_ps::<0x44>(ab_high, cd_high);
                quarter[4 * g + 3] = _mm512_shuffle_ps::<0xee>(ab_high, cd_high);
            }
            for c in 0..4 {
                let even = |a, b| _mm512_shuffle_f32x4::<0x88>(a, b);
                let odd = |a, b| _mm512_shuffle_f32x4::<0xdd>(a, b);
                let (low, high) = ((quarter[c], quarter[4 + c]), (quarter[8 + c], quarter[12 + c]));
                let (low_even, low_odd) = (even(low.0, low.1), odd(low.0, low.1));
                let (high_even, high_odd) = (even(high.0, high.1), odd(high.0, high.1));
                _mm512_storeu_ps(to.add(c * to_stride), even(low_even, high_even));
                _mm512_storeu_ps(to.add((4 + c) * to_stride), even(low_odd, high_odd));
                _mm512_storeu_ps(to.add((8 + c) * to_stride), odd(low_even, high_even));
                _mm512_storeu_ps(to.add((12 + c) * to_stride), odd(low_odd, high_odd));
            }
        }
    }
}
