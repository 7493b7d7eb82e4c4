//! `out = f(x·kernel + bias)·factor`, for a range of samples and of columns.
//!
//! Two ways to the same bits: where `x` is mostly zeros, one row at a time over its listed non-zero
//! numbers (see [`super::sparse`]); otherwise tiles of several rows. A skipped term `0·w` would leave the chain as it is.

use super::elementwise::{Formula, Map, multiply_rows};
use super::matrix::{Matrix, Panels, add_product, end_chains, for_lanes, for_tiles};
use super::sparse::{Input, Sparse};
use super::{Kernel, SimdLevel};
use crate::activations::Activation;
use crate::examples::lists::{BLOCK, Numbers};
use crate::lane::F32Lane;
use std::ops::Range;

pub(crate) struct Dense<'a> {
    pub(crate) x: Input<'a>,
    pub(crate) inputs: usize,
    pub(crate) kernel: Panels,
    pub(crate) bias: Option<Panels>,
    pub(crate) matmul: Option<Matrix>,
    pub(crate) activation: Activation,
    pub(crate) active: Option<Matrix>,
    pub(crate) factor: Option<Matrix>,
    pub(crate) out: Matrix,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
}

/// How many bytes of weights may be in the first cache, beside everything else.
const FIRST_CACHE: usize = 36 * 1024;

impl Kernel for Dense<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let active = self.active.unwrap_or(self.out);
        let matmul = self.matmul.unwrap_or(active);
        // SAFETY: the run loop gives matrices of the model's sizes, and this thread's rows and columns.
        unsafe {
            match self.x {
                Input::Lists(x) => match &x.lists.numbers {
                    Numbers::Bytes(bytes, table) => {
                        self.listed::<L>(x, |i| table[usize::from(*bytes.get_unchecked(i))], matmul);
                    }
                    Numbers::Floats(floats) => self.listed::<L>(x, |i| *floats.get_unchecked(i), matmul),
                },
                Input::Whole(x) => self.tiles::<L>(x, matmul),
            }
        }
        let (rows, cols) = (&self.rows, &self.cols);
        SimdLevel::of::<L>().run(Map {
            formula: Formula::Activate(self.activation),
            a: matmul,
            out: active,
            rows: rows.clone(),
            cols: cols.clone(),
        });
        if let Some(factor) = self.factor {
            // SAFETY: as above.
            unsafe { multiply_rows::<L>(active, factor, self.out, rows.clone(), cols.clone()) }
        }
    }
}

impl Dense<'_> {
    /// Takes a few blocks of inputs at a time for all samples, so that the blocks' weights are read
    /// from the first cache; the sums wait in `to`.
    ///
    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn listed<L: F32Lane>(&self, x: Sparse<'_>, number: impl Fn(usize) -> f32, to: Matrix) {
        // SAFETY: as the caller promises.
        unsafe {
            for cols in self.kernel.spans(self.cols.clone()) {
                for_lanes!(L, cols, [8, 4, 2, 1], |j, N| {
                    let blocks = (FIRST_CACHE / (BLOCK * N * L::WIDTH * size_of::<f32>())).max(1);
                    for first in (0..x.lists.blocks()).step_by(blocks) {
                        let last = x.lists.blocks().min(first + blocks);
                        for row in self.rows.clone() {
                            self.listed_row::<L, N>(x, &number, to, row, j, first..last);
                        }
                    }
                });
            }
        }
    }

    /// Adds the listed numbers of some blocks of one row.
    ///
    /// # Safety
    /// As for [`Self::listed`].
    #[inline(always)]
    unsafe fn listed_row<L: F32Lane, const N: usize>(
        &self,
        x: Sparse<'_>,
        number: &impl Fn(usize) -> f32,
        to: Matrix,
        row: usize,
        j: usize,
        blocks: Range<usize>,
    ) {
        // SAFETY: as the caller promises; places are rows of the kernel.
        unsafe {
            let mut acc = [L::splat(0.0); N];
            if blocks.start == 0 {
                x.ask_for_next::<L>(row);
            } else {
                for n in 0..N {
                    acc[n] = L::load(to.at(row, j + n * L::WIDTH));
                }
            }
            let kernel = self.kernel.column(j);
            let sample = x.order[row] as usize;
            for i in x.lists.start(sample, blocks.start)..x.lists.start(sample, blocks.end) {
                let factor = L::splat(number(i));
                let place = usize::from(*x.lists.places.get_unchecked(i));
                let weights = kernel.add(place * self.kernel.width);
                for n in 0..N {
                    acc[n] = factor.mul_add(L::load(weights.add(n * L::WIDTH)), acc[n]);
                }
            }
            for n in 0..N {
                if blocks.end == x.lists.blocks() {
                    self.finish(acc[n] + L::splat(0.0), to, row, j + n * L::WIDTH);
                } else {
                    acc[n].store(to.at(row, j + n * L::WIDTH));
                }
            }
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tiles<L: F32Lane>(&self, x: Matrix, to: Matrix) {
        // SAFETY: as the caller promises.
        unsafe {
            for cols in self.kernel.spans(self.cols.clone()) {
                for_tiles!(L, self.rows, cols, |row, M, j, N| self.tile::<L, M, N>(x, to, row, j));
            }
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tile<L: F32Lane, const M: usize, const N: usize>(
        &self,
        x: Matrix,
        to: Matrix,
        row: usize,
        j: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let x = (x.at(row, 0).cast_const(), x.stride, 1);
            let kernel = (self.kernel.column(j).cast_const(), self.kernel.width);
            let mut acc = [[L::splat(0.0); N]; M];
            add_product(&mut acc, x, kernel, self.inputs);
            end_chains(&mut acc);
            for m in 0..M {
                for n in 0..N {
                    self.finish(acc[m][n], to, row + m, j + n * L::WIDTH);
                }
            }
        }
    }

    /// # Safety
    /// Row and column must be inside `to`.
    #[inline(always)]
    unsafe fn finish<L: F32Lane>(&self, sum: L, to: Matrix, row: usize, col: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let sum = match self.bias {
                Some(bias) => sum + L::load(bias.column(col)),
                None => sum,
            };
            sum.store(to.at(row, col));
        }
    }
}
