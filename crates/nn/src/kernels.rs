//! How: the steps of a plan at machine speed.
//!
//! A `Kernel` is one step's work, written over [`F32Lane`]. `SimdLevel::run` starts it with
//! the lane that the machine has (or the one asked for); everything below is inlined into that
//! one function, so the choice is made once per step. Work that many kernels end in, an optimizer's
//! rule or an activation, is a kernel of its own: compiled once per lane, not once per kernel.

#![allow(clippy::needless_range_loop, reason = "constant bounds, so that every index is a register")]

pub(crate) mod augment;
pub(crate) mod channel;
pub(crate) mod conv;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod gather;
pub(crate) mod input_gradient;
pub(crate) mod listed;
pub(crate) mod matrix;
pub(crate) mod noise;
pub(crate) mod normalize;
pub(crate) mod optimize;
pub(crate) mod penalty;
pub(crate) mod pool;
pub(crate) mod rowwise;
pub(crate) mod score;
pub(crate) mod scratch;
pub(crate) mod sparse;
pub(crate) mod transpose;
pub(crate) mod update;

use crate::lane::F32Lane;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which vector instructions the kernels use. All levels give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SimdLevel {
    /// One number at a time.
    Scalar,
    /// Eight at a time: x86-64 with AVX2 and FMA.
    Avx2,
    /// Sixteen at a time: x86-64 with AVX-512 (F, BW, DQ, VL).
    Avx512,
}

/// One step's work, written over a lane.
pub(crate) trait Kernel {
    /// What the step returns to the run loop.
    type Output;
    /// Does the work. Implementations are `#[inline(always)]`, and so is what they call.
    fn run<L: F32Lane>(self) -> Self::Output;
}

impl SimdLevel {
    /// The best level of this machine.
    pub fn detect() -> Self {
        *Self::available().last().unwrap_or(&Self::Scalar)
    }

    /// Every level that this machine can run, slowest first.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx2() {
                levels.push(Self::Avx2);
            }
            if has_avx512() {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// The level whose lane this is.
    #[inline(always)]
    pub(crate) const fn of<L: F32Lane>() -> Self {
        match L::WIDTH {
            1 => Self::Scalar,
            8 => Self::Avx2,
            _ => Self::Avx512,
        }
    }

    /// Runs a kernel at this level.
    ///
    /// The level must be one of [`SimdLevel::available`]; the plan checks that when it is made.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Scalar if has_bits() && is_x86_feature_detected!("fma") => {
                // SAFETY: the instructions were detected.
                unsafe { scalar_with_fma(kernel) }
            }
            Self::Scalar => kernel.run::<f32>(),
            // SAFETY: a level beyond Scalar is only handed out where its instructions were detected.
            Self::Avx2 => unsafe { avx2(kernel) },
            // SAFETY: as above.
            Self::Avx512 => unsafe { avx512(kernel) },
        }
        #[cfg(not(target_arch = "x86_64"))]
        kernel.run::<f32>()
    }
}

impl fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
        })
    }
}

#[cfg(target_arch = "x86_64")]
fn has_bits() -> bool {
    is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    has_bits() && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// Without the instruction, each fused multiply-add would be a call into libm.
///
/// # Safety
/// The processor has FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
unsafe fn scalar_with_fma<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<f32>()
}

/// # Safety
/// The processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
unsafe fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<crate::lane::F32x8>()
}

/// # Safety
/// The processor has AVX-512 F, BW, DQ and VL.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
unsafe fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<crate::lane::F32x16>()
}
