//! `out[b, j] = Σ x[b, k]·w[k, j]`, one row at a time over the numbers of `x` that are not zero.
//!
//! ```text
//!   row b of x:   x[3]  x[17]  x[40] | x[51] …       listed, in blocks of 48 places
//!                  ↓     ↓      ↓
//!   w (a panel):  row 3, row 17, row 40              8 lanes of sums wait in registers
//! ```
//!
//! The inputs of the model are listed once, with the examples (see `examples::lists`). Hidden values change with every
//! batch: behind relu and dropout most of them are zero, and every thread lists them for itself. A few rows are counted
//! first; where too many numbers are not zero, nothing is listed. A skipped term `0·w` would leave the chain as it is.

use super::matrix::{Matrix, for_lanes};
use super::scratch::Scratch;
use super::sparse::{ByInput, GROUP};
use super::transpose::transpose_block;
use crate::examples::lists::BLOCK;
use crate::lane::{F32Lane, PAD};
use crate::plan::layout::PANEL;
use std::ops::Range;

/// How many bytes of weights may be in the first cache, beside everything else.
const FIRST_CACHE: usize = 36 * 1024;

/// Products with at least so many inputs and outputs are worth listing a hidden value for.
const MANY: usize = 128;

/// Below this share of numbers that are not zero it pays to skip the others.
const SPARSE: f64 = 0.35;

/// How many rows are counted to find out.
const COUNTED: usize = 4;

/// Whether a kernel of this size may be multiplied with a hidden value by lists.
pub(crate) fn is_worth_listing(inputs: usize, outputs: usize) -> bool {
    inputs.min(outputs) >= MANY
}

/// Rows whose numbers that are not zero are listed, in blocks of [`BLOCK`] places.
pub(super) trait Listed: Copy {
    /// How many blocks a row has.
    fn blocks(self) -> usize;
    /// Where a block of a row starts among all that are listed; block [`blocks`](Self::blocks) is the row's end.
    ///
    /// # Safety
    /// The row must be one of the batch.
    unsafe fn start(self, row: usize, block: usize) -> usize;
    /// Place and value of a listed number.
    ///
    /// # Safety
    /// It must be one that is listed.
    unsafe fn get(self, i: usize) -> (usize, f32);
    /// Asks memory for what will be read after this row.
    #[inline(always)]
    fn ask_for_next<L: F32Lane>(self, _row: usize) {}
}

/// The weights of a panel: where row 0 of its first column is, and how far apart rows are.
#[derive(Clone, Copy)]
pub(super) struct PanelRows {
    pub(super) start: *const f32,
    pub(super) width: usize,
}

/// Takes a few blocks of inputs at a time for all samples, so that the blocks' weights are read from the first cache;
/// the sums wait in `to`. `finish` makes of a sum what is to stand there.
///
/// # Safety
/// Rows must be those of `x`, `cols` columns of `to` whose weights the panel holds, in whole lanes of [`PAD`].
#[inline(always)]
pub(super) unsafe fn multiply_listed<L: F32Lane, X: Listed>(
    x: X,
    panel: PanelRows,
    to: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
    finish: impl Fn(L, usize) -> L + Copy,
) {
    let first_col = cols.start;
    for_lanes!(L, cols, [8, 4, 2, 1], |j, N| {
        let blocks = (FIRST_CACHE / (BLOCK * N * L::WIDTH * size_of::<f32>())).max(1);
        for first in (0..x.blocks()).step_by(blocks) {
            let last = x.blocks().min(first + blocks);
            for row in rows.clone() {
                // SAFETY: as the caller promises.
                unsafe {
                    let weights = panel.start.add(j - first_col);
                    let panel = PanelRows { start: weights, ..panel };
                    multiply_row::<L, X, N>(x, panel, to, (row, j), first..last, finish);
                }
            }
        }
    });
}

/// Adds the listed numbers of some blocks of one row.
///
/// # Safety
/// As for [`multiply_listed`].
#[inline(always)]
unsafe fn multiply_row<L: F32Lane, X: Listed, const N: usize>(
    x: X,
    panel: PanelRows,
    to: Matrix,
    (row, j): (usize, usize),
    blocks: Range<usize>,
    finish: impl Fn(L, usize) -> L,
) {
    // SAFETY: as the caller promises; places are rows of the panel.
    unsafe {
        let mut acc = [L::splat(0.0); N];
        if blocks.start == 0 {
            x.ask_for_next::<L>(row);
        } else {
            for n in 0..N {
                acc[n] = L::load(to.at(row, j + n * L::WIDTH));
            }
        }
        for i in x.start(row, blocks.start)..x.start(row, blocks.end) {
            let (place, number) = x.get(i);
            let (factor, weights) = (L::splat(number), panel.start.add(place * panel.width));
            for n in 0..N {
                acc[n] = factor.mul_add(L::load(weights.add(n * L::WIDTH)), acc[n]);
            }
        }
        for n in 0..N {
            let col = j + n * L::WIDTH;
            let sum = if blocks.end == x.blocks() { finish(acc[n] + L::splat(0.0), col) } else { acc[n] };
            sum.store(to.at(row, col));
        }
    }
}

/// Whether so many numbers of a value are zero that it pays to skip them, by a few of its rows.
///
/// # Safety
/// The value must have these rows and columns.
#[inline(always)]
unsafe fn is_mostly_zero(x: Matrix, rows: Range<usize>, cols: Range<usize>) -> bool {
    let step = rows.len().div_ceil(COUNTED).max(1);
    let (mut all, mut lit) = (0, 0);
    for row in rows.step_by(step) {
        // SAFETY: as the caller promises.
        let numbers = unsafe { std::slice::from_raw_parts(x.at(row, cols.start), cols.len()) };
        all += numbers.len();
        lit += numbers.iter().filter(|&&number| number != 0.0).count();
    }
    (lit as f64) < SPARSE * all as f64
}

/// The numbers of a hidden value that are not zero, row by row.
#[derive(Clone, Copy)]
pub(super) struct HiddenRows {
    /// For every row and block, and one more at a row's end.
    starts: *mut u32,
    places: *mut u32,
    numbers: *mut f32,
    blocks: usize,
}

impl HiddenRows {
    /// Room for `rows` rows of `width` numbers.
    pub(super) fn take(scratch: &mut Scratch, rows: usize, width: usize) -> Self {
        let blocks = width.div_ceil(BLOCK);
        Self {
            starts: scratch.take_offsets(rows * (blocks + 1)),
            places: scratch.take_offsets(rows * width),
            numbers: scratch.take(rows * width),
            blocks,
        }
    }

    /// The same with the rows of `x` listed; `None` where that does not pay.
    ///
    /// # Safety
    /// `x` must have these rows, and this room have been taken for as many as the last of them.
    #[inline(always)]
    pub(super) unsafe fn list(self, x: Matrix, rows: Range<usize>, width: usize) -> Option<Self> {
        // SAFETY: as the caller promises.
        unsafe {
            if !is_mostly_zero(x, rows.clone(), 0..width) {
                return None;
            }
            let mut count = 0;
            for row in rows {
                let starts = self.starts.add(row * (self.blocks + 1));
                let numbers = x.row(row, width);
                for (block, numbers) in numbers.chunks(BLOCK).enumerate() {
                    *starts.add(block) = count as u32;
                    // Each is written, and only those that are not zero are counted: no branch is guessed wrong.
                    for (place, &number) in (block * BLOCK..).zip(numbers) {
                        *self.places.add(count) = place as u32;
                        *self.numbers.add(count) = number;
                        count += usize::from(number != 0.0);
                    }
                }
                *starts.add(self.blocks) = count as u32;
            }
        }
        Some(self)
    }
}

impl Listed for HiddenRows {
    #[inline(always)]
    fn blocks(self) -> usize {
        self.blocks
    }

    #[inline(always)]
    unsafe fn start(self, row: usize, block: usize) -> usize {
        // SAFETY: as the caller promises.
        unsafe { *self.starts.add(row * (self.blocks + 1) + block) as usize }
    }

    #[inline(always)]
    unsafe fn get(self, i: usize) -> (usize, f32) {
        // SAFETY: as the caller promises.
        unsafe { (*self.places.add(i) as usize, *self.numbers.add(i)) }
    }
}

/// The numbers of a hidden value that are not zero, column by column, and a panel of a gradient beside them.
#[derive(Clone, Copy)]
pub(super) struct HiddenColumns {
    by_input: ByInput,
    /// `batch` rows of a panel's columns.
    panel: *mut f32,
}

impl HiddenColumns {
    /// Room for `batch` rows of `width` numbers.
    pub(super) fn take(scratch: &mut Scratch, batch: usize, width: usize) -> Self {
        // A mask is as long as two numbers.
        let masks = scratch.take(2 * batch.div_ceil(GROUP) * width).cast();
        let stride = batch.next_multiple_of(PAD);
        let columns = scratch.take(stride * width);
        // SAFETY: the room was just taken.
        let columns = unsafe { Matrix::new(columns, stride) };
        Self { by_input: ByInput::new(masks, columns, width), panel: scratch.take(batch * PANEL) }
    }

    /// Columns `cols` of `x` in lists; `None` where that does not pay.
    ///
    /// # Safety
    /// `x` must have `batch` rows and these columns, and this room have been taken for them.
    #[inline(always)]
    pub(super) unsafe fn list<L: F32Lane>(
        self,
        x: Matrix,
        batch: usize,
        cols: Range<usize>,
    ) -> Option<ByInput> {
        // SAFETY: as the caller promises.
        unsafe {
            if !is_mostly_zero(x, 0..batch, cols.clone()) {
                return None;
            }
            transpose_block::<L>(x, self.by_input.columns(), 0..batch, cols.clone());
            self.by_input.mark(batch, cols);
        }
        Some(self.by_input)
    }

    /// Some columns of a gradient side by side: rows of a wide one lie a page apart, and would share a few places of the
    /// first cache.
    ///
    /// # Safety
    /// `dy` must have `batch` rows and these columns, which fit a panel.
    #[inline(always)]
    pub(super) unsafe fn copy(self, dy: Matrix, batch: usize, cols: Range<usize>) -> Matrix {
        // SAFETY: as the caller promises.
        unsafe {
            for b in 0..batch {
                std::ptr::copy_nonoverlapping(dy.at(b, cols.start), self.panel.add(b * PANEL), cols.len());
            }
            Matrix::new(self.panel, PANEL)
        }
    }
}
