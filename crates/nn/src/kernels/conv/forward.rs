//! `out = pool(f(x ∗ kernel + bias))`, sample by sample, so that what lies between stays in the cache.
//!
//! A tile is a few places of the output × two lanes of filters: one number of the picture times two lanes of the
//! kernel at a time, in ascending order of the taps.

use super::{Field, Filters, Scratch, write_taps};
use crate::activations::Activation;
use crate::kernels::elementwise::{Formula, Map};
use crate::kernels::matrix::{Matrix, Panels};
use crate::kernels::pool::max;
use crate::kernels::{Kernel, SimdLevel};
use crate::lane::{F32Lane, PAD};
use crate::ops::Convolution;
use crate::window::Window;
use std::ops::Range;

/// The pooling behind a convolution.
#[derive(Clone, Copy)]
pub(crate) struct MaxPool {
    pub(crate) window: Window,
    pub(crate) out: Matrix,
    pub(crate) position: Option<Matrix>,
}

pub(crate) struct Convolve {
    pub(crate) of: Convolution,
    pub(crate) x: Matrix,
    pub(crate) kernel: Filters,
    pub(crate) bias: Option<Panels>,
    /// Where `x ∗ kernel + bias` is kept, where somebody reads it.
    pub(crate) convolved: Option<Matrix>,
    pub(crate) activation: Activation,
    /// Where `f(·)` is kept, where somebody reads it.
    pub(crate) active: Option<Matrix>,
    pub(crate) pool: Option<MaxPool>,
    pub(crate) scratch: *mut f32,
    pub(crate) samples: Range<usize>,
}

/// The pieces of scratch memory.
struct Pieces {
    field: Field,
    taps: *mut u32,
    places: *mut u32,
    kernel: *mut f32,
    bias: *mut f32,
    picture: *mut f32,
    active: *mut f32,
}

impl Pieces {
    fn take(of: Convolution, is_kept: bool, scratch: &mut Scratch) -> Self {
        let field = Field::new(of.window);
        let columns = of.groups * of.group_filters().next_multiple_of(PAD);
        Self {
            field,
            taps: scratch.take_offsets(of.depth()),
            places: scratch.take_offsets(of.window.places()),
            kernel: scratch.take(of.depth() * columns),
            bias: scratch.take(columns),
            picture: scratch.take(if field.is_copied { field.len() } else { 0 }),
            active: scratch.take(if is_kept { 0 } else { of.output_width() + PAD }),
        }
    }
}

/// Lanes of filters in a tile.
const LANES: usize = 2;

impl Kernel for Convolve {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let of = self.of;
        let pieces = Pieces::take(of, self.active.is_some(), &mut Scratch::new(self.scratch));
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's samples, and as much scratch memory
        // as `take_scratch` asked for.
        unsafe {
            pieces.field.write_places(pieces.places);
            write_taps(of, pieces.field, pieces.taps);
            self.pack::<L>(&pieces);
            if pieces.field.is_copied {
                std::ptr::write_bytes(pieces.picture, 0, pieces.field.len());
            }
            for sample in self.samples.clone() {
                let x = pieces.field.sample(self.x.at(sample, 0), pieces.picture);
                let active = self.active.map_or(pieces.active, |active| active.at(sample, 0));
                let convolved = self.convolved.map_or(active, |convolved| convolved.at(sample, 0));
                for group in 0..of.groups {
                    self.group::<L>(&pieces, group, x, convolved);
                }
                self.activate::<L>(convolved, active);
                if let Some(MaxPool { window, out, position }) = self.pool {
                    max::<L>(active, window, out.at(sample, 0), position.map(|to| to.at(sample, 0)));
                }
            }
        }
    }
}

impl Convolve {
    /// Takes what a run needs.
    pub(crate) fn take_scratch(of: Convolution, is_kept: bool, scratch: &mut Scratch) {
        Pieces::take(of, is_kept, scratch);
    }

    /// Writes the kernel in blocks of as many columns as a tile has, each tap by tap, and the bias; both 0 where a
    /// group's filters end within a lane.
    ///
    /// # Safety
    /// The pieces must be those of this convolution.
    #[inline(always)]
    unsafe fn pack<L: F32Lane>(&self, pieces: &Pieces) {
        let of = self.of;
        let (filters, padded) = (of.group_filters(), of.group_filters().next_multiple_of(PAD));
        for (group, j) in (0..of.groups).flat_map(|group| (0..padded).map(move |j| (group, j))) {
            let block = j / (LANES * L::WIDTH) * LANES * L::WIDTH;
            let width = (padded - block).min(LANES * L::WIDTH);
            let f = group * filters + j;
            // SAFETY: as the caller promises.
            unsafe {
                let to = pieces.kernel.add((group * padded + block) * of.depth() + j - block);
                let (from, stride) = self.kernel.column(of, if j < filters { f } else { 0 });
                for tap in 0..of.depth() {
                    *to.add(tap * width) = if j < filters { *from.add(tap * stride) } else { 0.0 };
                }
                let bias = self.bias.filter(|_| j < filters).map_or(0.0, |bias| *bias.column(f));
                *pieces.bias.add(group * padded + j) = bias;
            }
        }
    }

    /// # Safety
    /// `x` must be a padded sample, `out` valid for a sample of the output.
    #[inline(always)]
    unsafe fn group<L: F32Lane>(&self, pieces: &Pieces, group: usize, x: *const f32, out: *mut f32) {
        let of = self.of;
        let padded = of.group_filters().next_multiple_of(PAD);
        for j in (0..padded).step_by(LANES * L::WIDTH) {
            // SAFETY: as the caller promises.
            unsafe {
                let columns = Columns {
                    x: x.add(group * of.group_channels()),
                    kernel: pieces.kernel.add((group * padded + j) * of.depth()),
                    bias: self.bias.map(|_| pieces.bias.add(group * padded + j).cast_const()),
                    out: out.add(group * of.group_filters()).wrapping_add(j),
                    count: of.group_filters().saturating_sub(j),
                };
                match (padded - j >= LANES * L::WIDTH, L::WIDTH) {
                    (true, 16) => self.columns::<L, 12, LANES>(pieces, &columns),
                    (true, _) => self.columns::<L, 6, LANES>(pieces, &columns),
                    (false, _) => self.columns::<L, 12, 1>(pieces, &columns),
                }
            }
        }
    }

    /// `N` lanes of filters at all places, `M` at a time; the last tile repeats the last place.
    ///
    /// # Safety
    /// As for [`Self::group`].
    #[inline(always)]
    unsafe fn columns<L: F32Lane, const M: usize, const N: usize>(&self, pieces: &Pieces, columns: &Columns) {
        let (places, filters, depth) = (self.of.window.places(), self.of.filters, self.of.depth());
        let last = places - 1;
        for first in (0..places).step_by(M) {
            // SAFETY: as the caller promises.
            unsafe {
                let mut x = [columns.x; M];
                for m in 0..M {
                    x[m] = columns.x.add(*pieces.places.add((first + m).min(last)) as usize);
                }
                let mut acc = [[L::splat(0.0); N]; M];
                for tap in 0..depth {
                    let offset = *pieces.taps.add(tap) as usize;
                    let mut lanes = [L::splat(0.0); N];
                    for n in 0..N {
                        lanes[n] = L::load(columns.kernel.add((tap * N + n) * L::WIDTH));
                    }
                    for m in 0..M {
                        let factor = L::splat(*x[m].add(offset));
                        for n in 0..N {
                            acc[m][n] = factor.mul_add(lanes[n], acc[m][n]);
                        }
                    }
                }
                for m in 0..M {
                    let out = columns.out.wrapping_add((first + m).min(last) * filters);
                    for n in 0..N {
                        let mut sum = acc[m][n] + L::splat(0.0);
                        if let Some(bias) = columns.bias {
                            sum = sum + L::load(bias.add(n * L::WIDTH));
                        }
                        let at = out.wrapping_add(n * L::WIDTH);
                        store_some(sum, at, columns.count.saturating_sub(n * L::WIDTH));
                    }
                }
            }
        }
    }

    /// Whole lanes, then number by number: what pads a row stays 0.
    ///
    /// # Safety
    /// Both must be valid for a sample's output.
    #[inline(always)]
    unsafe fn activate<L: F32Lane>(&self, from: *mut f32, to: *mut f32) {
        let (count, formula) = (self.of.output_width(), Formula::Activate(self.activation));
        let whole = count - count % L::WIDTH;
        // SAFETY: as the caller promises.
        let (a, out) = unsafe { (Matrix::new(from, 0), Matrix::new(to, 0)) };
        SimdLevel::of::<L>().run(Map { formula, a, out, rows: 0..1, cols: 0..whole });
        if whole < count {
            SimdLevel::Scalar.run(Map { formula, a, out, rows: 0..1, cols: whole..count });
        }
    }
}

/// What the tiles of a few columns read and write.
struct Columns {
    x: *const f32,
    kernel: *const f32,
    bias: Option<*const f32>,
    out: *mut f32,
    /// How many of the columns are filters; the others are padding and have no place in the output.
    count: usize,
}

/// Writes the first `count` numbers of a lane, or all.
///
/// # Safety
/// `to` must be valid for writing them.
#[inline(always)]
pub(super) unsafe fn store_some<L: F32Lane>(lane: L, to: *mut f32, count: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        if count >= L::WIDTH {
            lane.store(to);
        } else if count > 0 {
            let mut numbers = [0.0_f32; PAD];
            lane.store(numbers.as_mut_ptr());
            std::ptr::copy_nonoverlapping(numbers.as_ptr(), to, count);
        }
    }
}
