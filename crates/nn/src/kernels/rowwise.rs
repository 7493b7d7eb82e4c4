//! Functions of a row: log-softmax, sparsemax, GLU, and their gradients.

use super::Kernel;
use super::matrix::Matrix;
use crate::activations::RowFunction;
use crate::lane::F32Lane;
use std::ops::Range;

/// `out = f(x)`.
pub(crate) struct RowValue {
    pub(crate) f: RowFunction,
    pub(crate) x: Matrix,
    pub(crate) out: Matrix,
    /// Columns of x and of out.
    pub(crate) widths: (usize, usize),
    pub(crate) rows: Range<usize>,
}

impl Kernel for RowValue {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let (x, out) = self.widths;
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe { self.f.value(self.x.row(row, x), self.out.row_mut(row, out)) }
        }
    }
}

/// `dx` from `dy` and from f's input or output.
pub(crate) struct RowGradient {
    pub(crate) f: RowFunction,
    pub(crate) v: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    /// Columns of v, of dy and of dx.
    pub(crate) widths: (usize, usize, usize),
    pub(crate) rows: Range<usize>,
}

impl Kernel for RowGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let (v, dy, dx) = self.widths;
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                self.f.gradient(self.v.row(row, v), self.dy.row(row, dy), self.dx.row_mut(row, dx));
            }
        }
    }
}
