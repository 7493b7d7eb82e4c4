//! `dx = (dy·kernelᵀ)·factor·f′(v)`, for a range of inputs.
//!
//! Two ways to the same bits:
//!
//! - *Tiles*, vectorised over samples: row k of the kernel times the transposed `dy` gives row k of the transposed `dx`,
//!   which is then turned back. Some outputs at a time, so that their part of `dy` stays in the second cache; the sums
//!   wait in the transposed `dx`.
//! - *Lists*, where `dy` is mostly zeros, as behind relu and dropout: a panel of inputs of the kernel is transposed, and
//!   every sample's listed numbers add multiples of its rows (see [`super::listed`]).

use super::elementwise::{Formula, Map, multiply_rows};
use super::listed::{HiddenRows, PanelRows, multiply_listed};
use super::matrix::{Matrix, Panels, add_product, end_chains, for_lanes, for_rows};
use super::scratch::Scratch;
use super::transpose::transpose_block;
use super::{Kernel, SimdLevel};
use crate::activations::Activation;
use crate::lane::{F32Lane, PAD};
use crate::plan::layout::PANEL;
use std::ops::Range;

/// How many bytes of `dy` may be in the second cache, beside everything else.
const SECOND_CACHE: usize = 128 * 1024;

pub(crate) struct InputGradient {
    pub(crate) dy: Matrix,
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
    /// Where `dy` is listed, if the kernel is large enough.
    pub(crate) scratch: Option<*mut f32>,
}

/// Lists of `dy`, and room for a panel of the transposed kernel.
struct ListedGradient {
    dy: HiddenRows,
    turned: *mut f32,
}

impl Kernel for InputGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // Threads without inputs start at the last input, which may lie in another thread's lane.
        if self.inputs.is_empty() {
            return;
        }
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's inputs, and as much scratch memory as
        // `take_scratch` asked for.
        unsafe {
            match self.scratch.and_then(|scratch| self.list(scratch)) {
                Some(listed) => self.listed::<L>(&listed),
                None => self.tiles::<L>(),
            }
            self.finish::<L>();
        }
    }
}

impl InputGradient {
    /// Takes what a run needs.
    pub(crate) fn take_scratch(batch: usize, outputs: usize, scratch: &mut Scratch) {
        Self::room(batch, outputs, scratch);
    }

    fn room(batch: usize, outputs: usize, scratch: &mut Scratch) -> ListedGradient {
        ListedGradient {
            dy: HiddenRows::take(scratch, batch, outputs),
            turned: scratch.take(outputs * PANEL),
        }
    }

    /// `dy` in lists, where that pays.
    ///
    /// # Safety
    /// Matrices must fit each other.
    #[inline(always)]
    unsafe fn list(&self, scratch: *mut f32) -> Option<ListedGradient> {
        let ListedGradient { dy, turned } = Self::room(self.batch, self.outputs, &mut Scratch::new(scratch));
        // SAFETY: as the caller promises.
        let dy = unsafe { dy.list(self.dy, 0..self.batch, self.outputs) }?;
        Some(ListedGradient { dy, turned })
    }

    /// # Safety
    /// Matrices and inputs must fit each other.
    #[inline(always)]
    unsafe fn listed<L: F32Lane>(&self, ListedGradient { dy, turned }: &ListedGradient) {
        for first in self.inputs.clone().step_by(PANEL) {
            let inputs = first..self.inputs.end.min(first + PANEL);
            let cols = first..inputs.end.next_multiple_of(PAD);
            // SAFETY: as the caller promises; the room is as large as a panel of the transposed kernel.
            unsafe {
                if cols != inputs {
                    std::ptr::write_bytes(*turned, 0, self.outputs * PANEL);
                }
                for outputs in self.kernel.spans(0..self.outputs) {
                    let kernel = Matrix::new(self.kernel.column(outputs.start), self.kernel.width);
                    let turned = Matrix::new(turned.add(outputs.start * PANEL).wrapping_sub(first), PANEL);
                    transpose_block::<L>(kernel, turned, inputs.clone(), 0..outputs.len());
                }
                let panel = PanelRows { start: turned.cast_const(), width: PANEL };
                multiply_listed::<L, _>(
                    *dy,
                    panel,
                    self.out,
                    0..self.batch,
                    cols,
                    #[inline(always)]
                    |sum, _| sum,
                );
            }
        }
    }

    /// # Safety
    /// Matrices and inputs must fit each other.
    #[inline(always)]
    unsafe fn tiles<L: F32Lane>(&self) {
        let samples = 0..self.batch.next_multiple_of(PAD);
        let some = (SECOND_CACHE / size_of::<f32>() / samples.len()).next_multiple_of(PAD);
        for first in (0..self.outputs).step_by(some) {
            let outputs = first..self.outputs.min(first + some);
            // SAFETY: as the caller promises.
            unsafe {
                if L::REGISTERS >= 32 {
                    for_rows!(self.inputs, [6, 4, 2, 1], |k, M| {
                        for_lanes!(L, samples, [4, 2, 1], |j, N| self.tile::<L, M, N>(k, j, &outputs));
                    });
                } else {
                    for_rows!(self.inputs, [6, 4, 2, 1], |k, M| {
                        for_lanes!(L, samples, [2, 1], |j, N| self.tile::<L, M, N>(k, j, &outputs));
                    });
                }
            }
        }
        // SAFETY: as the caller promises.
        unsafe { transpose_block::<L>(self.twin, self.out, self.inputs.clone(), 0..self.batch) }
    }

    /// # Safety
    /// Matrices, inputs and samples must fit each other.
    #[inline(always)]
    unsafe fn tile<L: F32Lane, const M: usize, const N: usize>(
        &self,
        k: usize,
        j: usize,
        outputs: &Range<usize>,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let mut acc = [[L::splat(0.0); N]; M];
            if outputs.start > 0 {
                for m in 0..M {
                    for n in 0..N {
                        acc[m][n] = L::load(self.twin.at(k + m, j + n * L::WIDTH));
                    }
                }
            }
            for cols in self.kernel.spans(outputs.clone()) {
                let width = self.kernel.width;
                let kernel = (self.kernel.column(cols.start).add(k * width).cast_const(), width, 1);
                let dy = (self.dy_twin.at(cols.start, j).cast_const(), self.dy_twin.stride);
                add_product(&mut acc, kernel, dy, cols.len());
            }
            if outputs.end == self.outputs {
                end_chains(&mut acc);
            }
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
        let out = self.out;
        let rows = 0..self.batch;
        let cols = self.inputs.start..self.inputs.end.next_multiple_of(PAD);
        if let Some(factor) = self.factor {
            // SAFETY: as the caller promises.
            unsafe { multiply_rows::<L>(out, factor, out, rows.clone(), cols.clone()) }
        }
        if let Some((f, v)) = self.activation {
            let formula = Formula::ActivateGradient(f, out);
            SimdLevel::of::<L>().run(Map { formula, a: v, out, rows, cols });
        }
    }
}
