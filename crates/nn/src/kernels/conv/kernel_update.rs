//! How a convolution's kernel and bias move: the whole gradient of a thread's filters, sample by sample, then the
//! optimizer's pass behind it.
//!
//! `g[k, c, f] = Σ x[i, c]·dy[o, f]`, samples ascending, places ascending. Two ways to the same bits:
//!
//! - *Spans*, where the pixels under a row of the window fill several lanes: a filter's numbers of `dy` that are not
//!   zero are listed, and each adds a multiple of the run of `x` under it. The zeros that relu and max pooling
//!   leave cost nothing.
//! - *Taps*, where there are few channels: tiles of a few taps × lanes of filters over all places.

use super::forward::store_some;
use super::{Field, OutputGradient, Scratch, Spans, write_taps};
use crate::kernels::Kernel;
use crate::kernels::matrix::Matrix;
use crate::kernels::matrix::TILE_ROWS;
use crate::kernels::matrix::for_lanes;
use crate::kernels::update::{Gradient, Moving};
use crate::lane::{F32Lane, PAD};
use crate::ops::Convolution;
use std::ops::Range;

/// Spans this long are worth their lists.
const LONG: usize = 32;

fn by_spans(of: Convolution) -> bool {
    Spans::new(of, Field::new(of.window)).len >= LONG
}

/// Moves a kernel.
pub(crate) struct ConvolutionUpdate<'a> {
    pub(crate) of: Convolution,
    pub(crate) x: Matrix,
    pub(crate) dy: OutputGradient,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    /// Columns of the variable: the filters, or of a depthwise kernel the multiplier.
    pub(crate) cols: usize,
    pub(crate) scratch: *mut f32,
    /// This thread's taps, whole multiples of [`ConvolutionUpdate::unit`], and filters.
    pub(crate) taps: Range<usize>,
    pub(crate) filters: Range<usize>,
}

struct Pieces {
    field: Field,
    spans: Spans,
    taps: *mut u32,
    places: *mut u32,
    picture: *mut f32,
    dy: *mut f32,
    /// Filter by filter, its taps span by span; or tap by tap, its filters.
    gradient: *mut f32,
    /// For each of 16 filters the pixels under the places whose `dy` is not zero.
    pixels: *mut u32,
    values: *mut f32,
}

/// Filters whose lists are made at a time.
const LISTS: usize = PAD;

impl Pieces {
    fn take(of: Convolution, is_pooled: bool, scratch: &mut Scratch) -> Self {
        let mut field = Field::new(of.window);
        let (spans, places) = (Spans::new(of, field), of.window.places());
        // Lanes may reach beyond a span, but not beyond the sample.
        field.is_copied |= by_spans(of) && spans.padded() > spans.len;
        let filters = of.filters.next_multiple_of(PAD);
        let (gradient, lists) = if by_spans(of) {
            (filters * spans.count * spans.padded(), LISTS * places)
        } else {
            (of.depth() * filters, 0)
        };
        Self {
            field,
            spans,
            taps: scratch.take_offsets(of.depth()),
            places: scratch.take_offsets(places),
            picture: scratch.take(if field.is_copied { field.len() } else { 0 }),
            dy: scratch.take(OutputGradient::scratch(is_pooled, of)),
            gradient: scratch.take(gradient),
            pixels: scratch.take_offsets(lists),
            values: scratch.take(lists),
        }
    }
}

impl Kernel for ConvolutionUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let of = self.of;
        let is_pooled = matches!(self.dy, OutputGradient::Pooled { .. });
        let pieces = Pieces::take(of, is_pooled, &mut Scratch::new(self.scratch));
        let filters = self.filters.start..self.filters.end.min(of.filters);
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's taps and filters, and as much scratch
        // memory as `take_scratch` asked for.
        unsafe {
            pieces.field.write_places(pieces.places);
            write_taps(of, pieces.field, pieces.taps);
            let count = self.gradient_len(&pieces);
            std::ptr::write_bytes(pieces.gradient, 0, count);
            std::ptr::write_bytes(pieces.dy, 0, OutputGradient::scratch(is_pooled, of));
            if pieces.field.is_copied {
                std::ptr::write_bytes(pieces.picture, 0, pieces.field.len());
            }
            for sample in 0..self.batch {
                let x = pieces.field.sample(self.x.at(sample, 0), pieces.picture);
                let dy = self.dy.sample::<L>(sample, pieces.dy, filters.clone());
                if by_spans(of) {
                    for first in filters.clone().step_by(LISTS) {
                        self.spans::<L>(&pieces, x, dy, first..filters.end.min(first + LISTS));
                    }
                } else {
                    self.tiles::<L>(&pieces, x, dy, filters.clone());
                }
            }
            self.finish::<L>(&pieces);
        }
    }
}

impl ConvolutionUpdate<'_> {
    /// Takes what a run needs.
    pub(crate) fn take_scratch(of: Convolution, is_pooled: bool, scratch: &mut Scratch) {
        Pieces::take(of, is_pooled, scratch);
    }

    /// How many taps threads may not divide between them.
    pub(crate) fn unit(of: Convolution) -> usize {
        if by_spans(of) { Spans::new(of, Field::new(of.window)).len } else { 1 }
    }

    fn gradient_len(&self, pieces: &Pieces) -> usize {
        let filters = self.filters.len();
        if by_spans(self.of) {
            filters * pieces.spans.count * pieces.spans.padded()
        } else {
            self.of.depth() * filters.next_multiple_of(PAD)
        }
    }

    /// Where a tap's gradients are, and how far apart those of neighbouring filters are.
    fn tap(&self, pieces: &Pieces, tap: usize) -> (*const f32, usize) {
        let spans = pieces.spans;
        let (at, stride) = if by_spans(self.of) {
            (tap / spans.len * spans.padded() + tap % spans.len, spans.count * spans.padded())
        } else {
            (tap * self.filters.len().next_multiple_of(PAD), 1)
        };
        (pieces.gradient.wrapping_add(at), stride)
    }

    /// Adds a sample's terms of up to [`LISTS`] filters.
    ///
    /// # Safety
    /// `x` must be a padded sample, `dy` its gradient, the filters this thread's.
    #[inline(always)]
    unsafe fn spans<L: F32Lane>(
        &self,
        pieces: &Pieces,
        x: *const f32,
        dy: *const f32,
        filters: Range<usize>,
    ) {
        let (spans, places) = (pieces.spans, self.of.window.places());
        // SAFETY: as the caller promises.
        unsafe {
            let counts = self.list(pieces, dy, filters.clone());
            for (i, f) in filters.enumerate() {
                let (pixels, values) = (pieces.pixels.add(i * places), pieces.values.add(i * places));
                let own = (f - self.filters.start) * spans.count;
                for span in self.taps.start / spans.len..self.taps.end / spans.len {
                    let x = x.add(spans.offset(span, f / self.of.group_filters()));
                    let to = pieces.gradient.add((own + span) * spans.padded());
                    let run = 0..spans.padded();
                    let count = counts[i];
                    for_lanes!(L, run, [12, 8, 6, 4, 2, 1], |j, N| {
                        let mut acc = [L::splat(0.0); N];
                        for n in 0..N {
                            acc[n] = L::load(to.add(j + n * L::WIDTH));
                        }
                        for i in 0..count {
                            let factor = L::splat(*values.add(i));
                            let x = x.add(*pixels.add(i) as usize + j);
                            for n in 0..N {
                                acc[n] = factor.mul_add(L::load(x.add(n * L::WIDTH)), acc[n]);
                            }
                        }
                        for n in 0..N {
                            acc[n].store(to.add(j + n * L::WIDTH));
                        }
                    });
                }
            }
        }
    }

    /// Lists for each filter the places whose gradient is not zero; gives how many there are.
    ///
    /// # Safety
    /// As for [`Self::spans`].
    #[inline(always)]
    unsafe fn list(&self, pieces: &Pieces, dy: *const f32, filters: Range<usize>) -> [usize; LISTS] {
        let (places, mut counts) = (self.of.window.places(), [0; LISTS]);
        for place in 0..places {
            // SAFETY: as the caller promises.
            unsafe {
                let row = dy.add(place * self.of.filters + filters.start);
                let pixel = *pieces.places.add(place);
                for i in 0..filters.len() {
                    let value = *row.add(i);
                    let at = i * places + counts[i];
                    *pieces.pixels.add(at) = pixel;
                    *pieces.values.add(at) = value;
                    counts[i] += usize::from(value != 0.0);
                }
            }
        }
        counts
    }

    /// Adds a sample's terms.
    ///
    /// # Safety
    /// As for [`Self::spans`].
    #[inline(always)]
    unsafe fn tiles<L: F32Lane>(
        &self,
        pieces: &Pieces,
        x: *const f32,
        dy: *const f32,
        filters: Range<usize>,
    ) {
        let of = self.of;
        let size = of.group_filters();
        for group in filters.start / size..filters.end.div_ceil(size) {
            let own = (group * size).max(filters.start)..((group + 1) * size).min(filters.end);
            // SAFETY: as the caller promises.
            unsafe {
                let x = x.add(group * of.group_channels());
                let mut f = own.start;
                while f < own.end {
                    let lanes = if own.end - f > L::WIDTH { 2 } else { 1 };
                    let columns = f..own.end.min(f + lanes * L::WIDTH);
                    match lanes {
                        2 => self.rows::<L, 2>(pieces, x, dy, columns),
                        _ => self.rows::<L, 1>(pieces, x, dy, columns),
                    }
                    f += lanes * L::WIDTH;
                }
            }
        }
    }

    /// All of this thread's taps, as many at a time as there are registers for, in tiles of about the same height.
    ///
    /// # Safety
    /// As for [`Self::spans`].
    #[inline(always)]
    unsafe fn rows<L: F32Lane, const N: usize>(
        &self,
        pieces: &Pieces,
        x: *const f32,
        dy: *const f32,
        columns: Range<usize>,
    ) {
        const MOST: usize = 6;
        let height = self.taps.len().div_ceil(self.taps.len().div_ceil(MOST).max(1));
        for first in self.taps.clone().step_by(height.max(1)) {
            let taps = first..self.taps.end.min(first + height);
            // SAFETY: as the caller promises.
            unsafe {
                match height {
                    0..=2 => self.tile::<L, 2, N>(pieces, x, dy, taps, columns.clone()),
                    3 => self.tile::<L, 3, N>(pieces, x, dy, taps, columns.clone()),
                    4 => self.tile::<L, 4, N>(pieces, x, dy, taps, columns.clone()),
                    5 => self.tile::<L, 5, N>(pieces, x, dy, taps, columns.clone()),
                    _ => self.tile::<L, MOST, N>(pieces, x, dy, taps, columns.clone()),
                }
            }
        }
    }

    /// Up to `M` taps × `N` lanes of filters; where there are fewer taps, the last is repeated.
    ///
    /// # Safety
    /// As for [`Self::spans`].
    #[inline(always)]
    unsafe fn tile<L: F32Lane, const M: usize, const N: usize>(
        &self,
        pieces: &Pieces,
        x: *const f32,
        dy: *const f32,
        taps: Range<usize>,
        columns: Range<usize>,
    ) {
        let stride = self.filters.len().next_multiple_of(PAD);
        // SAFETY: as the caller promises; lanes may reach beyond the filters, where their numbers are not stored, but not
        // beyond the sample.
        unsafe {
            let (mut pixels, mut to) = ([x; M], [pieces.gradient; M]);
            let mut acc = [[L::splat(0.0); N]; M];
            for m in 0..M {
                let tap = (taps.start + m).min(taps.end - 1);
                pixels[m] = x.add(*pieces.taps.add(tap) as usize);
                to[m] = pieces.gradient.add(tap * stride + columns.start - self.filters.start);
                for n in 0..N {
                    acc[m][n] = load_some(to[m].add(n * L::WIDTH), columns.len() - n * L::WIDTH);
                }
            }
            let width = self.of.output_width();
            for place in 0..self.of.window.places() {
                let pixel = *pieces.places.add(place) as usize;
                let row = place * self.of.filters + columns.start;
                let mut lanes = [L::splat(0.0); N];
                for n in 0..N {
                    let first = n * L::WIDTH;
                    lanes[n] = load_inside(dy, row + first, columns.len() - first, width);
                }
                for m in 0..M {
                    let factor = L::splat(*pixels[m].add(pixel));
                    for n in 0..N {
                        acc[m][n] = factor.mul_add(lanes[n], acc[m][n]);
                    }
                }
            }
            for m in 0..M {
                for n in 0..N {
                    store_some(acc[m][n], to[m].add(n * L::WIDTH), columns.len() - n * L::WIDTH);
                }
            }
        }
    }

    /// Moves the weights: all of them, or of a depthwise kernel, whose rows are taps and channels, tap by tap.
    ///
    /// # Safety
    /// The gradient must be complete.
    #[inline(always)]
    unsafe fn finish<L: F32Lane>(&self, pieces: &Pieces) {
        let channels = self.of.filters / self.cols;
        let cols = if channels == 1 { self.filters.clone() } else { 0..self.cols.next_multiple_of(PAD) };
        let own = self.filters.start / self.cols..self.filters.end / self.cols;
        for tap in self.taps.clone().step_by(if channels == 1 { self.taps.len().max(1) } else { 1 }) {
            let rows = if channels == 1 {
                self.taps.clone()
            } else {
                tap * channels + own.start..tap * channels + own.end
            };
            // SAFETY: as the caller promises.
            unsafe { self.move_rows::<L>(pieces, rows, cols.clone()) }
        }
    }

    /// Ends the chains and moves a few rows of the variable at a time.
    ///
    /// # Safety
    /// Rows and columns must be inside the variable, the gradient complete.
    #[inline(always)]
    unsafe fn move_rows<L: F32Lane>(&self, pieces: &Pieces, rows: Range<usize>, cols: Range<usize>) {
        let channels = self.of.filters / self.cols;
        let mut some = Gradient::new();
        for cols in self.moving.weights.spans(cols) {
            for first in rows.clone().step_by(TILE_ROWS) {
                let rows = first..rows.end.min(first + TILE_ROWS);
                // SAFETY: as the caller promises; a panel's columns fit the gradient of a few rows.
                unsafe {
                    for (i, row) in rows.clone().enumerate() {
                        let (tap, stride) = self.tap(pieces, row / channels);
                        let filters = row % channels * self.cols;
                        for (j, col) in cols.clone().enumerate() {
                            let is_padding = col >= self.cols;
                            let f = (filters + col).wrapping_sub(self.filters.start);
                            some.0[i * cols.len() + j] =
                                if is_padding { 0.0 } else { *tap.add(f * stride) + 0.0 };
                        }
                    }
                    self.moving.rows::<L>(rows, cols.clone(), some.start());
                }
            }
        }
    }
}

/// The first `count` numbers of a lane, the others 0.
///
/// # Safety
/// `from` must be valid for reading them.
#[inline(always)]
unsafe fn load_some<L: F32Lane>(from: *const f32, count: usize) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        if count >= L::WIDTH {
            return L::load(from);
        }
        let mut numbers = [0.0_f32; PAD];
        std::ptr::copy_nonoverlapping(from, numbers.as_mut_ptr(), count);
        L::load(numbers.as_ptr())
    }
}

/// The lane at number `at` of a sample of `width` numbers; only its first `count` numbers matter, and no more are read
/// where the lane would leave the sample.
///
/// # Safety
/// `sample` must be a sample with `count` numbers from `at` on.
#[inline(always)]
unsafe fn load_inside<L: F32Lane>(sample: *const f32, at: usize, count: usize, width: usize) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        if at + L::WIDTH <= width {
            L::load(sample.add(at))
        } else {
            load_some(sample.wrapping_add(at), count)
        }
    }
}

/// Moves a bias: `g[f] = Σ dy[o, f]`, samples ascending, places ascending.
pub(crate) struct ConvolutionBiasUpdate<'a> {
    pub(crate) dy: OutputGradient,
    /// Numbers per sample of `dy`.
    pub(crate) width: usize,
    pub(crate) count: usize,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    pub(crate) scratch: *mut f32,
    pub(crate) cols: Range<usize>,
}

impl ConvolutionBiasUpdate<'_> {
    /// Takes what a run needs for `count` filters.
    pub(crate) fn take_scratch(width: usize, count: usize, scratch: &mut Scratch) -> (*mut f32, *mut f32) {
        (scratch.take(width + PAD), scratch.take(count.next_multiple_of(PAD)))
    }

    /// Adds a sample's gradients.
    ///
    /// # Safety
    /// `dy` must be a sample, `sums` valid for the columns.
    #[inline(always)]
    unsafe fn add<L: F32Lane>(&self, dy: *const f32, sums: *mut f32) {
        let cols = self.cols.clone();
        for_lanes!(L, cols, [8, 4, 2, 1], |j, N| {
            // SAFETY: as the caller promises; lanes may reach beyond the filters, where their sums are left out, but not
            // beyond the sample.
            unsafe {
                let sums = sums.add(j - self.cols.start);
                let mut acc = [L::splat(0.0); N];
                for n in 0..N {
                    acc[n] = L::load(sums.add(n * L::WIDTH));
                }
                for row in (0..self.width).step_by(self.count) {
                    for n in 0..N {
                        let f = j + n * L::WIDTH;
                        acc[n] = acc[n] + load_inside(dy, row + f, self.count.saturating_sub(f), self.width);
                    }
                }
                for n in 0..N {
                    acc[n].store(sums.add(n * L::WIDTH));
                }
            }
        });
    }
}

impl Kernel for ConvolutionBiasUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let (scratch, sums) = Self::take_scratch(self.width, self.count, &mut Scratch::new(self.scratch));
        let filters = self.cols.start..self.cols.end.min(self.count);
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's columns, and as much scratch memory
        // as `take_scratch` asked for.
        unsafe {
            std::ptr::write_bytes(scratch, 0, self.width + PAD);
            std::ptr::write_bytes(sums, 0, self.cols.len());
            for sample in 0..self.batch {
                self.add::<L>(self.dy.sample::<L>(sample, scratch, filters.clone()), sums);
            }
            let mut some = Gradient::new();
            for cols in self.moving.weights.spans(self.cols.clone()) {
                for (i, col) in cols.clone().enumerate() {
                    let sum = *sums.add(col - self.cols.start) + 0.0;
                    some.0[i] = if col < self.count { sum } else { 0.0 };
                }
                self.moving.rows::<L>(0..1, cols, some.start());
            }
        }
    }
}
