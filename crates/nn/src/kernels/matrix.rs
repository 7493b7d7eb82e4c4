//! A view of a matrix in a flat buffer, for kernels that several threads run at once.

use crate::lane::{F32Lane, PAD};
use std::ops::Range;

/// Where a matrix starts and how far apart its rows are.
///
/// It is a plain pointer: the run loop gives every thread of a step its own rows or columns to
/// write, and a barrier stands between a step that writes a range and one that reads it.
#[derive(Clone, Copy)]
pub(crate) struct Matrix {
    start: *mut f32,
    pub(crate) stride: usize,
}

// SAFETY: see the type's comment: no two threads use the same number at the same time unless both
// only read it.
unsafe impl Send for Matrix {}
// SAFETY: as above.
unsafe impl Sync for Matrix {}

impl Matrix {
    /// # Safety
    /// The pointer must be valid for all rows that are used, as long as the view is used.
    pub(crate) unsafe fn new(start: *mut f32, stride: usize) -> Self {
        Self { start, stride }
    }

    /// # Safety
    /// The row and column must be inside the matrix.
    #[inline(always)]
    pub(crate) unsafe fn at(self, row: usize, col: usize) -> *mut f32 {
        // SAFETY: as the caller promises.
        unsafe { self.start.add(row * self.stride + col) }
    }

    /// # Safety
    /// The row must be inside the matrix, and nobody may write it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn row<'a>(self, row: usize, width: usize) -> &'a [f32] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(self.at(row, 0), width) }
    }

    /// # Safety
    /// The row must be inside the matrix, and nobody else may use it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn row_mut<'a>(self, row: usize, width: usize) -> &'a mut [f32] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.at(row, 0), width) }
    }
}

/// A view of a variable in kernel order: panels of columns, one after the other, each row by row.
///
/// ```text
///  columns   0 … width−1        width … 2·width−1
///            ┌───────────┐      ┌───────────┐
///  row 0     │ 0 1 2 …   │      │           │
///  row 1     │           │      │           │     memory: all of the first panel,
///  …         └───────────┘      └───────────┘     then all of the second, …
/// ```
///
/// A thread that owns some columns owns whole panels, so no two threads write neighbouring memory,
/// and a product reads its panel without gaps.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    start: *mut f32,
    rows: usize,
    /// Columns per panel: whole lanes of [`PAD`].
    pub(crate) width: usize,
}

// SAFETY: as for `Matrix`.
unsafe impl Send for Panels {}
// SAFETY: as for `Matrix`.
unsafe impl Sync for Panels {}

impl Panels {
    /// # Safety
    /// The pointer must be valid for all panels, as long as the view is used.
    pub(crate) unsafe fn new(start: *mut f32, rows: usize, width: usize) -> Self {
        Self { start, rows, width }
    }

    /// Where row 0 of column `col` is; the next rows follow `width` numbers apart.
    ///
    /// # Safety
    /// The column must be inside the variable.
    #[inline(always)]
    pub(crate) unsafe fn column(self, col: usize) -> *mut f32 {
        // SAFETY: as the caller promises.
        unsafe { self.start.add(self.offset(col)) }
    }

    /// How far row 0 of column `col` is from the variable's start.
    #[inline(always)]
    pub(crate) fn offset(self, col: usize) -> usize {
        col / self.width * self.rows * self.width + col % self.width
    }

    /// Where some rows and columns are: ranges of numbers that follow each other, counted from the variable's start.
    #[inline(always)]
    pub(crate) fn ranges(self, rows: Range<usize>, cols: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        self.spans(cols).flat_map(move |cols| {
            let first = self.offset(cols.start);
            // The rows of a whole panel follow each other.
            let together = if cols.len() == self.width { rows.len().max(1) } else { 1 };
            rows.clone().step_by(together).map(move |row| {
                let start = first + row * self.width;
                start..start + together * cols.len()
            })
        })
    }

    /// The parts of a range of columns that each lie in one panel.
    #[inline(always)]
    pub(crate) fn spans(self, cols: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let first = cols.start / self.width;
        let last = cols.end.div_ceil(self.width);
        (first..last)
            .map(move |panel| (panel * self.width).max(cols.start)..((panel + 1) * self.width).min(cols.end))
    }
}

/// Which part of a step a thread does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) worker: usize,
    pub(crate) workers: usize,
}

impl Part {
    /// This thread's share of `count` things, in whole multiples of `unit`.
    pub(crate) fn span(self, count: usize, unit: usize) -> Range<usize> {
        let units = count.div_ceil(unit);
        let each = units.div_ceil(self.workers);
        let from = (self.worker * each * unit).min(count);
        let to = ((self.worker + 1) * each * unit).min(count);
        from..to
    }

    /// This thread's share of the samples of a batch: the same in every step.
    pub(crate) fn samples(self, batch: usize) -> Range<usize> {
        self.span(batch, PAD)
    }

    /// This thread's columns of a variable with panels of `width`, where every thread gets some.
    pub(crate) fn columns(self, cols: usize, width: usize) -> Option<Range<usize>> {
        let padded = cols.next_multiple_of(PAD);
        (padded.div_ceil(width) >= self.workers).then(|| self.span(padded, width))
    }
}

/// Runs `$body` for groups of lanes of `$cols`, the widest that fit first: `$j` is the group's first
/// column and `$N` the constant number of lanes in it.
macro_rules! for_lanes {
    ($L:ty, $cols:expr, [$($n:literal),*], |$j:ident, $N:ident| $body:expr) => {{
        let mut $j = $cols.start;
        $(
            while $cols.end - $j >= $n * <$L as $crate::lane::F32Lane>::WIDTH {
                const $N: usize = $n;
                $body;
                $j += $n * <$L as $crate::lane::F32Lane>::WIDTH;
            }
        )*
    }};
}
pub(crate) use for_lanes;

/// The most rows of a tile.
pub(crate) const TILE_ROWS: usize = 6;

/// Runs `$body` for tiles of `$rows` × lanes of `$cols`: `$M` rows from `$row`, `$N` lanes from `$j`.
///
/// A tile's sums stay in registers, beside a row of lanes and one broadcast number: 6 × 4 of 32 registers, or
/// 6 × 2 of 16. Both have enough chains to hide the latency of the multiply-adds, and load less than they multiply.
macro_rules! for_tiles {
    ($L:ty, $rows:expr, $cols:expr, |$row:ident, $M:ident, $j:ident, $N:ident| $body:expr) => {
        if <$L as $crate::lane::F32Lane>::REGISTERS >= 32 {
            $crate::kernels::matrix::for_lanes!($L, $cols, [4, 2, 1], |$j, $N| {
                $crate::kernels::matrix::for_rows!($rows, [6, 4, 2, 1], |$row, $M| $body)
            });
        } else {
            $crate::kernels::matrix::for_lanes!($L, $cols, [2, 1], |$j, $N| {
                $crate::kernels::matrix::for_rows!($rows, [6, 4, 2, 1], |$row, $M| $body)
            });
        }
    };
}
pub(crate) use for_tiles;

/// Runs `$body` for groups of `$rows`, the largest that fit first: `$M` rows from `$row`.
macro_rules! for_rows {
    ($rows:expr, [$($m:literal),*], |$row:ident, $M:ident| $body:expr) => {{
        let mut $row = $rows.start;
        $(
            while $rows.end - $row >= $m {
                const $M: usize = $m;
                $body;
                $row += $m;
            }
        )*
    }};
}
pub(crate) use for_rows;

/// `acc[m][n] += Σₖ a[m, k]·b[k, n]` for `M` rows and `N` lanes of columns: the next `depth` links of
/// one ascending chain per number.
///
/// ```text
///             b: k × N lanes
///             ┌────┬────┐
///  a: M × k   │ →  │ →  │   one row of b at a time, each lane loaded once,
///  ┌──────┐   ├────┼────┤   times M broadcast numbers of a
///  │      │   │acc │acc │   M × N sums stay in registers
///  └──────┘   └────┴────┘
/// ```
///
/// # Safety
/// `a` must be valid at `m·a_row + k·a_col` and `b` at `k·b_stride` for `N` lanes, for all m < `M` and
/// k < `depth`.
#[inline(always)]
pub(crate) unsafe fn add_product<L: F32Lane, const M: usize, const N: usize>(
    acc: &mut [[L; N]; M],
    (a, a_row, a_col): (*const f32, usize, usize),
    (b, b_stride): (*const f32, usize),
    depth: usize,
) {
    for k in 0..depth {
        // SAFETY: as the caller promises.
        unsafe {
            let mut lanes = [L::splat(0.0); N];
            for n in 0..N {
                lanes[n] = L::load(b.add(k * b_stride + n * L::WIDTH));
            }
            for m in 0..M {
                let factor = L::splat(*a.add(m * a_row + k * a_col));
                for n in 0..N {
                    acc[m][n] = factor.mul_add(lanes[n], acc[m][n]);
                }
            }
        }
    }
}

/// The end of a chain: `+ 0`, so that no sum is −0 and leaving out terms `0·w` changes nothing.
#[inline(always)]
pub(crate) fn end_chains<L: F32Lane, const M: usize, const N: usize>(acc: &mut [[L; N]; M]) {
    for row in acc {
        for sum in row {
            *sum = *sum + L::splat(0.0);
        }
    }
}
