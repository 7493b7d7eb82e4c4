//! `dx = (dy·kernelᵀ)·factor·f′(v)`, for a range of inputs.
//!
//! Vectorised over samples: row k of the kernel times the transposed `dy` gives row k of the
//! transposed `dx`, which is then turned back and finished while it is in the cache.

use super::elementwise::{Formula, Map, multiply_rows};
use super::matrix::{Matrix, Panels, add_product, end_chains, for_tiles};
use super::transpose::transpose_block;
use super::{Kernel, SimdLevel};
use crate::activations::Activation;
use crate::lane::{F32Lane, PAD};
use std::ops::Range;

pub(crate) struct InputGradient {
    pub(crate) dy_twin: Matrix,
    pub(crate) outputs: usize,
    pub(crate) kernel: Panels,
    pub(crate) factor: Option<Matrix>,
    pub(crate) activation: Option<(Activation, Matrix)>,
    pub(crate) twin: Matrix,
    pub(crate) out: Matrix,
    pub(crate) batch: usize,
    /// This thread's inputs: rows of the kernel, columns of `out`.
    pub(crate) inputs: Range<usize>,
}

impl Kernel for InputGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // Threads without inputs start at the last input, which may lie in another thread's lane.
        if self.inputs.is_empty() {
            return;
        }
        let samples = 0..self.batch.next_multiple_of(PAD);
        // SAFETY: the run loop gives matrices of the model's sizes, and this thread's inputs.
        unsafe {
            for_tiles!(L, self.inputs, samples, |k, M, j, N| self.tile::<L, M, N>(k, j));
            self.finish::<L>();
        }
    }
}

impl InputGradient {
    /// # Safety
    /// Matrices, inputs and samples must fit each other.
    #[inline(always)]
    unsafe fn tile<L: F32Lane, const M: usize, const N: usize>(&self, k: usize, j: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let mut acc = [[L::splat(0.0); N]; M];
            for cols in self.kernel.spans(0..self.outputs) {
                let width = self.kernel.width;
                let kernel = (self.kernel.column(cols.start).add(k * width).cast_const(), width, 1);
                let dy = (self.dy_twin.at(cols.start, j).cast_const(), self.dy_twin.stride);
                add_product(&mut acc, kernel, dy, cols.len());
            }
            end_chains(&mut acc);
            for m in 0..M {
                for n in 0..N {
                    acc[m][n].store(self.twin.at(k + m, j + n * L::WIDTH));
                }
            }
        }
    }

    /// # Safety
    /// As for [`Self::tile`].
    #[inline(always)]
    unsafe fn finish<L: F32Lane>(&self) {
        let Self { out, twin, .. } = *self;
        let rows = 0..self.batch;
        let cols = self.inputs.start..self.inputs.end.next_multiple_of(PAD);
        // SAFETY: as the caller promises.
        unsafe {
            transpose_block::<L>(twin, out, self.inputs.clone(), rows.clone());
            if let Some(factor) = self.factor {
                multiply_rows::<L>(out, factor, out, rows.clone(), cols.clone());
            }
        }
        if let Some((f, v)) = self.activation {
            let formula = Formula::ActivateGradient(f, out);
            SimdLevel::of::<L>().run(Map { formula, a: v, out, rows, cols });
        }
    }
}
