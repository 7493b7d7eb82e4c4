//! How a stage's work is split: one thread's part of every step.

use crate::kernels::matrix::Part;
use crate::lane::PAD;
use crate::ops::{ParamId, Program, ValueId};
use crate::plan::arrange::Movement;
use crate::plan::layout::ParamLayout;
use std::ops::Range;

/// How a stage's work is split: one thread's part of every step.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    pub(crate) program: &'a Program,
    pub(crate) params: &'a ParamLayout,
    pub(crate) movements: &'a [Movement],
    /// Whether rules look at whole variables.
    pub(crate) whole_rule: bool,
    pub(crate) part: Part,
    /// Samples of the batch.
    pub(crate) batch: usize,
    /// Whether the input stands as lists, which every thread makes for itself.
    pub(crate) lists: bool,
}

impl Split<'_> {
    /// This thread's samples, for steps that treat samples one by one.
    pub(crate) fn samples(&self) -> Range<usize> {
        self.part.samples(self.batch)
    }

    /// This thread's columns of a product with a kernel, where every thread gets whole panels.
    fn columns(&self, kernel: ParamId) -> Option<Range<usize>> {
        self.part.columns(self.program.params[kernel.0].cols(), self.params.place(kernel).width)
    }

    /// Rows and columns of a product with a kernel: own columns of all `rows`, or all columns of `own`.
    pub(super) fn share(
        &self,
        kernel: ParamId,
        rows: usize,
        own: Range<usize>,
    ) -> (Range<usize>, Range<usize>) {
        let all = self.program.params[kernel.0].cols().next_multiple_of(PAD);
        match self.columns(kernel) {
            Some(cols) => (0..rows, cols),
            None => (own, 0..all),
        }
    }

    /// Samples and outputs of a forward product.
    pub(crate) fn dense(&self, kernel: ParamId) -> (Range<usize>, Range<usize>) {
        self.share(kernel, self.batch, self.samples())
    }

    /// Rows and columns of a kernel that move.
    pub(crate) fn kernel(&self, kernel: ParamId) -> (Range<usize>, Range<usize>) {
        let rows = self.program.params[kernel.0].rows();
        self.share(kernel, rows, self.part.span(rows, 1))
    }

    /// Columns of a bias that move.
    pub(crate) fn bias(&self, bias: ParamId) -> Range<usize> {
        self.part.span(self.program.params[bias.0].cols().next_multiple_of(PAD), PAD)
    }

    /// Inputs of a layer whose gradient is made.
    pub(crate) fn inputs(&self, out: ValueId) -> Range<usize> {
        self.part.span(self.program.values[out.0].width, PAD)
    }

    /// Channels that are summed over the batch.
    pub(crate) fn channels(&self, channels: usize) -> Range<usize> {
        self.part.span(channels, PAD)
    }

    /// Rows of a variable whose norms are taken.
    pub(crate) fn norms(&self, param: ParamId) -> Range<usize> {
        self.part.span(self.program.params[param.0].rows(), 1)
    }

    /// Whether this thread is the one that treats the variable as a whole.
    pub(crate) fn owns(&self, param: ParamId) -> bool {
        param.0 % self.part.workers == self.part.worker
    }

    /// Rows and columns of a variable whose numbers are treated one by one: those that move with their gradient.
    pub(crate) fn moved(&self, param: ParamId) -> (Range<usize>, Range<usize>) {
        match self.program.params[param.0].rows() {
            1 => (0..1, self.bias(param)),
            _ => self.kernel(param),
        }
    }

    /// Columns of a variable that are brought back to a constraint.
    pub(crate) fn constrained(&self, param: ParamId) -> Range<usize> {
        self.bias(param)
    }
}
