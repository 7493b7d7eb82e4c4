//! A batch's samples, read in the epoch's order: inputs normalised, targets as the loss wants them.

use super::matrix::Matrix;
use crate::examples::{Examples, Inputs, Targets};
use std::ops::Range;

/// Writes the samples `order[rows]` to the rows `rows` of the batch.
///
/// # Safety
/// `inputs` must have the rows, `order` must hold positions inside the examples.
pub(crate) unsafe fn gather_inputs(examples: &Examples<'_>, order: &[u32], inputs: Matrix, rows: Range<usize>) {
    let size = examples.shape.size();
    for row in rows {
        let from = order[row] as usize * size;
        // SAFETY: as the caller promises.
        let to = unsafe { inputs.row_mut(row, size) };
        match &examples.inputs {
            Inputs::Bytes(bytes, table) => {
                for (to, &byte) in to.iter_mut().zip(&bytes[from..from + size]) {
                    *to = table.0[usize::from(byte)];
                }
            }
            Inputs::Floats(floats) => to.copy_from_slice(&floats[from..from + size]),
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

/// Writes the targets of `order[rows]`; classes are one-hot encoded where rows are wanted.
///
/// # Safety
/// As for [`gather_inputs`]; `width` is the number of outputs, above every class.
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
                (Targets::Classes(labels), TargetsTo::Classes(to)) => *to.add(row) = u32::from(labels[sample]),
                (Targets::Classes(labels), TargetsTo::Rows(to)) => {
                    let to = to.row_mut(row, width);
                    to.fill(0.0);
                    to[usize::from(labels[sample])] = 1.0;
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
