//! A value's transpose, for the products that are vectorised over samples.

use super::Kernel;
use super::matrix::Matrix;
use crate::lane::F32Lane;
use std::ops::Range;

/// `to[col, row] = from[row, col]` for some rows and columns of `from`.
///
/// # Safety
/// The matrices must have `rows` × `cols` and its transpose; nobody else may write these rows and
/// columns of `to`.
#[inline(always)]
pub(super) unsafe fn transpose_block<L: F32Lane>(
    from: Matrix,
    to: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    for row in rows.clone().step_by(L::WIDTH) {
        for col in cols.clone().step_by(L::WIDTH) {
            // SAFETY: as the caller promises; a whole tile is only taken where it is inside.
            unsafe {
                if rows.end - row >= L::WIDTH && cols.end - col >= L::WIDTH {
                    L::transpose(from.at(row, col), from.stride, to.at(col, row), to.stride);
                    continue;
                }
                for r in row..rows.end.min(row + L::WIDTH) {
                    for c in col..cols.end.min(col + L::WIDTH) {
                        *to.at(c, r) = *from.at(r, c);
                    }
                }
            }
        }
    }
}

/// Writes a value's transpose.
pub(crate) struct Transpose {
    pub(crate) x: Matrix,
    pub(crate) twin: Matrix,
    pub(crate) rows: Range<usize>,
    pub(crate) width: usize,
}

impl Kernel for Transpose {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives the value and its twin, and this thread's samples.
        unsafe { transpose_block::<L>(self.x, self.twin, self.rows, 0..self.width) }
    }
}
