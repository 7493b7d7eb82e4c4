//! A batch of an input that is mostly zeros: its non-zero numbers by sample, and by input.
//!
//! ```text
//! by sample: the lists of the examples             by input
//! (see `examples::lists`)                          input k: mask    bit b set where x[b, k] ≠ 0
//!                                                           column  x[b, k] at place b, else anything
//! ```
//!
//! The forward product walks a sample's list; the weight gradient walks an input's bits. Leaving out
//! the terms `0·w` does not change a bit: every chain starts at +0 and ends with + 0.
//!
//! Every thread turns the whole batch for itself: that takes a few microseconds, and columns that
//! another core has just written would take longer to read.

use super::listed::Listed;
use super::matrix::Matrix;
use crate::examples::lists::{Lists, Numbers};
use crate::lane::{F32Lane, PAD};
use crate::plan::buffer::Buffer;
use std::ops::Range;

/// Samples whose bits stand in one mask.
pub(crate) const GROUP: usize = 64;

/// One thread's buffers of the form by input.
#[derive(Debug)]
pub(crate) struct InputBuffers {
    masks: Vec<u64>,
    /// Row k holds the numbers of input k.
    columns: Buffer,
    batch: usize,
    inputs: usize,
}

impl InputBuffers {
    pub(crate) fn new(batch: usize, inputs: usize) -> Self {
        Self {
            masks: vec![0; batch.div_ceil(GROUP) * inputs],
            columns: Buffer::new(inputs * batch.next_multiple_of(PAD)),
            batch,
            inputs,
        }
    }

    /// A view for one thread of a run.
    pub(crate) fn view(&mut self) -> ByInput {
        // SAFETY: the buffer has a row per input.
        let columns = unsafe { Matrix::new(self.columns.start(), self.batch.next_multiple_of(PAD)) };
        ByInput { masks: self.masks.as_mut_ptr(), columns, inputs: self.inputs }
    }
}

/// The numbers of a batch that are not zero, by input.
#[derive(Clone, Copy)]
pub(crate) struct ByInput {
    masks: *mut u64,
    columns: Matrix,
    inputs: usize,
}

// SAFETY: each view is used by one thread only.
unsafe impl Send for ByInput {}
// SAFETY: as above.
unsafe impl Sync for ByInput {}

impl ByInput {
    /// Masks and columns of so many inputs, which nobody else uses.
    pub(super) fn new(masks: *mut u64, columns: Matrix, inputs: usize) -> Self {
        Self { masks, columns, inputs }
    }

    /// A row of numbers per input.
    pub(super) fn columns(self) -> Matrix {
        self.columns
    }

    /// The mask of input `k` for 64 samples, from sample `first`, a multiple of 64.
    ///
    /// # Safety
    /// Input and sample must be inside the input and the batch.
    #[inline(always)]
    pub(crate) unsafe fn mask(self, first: usize, k: usize) -> u64 {
        // SAFETY: as the caller promises.
        unsafe { *self.masks.add(first / GROUP * self.inputs + k) }
    }

    /// Where `x[b, k]` is, if it is not zero.
    ///
    /// # Safety
    /// As for [`Self::mask`].
    #[inline(always)]
    pub(crate) unsafe fn number(self, k: usize, b: usize) -> *const f32 {
        // SAFETY: as the caller promises.
        unsafe { self.columns.at(k, b).cast_const() }
    }

    /// Writes the masks of some inputs whose columns are complete.
    ///
    /// # Safety
    /// The columns must have `batch` numbers.
    #[inline(always)]
    pub(super) unsafe fn mark(self, batch: usize, inputs: Range<usize>) {
        for k in inputs {
            // SAFETY: as the caller promises.
            let column = unsafe { self.columns.row(k, batch) };
            for (group, numbers) in column.chunks(GROUP).enumerate() {
                let bit = |(bit, &number): (usize, &f32)| u64::from(number != 0.0) << bit;
                let mask = numbers.iter().enumerate().map(bit).fold(0, |mask, bit| mask | bit);
                // SAFETY: there is a mask for every group and input.
                unsafe { *self.masks.add(group * self.inputs + k) = mask }
            }
        }
    }
}

/// A batch in both forms, as one thread sees it.
#[derive(Clone, Copy)]
pub(crate) struct Sparse<'a> {
    pub(crate) lists: &'a Lists,
    /// The batch's samples: whose list is the list of row b.
    pub(crate) order: &'a [u32],
    /// The samples of the next batch.
    pub(crate) next: &'a [u32],
    pub(crate) by_input: ByInput,
}

/// What a product reads.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Every number of the model's input.
    Whole(Matrix),
    /// Those of the input that are not zero.
    Lists(Sparse<'a>),
    /// A hidden value, of which each thread lists the numbers that are not zero where that pays: see [`super::listed`].
    Hidden(Matrix),
}

/// A batch's lists with what a listed number stands for.
#[derive(Clone, Copy)]
pub(super) struct OfExamples<'a, F> {
    pub(super) sparse: Sparse<'a>,
    pub(super) number: F,
}

impl<F: Fn(usize) -> f32 + Copy> Listed for OfExamples<'_, F> {
    #[inline(always)]
    fn blocks(self) -> usize {
        self.sparse.lists.blocks()
    }

    #[inline(always)]
    unsafe fn start(self, row: usize, block: usize) -> usize {
        self.sparse.lists.start(self.sparse.order[row] as usize, block)
    }

    #[inline(always)]
    unsafe fn get(self, i: usize) -> (usize, f32) {
        // SAFETY: as the caller promises.
        let place = unsafe { *self.sparse.lists.places.get_unchecked(i) };
        (usize::from(place), (self.number)(i))
    }

    #[inline(always)]
    fn ask_for_next<L: F32Lane>(self, row: usize) {
        self.sparse.ask_for_next::<L>(row);
    }
}

/// Bytes that a cache fetches at once.
const LINE: usize = 64;

impl Sparse<'_> {
    /// Asks for the list of row `row` of the next batch, whose samples lie anywhere in memory. Spread over
    /// a batch's rows: a processor has few requests under way at a time.
    #[inline(always)]
    fn ask_for_next<L: F32Lane>(self, row: usize) {
        let Some(&sample) = self.next.get(row) else { return };
        let list = self.lists.list(sample);
        let numbers = match &self.lists.numbers {
            Numbers::Bytes(bytes, _) => bytes[list.clone()].as_ptr_range(),
            Numbers::Floats(floats) => {
                let Range { start, end } = floats[list.clone()].as_ptr_range();
                start.cast()..end.cast()
            }
        };
        let Range { start, end } = self.lists.places[list].as_ptr_range();
        for lines in [start.cast::<u8>()..end.cast::<u8>(), numbers] {
            for line in (lines.start as usize..lines.end as usize).step_by(LINE) {
                L::prefetch(line as *const u8);
            }
        }
    }
}

/// Writes a batch's masks and columns from its lists.
pub(crate) struct TurnLists<'a> {
    pub(crate) sparse: Sparse<'a>,
}

impl TurnLists<'_> {
    pub(crate) fn run(self) {
        match &self.sparse.lists.numbers {
            Numbers::Bytes(bytes, table) => self.turn(|i| table[usize::from(bytes[i])]),
            Numbers::Floats(floats) => self.turn(|i| floats[i]),
        }
    }

    fn turn(&self, number: impl Fn(usize) -> f32) {
        let Sparse { lists, order, by_input: ByInput { masks, columns, inputs }, .. } = self.sparse;
        for (group, samples) in order.chunks(GROUP).enumerate() {
            // SAFETY: the buffers have a mask and a column for every input; places are inputs.
            unsafe {
                let masks = masks.add(group * inputs);
                std::ptr::write_bytes(masks, 0, inputs);
                for (bit, &sample) in samples.iter().enumerate() {
                    let list = lists.list(sample);
                    for (i, &place) in list.clone().zip(&lists.places[list]) {
                        *masks.add(usize::from(place)) |= 1 << bit;
                        *columns.at(usize::from(place), group * GROUP + bit) = number(i);
                    }
                }
            }
        }
    }
}
