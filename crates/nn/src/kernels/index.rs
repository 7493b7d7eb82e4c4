//! Other forms of a value: its transpose, and the list of its non-zero numbers.

use super::Kernel;
use super::matrix::Matrix;
use crate::lane::F32Lane;
use std::ops::Range;

/// The positions of the non-zero numbers of every row.
#[derive(Clone, Copy)]
pub(crate) struct Index {
    positions: *mut u32,
    counts: *mut u32,
    stride: usize,
}

// SAFETY: as for `Matrix`: no two threads use the same row at the same time unless both only read.
unsafe impl Send for Index {}
// SAFETY: as above.
unsafe impl Sync for Index {}

impl Index {
    /// # Safety
    /// `positions` must be valid for `stride` numbers per row, `counts` for one.
    pub(crate) unsafe fn new(positions: *mut u32, counts: *mut u32, stride: usize) -> Self {
        Self { positions, counts, stride }
    }

    /// # Safety
    /// The row must have been listed, and nobody may write it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn row<'a>(self, row: usize) -> &'a [u32] {
        // SAFETY: as the caller promises.
        unsafe {
            let count = *self.counts.add(row) as usize;
            std::slice::from_raw_parts(self.positions.add(row * self.stride), count)
        }
    }
}

/// Lists the non-zero numbers of some rows.
pub(crate) struct BuildIndex {
    pub(crate) x: Matrix,
    pub(crate) width: usize,
    pub(crate) index: Index,
    pub(crate) rows: Range<usize>,
}

impl Kernel for BuildIndex {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows.clone() {
            // SAFETY: rows are padded to whole lanes; padding is 0 and so is never listed.
            unsafe {
                let positions = self.index.positions.add(row * self.index.stride);
                let mut count = 0;
                let mut col = 0;
                while col < self.width {
                    let mut bits = L::load(self.x.at(row, col)).nonzero_bits();
                    while bits != 0 {
                        *positions.add(count) = col as u32 + bits.trailing_zeros();
                        count += 1;
                        bits &= bits - 1;
                    }
                    col += L::WIDTH;
                }
                *self.index.counts.add(row) = count as u32;
            }
        }
    }
}

/// `to[col, row] = from[row, col]` for some columns of `to`, that is rows of `from`.
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
    let mut row = rows.start;
    while row < rows.end {
        let mut col = cols.start;
        while col < cols.end {
            // SAFETY: as the caller promises; a whole tile is only taken where it is inside.
            unsafe {
                if rows.end - row >= L::WIDTH && cols.end - col >= L::WIDTH {
                    L::transpose(from.at(row, col), from.stride, to.at(col, row), to.stride);
                } else {
                    for r in row..rows.end.min(row + L::WIDTH) {
                        for c in col..cols.end.min(col + L::WIDTH) {
                            *to.at(c, r) = *from.at(r, c);
                        }
                    }
                }
            }
            col += L::WIDTH;
        }
        row += L::WIDTH;
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
