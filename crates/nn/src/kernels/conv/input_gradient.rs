//! `dx[i, c] = Σ dy[o, f]·kernel[k, c, f]`, then `·factor` and `·f′(v)`, sample by sample.
//!
//! A number of `dy` that is not zero adds a multiple of its filter to a run of `dx` (see [`super::Spans`]); those that
//! are zero, which behind a relu or max pooling most are, cost nothing. Spans ascend and within a span places
//! descend, filters ascend: so every number of `dx` gets its terms in ascending order of the window's positions
//! and filters.
//!
//! ```text
//!   dy[o, ·]  = 0 0 v 0 w …          dx  … │ + v·kernel[span, ·, f] + w·kernel[span, ·, f′] │ …
//!                   f   f′                 └ from place o + span, in registers for all of dy[o, ·]
//! ```

use super::{Field, Filters, OutputGradient, Scratch, Spans};
use crate::activations::Activation;
use crate::kernels::elementwise::{Formula, Map, multiply_rows};
use crate::kernels::matrix::{Matrix, for_lanes};
use crate::kernels::{Kernel, SimdLevel};
use crate::lane::{F32Lane, PAD};
use crate::ops::Convolution;
use std::ops::Range;

pub(crate) struct ConvolveBack {
    pub(crate) of: Convolution,
    pub(crate) dy: OutputGradient,
    pub(crate) kernel: Filters,
    pub(crate) factor: Option<Matrix>,
    pub(crate) activation: Option<(Activation, Matrix)>,
    pub(crate) out: Matrix,
    pub(crate) scratch: *mut f32,
    pub(crate) samples: Range<usize>,
}

struct Pieces {
    field: Field,
    spans: Spans,
    places: *mut u32,
    /// Span by span, group by group, filter by filter: the span's numbers.
    kernel: *mut f32,
    dy: *mut f32,
    dx: *mut f32,
    /// Of every place the filters whose `dy` is not zero, and where the place's begin.
    filters: *mut u32,
    values: *mut f32,
    starts: *mut u32,
}

impl Pieces {
    fn take(of: Convolution, is_pooled: bool, scratch: &mut Scratch) -> Self {
        let field = Field::new(of.window);
        let (spans, places) = (Spans::new(of, field), of.window.places());
        let list = places * of.group_filters() + PAD;
        Self {
            field,
            spans,
            places: scratch.take_offsets(places),
            kernel: scratch.take(spans.count * of.filters * spans.padded()),
            dy: scratch.take(OutputGradient::scratch(is_pooled, of)),
            dx: scratch.take(field.len()),
            filters: scratch.take_offsets(list),
            values: scratch.take(list),
            starts: scratch.take_offsets(places + 1),
        }
    }

    /// A filter's numbers of a span.
    fn kernel(&self, of: Convolution, span: usize, f: usize) -> *mut f32 {
        self.kernel.wrapping_add((span * of.filters + f) * self.spans.padded())
    }
}

impl Kernel for ConvolveBack {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let of = self.of;
        let is_pooled = matches!(self.dy, OutputGradient::Pooled { .. });
        let pieces = Pieces::take(of, is_pooled, &mut Scratch::new(self.scratch));
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's samples, and as much scratch memory
        // as `take_scratch` asked for.
        unsafe {
            pieces.field.write_places(pieces.places);
            self.pack(&pieces);
            std::ptr::write_bytes(pieces.dy, 0, OutputGradient::scratch(is_pooled, of));
            for sample in self.samples.clone() {
                let dy = self.dy.sample::<L>(sample, pieces.dy, 0..of.filters);
                std::ptr::write_bytes(pieces.dx, 0, pieces.field.len());
                for group in 0..of.groups {
                    self.list(&pieces, dy.add(group * of.group_filters()));
                    for span in 0..pieces.spans.count {
                        self.span::<L>(&pieces, span, group);
                    }
                }
                self.finish::<L>(&pieces, sample);
            }
        }
    }
}

impl ConvolveBack {
    /// Takes what a run needs.
    pub(crate) fn take_scratch(of: Convolution, is_pooled: bool, scratch: &mut Scratch) {
        Pieces::take(of, is_pooled, scratch);
    }

    /// # Safety
    /// The pieces must be those of this convolution.
    #[inline(always)]
    unsafe fn pack(&self, pieces: &Pieces) {
        let len = pieces.spans.len;
        for (f, span) in (0..self.of.filters).flat_map(|f| (0..pieces.spans.count).map(move |span| (f, span)))
        {
            // SAFETY: as the caller promises.
            unsafe {
                let (from, stride) = self.kernel.column(self.of, f);
                let to = pieces.kernel(self.of, span, f);
                for i in 0..len {
                    *to.add(i) = *from.add((span * len + i) * stride);
                }
                for i in len..pieces.spans.padded() {
                    *to.add(i) = 0.0;
                }
            }
        }
    }

    /// Lists what is not zero of a group's `dy`, place by place. Every number is written and the next one written over it
    /// where it is zero, so that nothing is guessed.
    ///
    /// # Safety
    /// `dy` must be a sample from the group's first filter on.
    unsafe fn list(&self, pieces: &Pieces, dy: *const f32) {
        let (places, mut end) = (self.of.window.places(), 0);
        for place in 0..places {
            // SAFETY: as the caller promises; the lists have room for every number and one more.
            unsafe {
                *pieces.starts.add(place) = end as u32;
                let row = dy.add(place * self.of.filters);
                for f in 0..self.of.group_filters() {
                    let value = *row.add(f);
                    *pieces.filters.add(end) = f as u32;
                    *pieces.values.add(end) = value;
                    end += usize::from(value != 0.0);
                }
            }
        }
        // SAFETY: there is one more start than places.
        unsafe { *pieces.starts.add(places) = end as u32 }
    }

    /// Adds a span's terms of all places.
    ///
    /// # Safety
    /// The lists must be the group's.
    #[inline(always)]
    unsafe fn span<L: F32Lane>(&self, pieces: &Pieces, span: usize, group: usize) {
        let (padded, run) = (pieces.spans.padded(), 0..pieces.spans.padded());
        // SAFETY: as the caller promises; a run may reach one lane beyond the picture.
        unsafe {
            let kernel = pieces.kernel(self.of, span, group * self.of.group_filters());
            let dx = pieces.dx.add(pieces.spans.offset(span, group));
            for_lanes!(L, run, [12, 8, 6, 4, 2, 1], |j, N| {
                for place in (0..self.of.window.places()).rev() {
                    let (start, end) = (*pieces.starts.add(place), *pieces.starts.add(place + 1));
                    if start == end {
                        continue;
                    }
                    let to = dx.add(*pieces.places.add(place) as usize + j);
                    let mut acc = [L::splat(0.0); N];
                    for n in 0..N {
                        acc[n] = L::load(to.add(n * L::WIDTH));
                    }
                    for i in start as usize..end as usize {
                        let factor = L::splat(*pieces.values.add(i));
                        let filter = kernel.add(*pieces.filters.add(i) as usize * padded + j);
                        for n in 0..N {
                            acc[n] = factor.mul_add(L::load(filter.add(n * L::WIDTH)), acc[n]);
                        }
                    }
                    for n in 0..N {
                        acc[n].store(to.add(n * L::WIDTH));
                    }
                }
            });
        }
    }

    /// Leaves the padding out, ends the chains, and applies factor and activation.
    ///
    /// # Safety
    /// The sample must be one of this thread's.
    #[inline(always)]
    unsafe fn finish<L: F32Lane>(&self, pieces: &Pieces, sample: usize) {
        let window = self.of.window;
        let width = window.input[1] * window.channels;
        let whole = width - width % L::WIDTH;
        // SAFETY: as the caller promises.
        unsafe {
            for iy in 0..window.input[0] {
                let (from, to) = (pieces.dx.add(pieces.field.row(iy)), self.out.at(sample, iy * width));
                for i in (0..whole).step_by(L::WIDTH) {
                    (L::load(from.add(i)) + L::splat(0.0)).store(to.add(i));
                }
                for i in whole..width {
                    *to.add(i) = *from.add(i) + 0.0;
                }
            }
            let (rows, cols) = (sample..sample + 1, 0..(window.input[0] * width).next_multiple_of(PAD));
            if let Some(factor) = self.factor {
                multiply_rows::<L>(self.out, factor, self.out, rows.clone(), cols.clone());
            }
            if let Some((f, v)) = self.activation {
                let formula = Formula::ActivateGradient(f, self.out);
                SimdLevel::of::<L>().run(Map { formula, a: v, out: self.out, rows, cols });
            }
        }
    }
}
