//! `out = f(x·kernel + bias)·factor`, for a range of samples and of columns.
//!
//! Two ways to the same bits: where `x` is mostly zeros, one row at a time over its listed non-zero
//! numbers (see [`super::listed`]); otherwise tiles of several rows.

use super::elementwise::{Formula, Map, multiply_rows};
use super::listed::{HiddenRows, Listed, PanelRows, multiply_listed};
use super::matrix::{Matrix, Panels, add_product, end_chains, for_tiles};
use super::scratch::Scratch;
use super::sparse::{Input, OfExamples};
use super::{Kernel, SimdLevel};
use crate::activations::Activation;
use crate::examples::lists::Numbers;
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
    /// Where a hidden input is listed, if the kernel is large enough.
    pub(crate) scratch: Option<*mut f32>,
}

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
                        let number = |i| table[usize::from(*bytes.get_unchecked(i))];
                        self.listed::<L, _>(OfExamples { sparse: x, number }, matmul);
                    }
                    Numbers::Floats(floats) => {
                        let number = |i| *floats.get_unchecked(i);
                        self.listed::<L, _>(OfExamples { sparse: x, number }, matmul);
                    }
                },
                Input::Whole(x) => self.tiles::<L>(x, matmul),
                Input::Hidden(x) => match self.list(x) {
                    Some(listed) => self.listed::<L, _>(listed, matmul),
                    None => self.tiles::<L>(x, matmul),
                },
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
    /// Takes what a run needs for a hidden input.
    pub(crate) fn take_scratch(batch: usize, inputs: usize, scratch: &mut Scratch) {
        HiddenRows::take(scratch, batch, inputs);
    }

    /// The own rows of a hidden input in lists, where that pays.
    ///
    /// # Safety
    /// Matrix and rows must fit each other.
    #[inline(always)]
    unsafe fn list(&self, x: Matrix) -> Option<HiddenRows> {
        let room = HiddenRows::take(&mut Scratch::new(self.scratch?), self.rows.end, self.inputs);
        // SAFETY: as the caller promises.
        unsafe { room.list(x, self.rows.clone(), self.inputs) }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn listed<L: F32Lane, X: Listed>(&self, x: X, to: Matrix) {
        for cols in self.kernel.spans(self.cols.clone()) {
            // SAFETY: as the caller promises.
            unsafe {
                let start = self.kernel.column(cols.start).cast_const();
                let panel = PanelRows { start, width: self.kernel.width };
                multiply_listed::<L, X>(
                    x,
                    panel,
                    to,
                    self.rows.clone(),
                    cols,
                    #[inline(always)]
                    |sum, col| self.add_bias(sum, col),
                );
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
                    let col = j + n * L::WIDTH;
                    self.add_bias(acc[m][n], col).store(to.at(row + m, col));
                }
            }
        }
    }

    /// # Safety
    /// The column must be one of the bias.
    #[inline(always)]
    unsafe fn add_bias<L: F32Lane>(&self, sum: L, col: usize) -> L {
        match self.bias {
            // SAFETY: as the caller promises.
            Some(bias) => sum + unsafe { L::load(bias.column(col)) },
            None => sum,
        }
    }
}
