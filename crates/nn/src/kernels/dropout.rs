//! Dropout masks: 0 with probability `rate`, else `1/(1 − rate)`.

use super::matrix::Matrix;
use crate::random::Stream;
use std::ops::Range;

/// Words drawn at once.
const CHUNK: usize = 256;

/// The 32-bit words below this are dropped: `rate` of all words.
pub(crate) fn threshold(rate: f64) -> u32 {
    (rate * 4_294_967_296.0) as u32
}

/// Fills rows of a mask; number (b, j) takes word `b·width + j` of the step's stream.
///
/// # Safety
/// The mask must have the rows, of `width` numbers.
pub(crate) unsafe fn fill_mask(
    stream: &mut Stream,
    rate: f64,
    mask: Matrix,
    width: usize,
    rows: Range<usize>,
) {
    let (dropped, kept) = (threshold(rate), (1.0 / (1.0 - rate)) as f32);
    let mut words = [0; CHUNK];
    stream.seek((rows.start * width) as u64);
    for row in rows {
        // SAFETY: as the caller promises.
        for to in unsafe { mask.row_mut(row, width) }.chunks_mut(CHUNK) {
            let words = &mut words[..to.len()];
            stream.fill_u32(words);
            for (to, &word) in to.iter_mut().zip(words.iter()) {
                *to = if word < dropped { 0.0 } else { kept };
            }
        }
    }
}
