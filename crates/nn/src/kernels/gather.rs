//! A batch's samples, read in the epoch's order: inputs normalised, targets as the loss wants them.

use super::Kernel;
use super::matrix::Matrix;
use crate::examples::{Examples, Inputs, Targets};
use crate::lane::F32Lane;
use std::ops::Range;

/// Reads the inputs of the samples `order[rows]`.
pub(crate) struct GatherInputs<'a> {
    pub(crate) examples: &'a Examples<'a>,
    pub(crate) order: &'a [u32],
    /// The samples of the next batch: they lie anywhere in memory, so they are asked for early.
    pub(crate) next: &'a [u32],
    pub(crate) to: Matrix,
    pub(crate) rows: Range<usize>,
}

impl Kernel for GatherInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let size = self.examples.shape.size();
        for row in self.rows.clone() {
            let from = self.order[row] as usize * size;
            match &self.examples.inputs {
                Inputs::Bytes(bytes, table) => {
                    let bytes = &bytes[from..from + size];
                    let number = |i: usize| table.number(f32::from(bytes[i]));
                    // SAFETY: reads stay inside `bytes`.
                    let lane = |i: usize| table.number(unsafe { L::from_bytes(bytes.as_ptr().add(i)) });
                    self.row::<L>(row, size, number, lane);
                }
                Inputs::Floats(floats) => {
                    let floats = &floats[from..from + size];
                    // SAFETY: reads stay inside `floats`.
                    let lane = |i: usize| unsafe { L::load(floats.as_ptr().add(i)) };
                    self.row::<L>(row, size, |i| floats[i], lane);
                }
            }
        }
        for row in self.rows.clone() {
            if let Some(&sample) = self.next.get(row) {
                self.prefetch::<L>(sample as usize * size, size);
            }
        }
    }
}

/// Bytes that a cache fetches at once.
const LINE: usize = 64;

impl GatherInputs<'_> {
    /// Asks for the `size` inputs from `first`.
    #[inline(always)]
    fn prefetch<L: F32Lane>(&self, first: usize, size: usize) {
        let (start, length) = match &self.examples.inputs {
            Inputs::Bytes(bytes, _) => (bytes[first..].as_ptr(), size),
            Inputs::Floats(floats) => (floats[first..].as_ptr().cast(), size * size_of::<f32>()),
        };
        for offset in (0..length).step_by(LINE) {
            L::prefetch(start.wrapping_add(offset));
        }
    }

    /// Writes one sample, whole lanes first, then number by number.
    #[inline(always)]
    fn row<L: F32Lane>(
        &self,
        row: usize,
        size: usize,
        number: impl Fn(usize) -> f32,
        lane: impl Fn(usize) -> L,
    ) {
        let whole = size - size % L::WIDTH;
        // SAFETY: the run loop gives buffers with these rows.
        unsafe {
            for i in (0..whole).step_by(L::WIDTH) {
                lane(i).store(self.to.at(row, i));
            }
            for i in whole..size {
                *self.to.at(row, i) = number(i);
            }
        }
    }
}

/// Where a batch's targets go.
#[derive(Clone, Copy)]
pub(crate) enum TargetsTo {
    /// Class numbers.
    Classes(*mut u32),
    /// One number per output.
    Rows(Matrix),
}

// SAFETY: every thread writes the targets of its own rows.
unsafe impl Send for TargetsTo {}
// SAFETY: as above.
unsafe impl Sync for TargetsTo {}

/// Writes the targets of `order[rows]`; where rows are wanted, classes are one-hot encoded, or with one
/// output written as they are, 0 or 1.
///
/// # Safety
/// The buffer must have the rows; `width` is the number of outputs, above every class.
pub(crate) unsafe fn gather_targets(
    examples: &Examples<'_>,
    order: &[u32],
    to: TargetsTo,
    width: usize,
    rows: Range<usize>,
) {
    for row in rows {
        let sample = order[row] as usize;
        // SAFETY: as the caller promises.
        unsafe {
            match (examples.targets, to) {
                (Targets::Classes(labels), TargetsTo::Classes(to)) => {
                    *to.add(row) = u32::from(labels[sample])
                }
                (Targets::Classes(labels), TargetsTo::Rows(to)) => {
                    let to = to.row_mut(row, width);
                    let class = usize::from(labels[sample]);
                    if let [to] = to {
                        *to = class as f32;
                    } else {
                        to.fill(0.0);
                        to[class] = 1.0;
                    }
                }
                (Targets::Rows { width, values }, TargetsTo::Rows(to)) => {
                    to.row_mut(row, width).copy_from_slice(&values[sample * width..(sample + 1) * width]);
                }
                // Rows are asked for wherever the examples have them.
                (Targets::Rows { .. }, TargetsTo::Classes(_)) => {}
            }
        }
    }
}
