//! An input that is mostly zeros: its non-zero numbers by sample, and by input.
//!
//! ```text
//! by sample                                     by input
//! sample b: places  [ 3, 17, 40, … ]            input k: masks   bit b set where x[b, k] ≠ 0
//!           values  [ x, x,  x,  … ]                     values  x[b, k] at place b, else anything
//!           starts  where each block of inputs begins
//! ```
//!
//! Every thread makes its own lists of the whole batch: that takes a few microseconds, and lists that
//! another core has just written would take longer to read.
//!
//! The forward product walks a sample's list; the weight gradient walks an input's bits. Leaving out
//! the terms `0·w` does not change a bit: every chain starts at +0 and ends with + 0.

use super::matrix::Matrix;
use crate::lane::PAD;
use crate::plan::buffer::Buffer;

/// Inputs per block: the forward product takes a few blocks of inputs at a time for all samples, so
/// that their weights stay in the first cache.
pub(crate) const BLOCK: usize = 48;

/// The buffers of both forms.
#[derive(Debug)]
pub(crate) struct SparseBuffers {
    places: Vec<u32>,
    values: Vec<f32>,
    starts: Vec<u32>,
    masks: Vec<u16>,
    /// The numbers by input: row k holds those of input k.
    columns: Buffer,
    batch: usize,
    inputs: usize,
}

impl SparseBuffers {
    pub(crate) fn new(batch: usize, inputs: usize) -> Self {
        let list = batch * list_stride(inputs);
        Self {
            places: vec![0; list],
            values: vec![0.0; list],
            starts: vec![0; batch * starts_stride(inputs)],
            masks: vec![0; groups(batch) * inputs],
            columns: Buffer::new(inputs * batch.next_multiple_of(PAD)),
            batch,
            inputs,
        }
    }

    /// A view for one thread of a run.
    pub(crate) fn view(&mut self) -> Sparse {
        // SAFETY: the buffer has a row per input.
        let columns = unsafe { Matrix::new(self.columns.start(), self.batch.next_multiple_of(PAD)) };
        Sparse {
            places: self.places.as_mut_ptr(),
            values: self.values.as_mut_ptr(),
            starts: self.starts.as_mut_ptr(),
            masks: self.masks.as_mut_ptr(),
            columns,
            inputs: self.inputs,
        }
    }
}

/// A list may be written one lane beyond its end.
fn list_stride(inputs: usize) -> usize {
    inputs.next_multiple_of(PAD) + PAD
}

fn starts_stride(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK) + 1
}

/// Samples come in groups of 16 with masks of their own; four groups are read as one 64-bit mask.
fn groups(batch: usize) -> usize {
    batch.div_ceil(PAD).next_multiple_of(4)
}

/// A view of the buffers; see the module.
#[derive(Clone, Copy)]
pub(crate) struct Sparse {
    places: *mut u32,
    values: *mut f32,
    starts: *mut u32,
    masks: *mut u16,
    pub(crate) columns: Matrix,
    inputs: usize,
}

// SAFETY: each view is used by one thread only.
unsafe impl Send for Sparse {}
// SAFETY: as above.
unsafe impl Sync for Sparse {}

impl Sparse {
    /// Where sample `row`'s list is written.
    ///
    /// # Safety
    /// The row must be inside the batch.
    #[inline(always)]
    pub(crate) unsafe fn list(self, row: usize) -> (*mut u32, *mut f32) {
        let at = row * list_stride(self.inputs);
        // SAFETY: as the caller promises.
        unsafe { (self.places.add(at), self.values.add(at)) }
    }

    /// Where block `block` of sample `row`'s list starts; there is one more at the list's end.
    ///
    /// # Safety
    /// Row and block must be inside the batch and the input.
    #[inline(always)]
    pub(crate) unsafe fn start(self, row: usize, block: usize) -> *mut u32 {
        // SAFETY: as the caller promises.
        unsafe { self.starts.add(row * starts_stride(self.inputs) + block) }
    }

    /// How many blocks of inputs there are.
    #[inline(always)]
    pub(crate) fn blocks(self) -> usize {
        self.inputs.div_ceil(BLOCK)
    }

    /// The mask of input `k` for the samples `16·group` on.
    #[inline(always)]
    unsafe fn mask(self, group: usize, k: usize) -> *mut u16 {
        // SAFETY: as the caller promises.
        unsafe { self.masks.add(group * self.inputs + k) }
    }

    /// The mask of input `k` for 64 samples, from sample `first`, a multiple of 64.
    ///
    /// # Safety
    /// Input and sample must be inside the input and the batch.
    #[inline(always)]
    pub(crate) unsafe fn mask_of_64(self, first: usize, k: usize) -> u64 {
        let group = first / PAD;
        // SAFETY: as the caller promises; groups come in fours.
        unsafe {
            let word = |i| u64::from(*self.mask(group + i, k));
            word(0) | word(1) << 16 | word(2) << 32 | word(3) << 48
        }
    }

    /// Writes the masks and values by input of one group of samples from their lists.
    ///
    /// # Safety
    /// The samples' lists must have been written.
    #[inline(always)]
    pub(crate) unsafe fn write_columns(self, group: usize, rows: std::ops::Range<usize>) {
        // SAFETY: as the caller promises; every place is below the number of inputs.
        unsafe {
            std::ptr::write_bytes(self.mask(group, 0), 0, self.inputs);
            for row in rows {
                let (places, values) = self.list(row);
                let bit = 1_u16 << (row % PAD);
                for i in 0..*self.start(row, self.blocks()) as usize {
                    let k = *places.add(i) as usize;
                    *self.mask(group, k) |= bit;
                    *self.columns.at(k, row) = *values.add(i);
                }
            }
        }
    }
}
