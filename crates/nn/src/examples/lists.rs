//! The inputs that are not zero, sample after sample: listed once, so that no batch looks for them again.
//!
//! ```text
//! sample s:  places   [ 3, 17, 40, … ]   which inputs, ascending
//!            numbers  [ x, x,  x,  … ]   bytes with a table of what each stands for, or the numbers themselves
//!            starts   where each block of inputs begins in them
//! ```

use super::{Examples, Inputs};
use std::ops::Range;

/// Inputs per block: a product takes a few blocks at a time for all samples, so that their weights stay
/// in the first cache.
pub(crate) const BLOCK: usize = 48;

/// Below this share of non-zero numbers it pays to skip the zeros.
const SPARSE: f64 = 0.4;

/// What the listed inputs are.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// Bytes, and the number of each byte.
    Bytes(Vec<u8>, Box<[f32; 256]>),
    Floats(Vec<f32>),
}

/// The lists of all samples.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) places: Vec<u16>,
    pub(crate) numbers: Numbers,
    /// For every sample and block; one more at the end.
    starts: Vec<u32>,
    blocks: usize,
}

impl Lists {
    /// `None` where most inputs are not zero, or places and starts would not fit their types.
    pub(super) fn of(examples: &Examples<'_>) -> Option<Self> {
        let size = examples.shape.size();
        let count = size.checked_mul(examples.len())?;
        if examples.density() >= SPARSE || size > 1 << u16::BITS || u32::try_from(count).is_err() {
            return None;
        }
        let mut lists = Self {
            places: vec![],
            numbers: Numbers::Floats(vec![]),
            starts: vec![0],
            blocks: size.div_ceil(BLOCK),
        };
        lists.numbers = match &examples.inputs {
            Inputs::Bytes(bytes, table) => {
                let numbers: [f32; 256] = std::array::from_fn(|byte| table.number(byte as f32));
                let zero = numbers.iter().position(|&number| number == 0.0)? as u8;
                Numbers::Bytes(lists.fill(bytes, size, zero), Box::new(numbers))
            }
            Inputs::Floats(floats) => Numbers::Floats(lists.fill(floats, size, 0.0)),
        };
        Some(lists)
    }

    /// Writes places and starts; returns the values that are listed, those that are not `zero`.
    ///
    /// Where a few inputs are not all zero, each of them is written and only those that are listed are counted: a
    /// branch would be guessed wrong at every stroke.
    fn fill<T: Copy + PartialEq>(&mut self, inputs: &[T], size: usize, zero: T) -> Vec<T> {
        const FEW: usize = 8;
        let most = (inputs.len() as f64 * SPARSE) as usize;
        let (mut values, mut count) = (vec![zero; most], 0);
        self.places = vec![0; most];
        self.starts.reserve(inputs.len() / size * self.blocks);
        for sample in inputs.chunks_exact(size) {
            if values.len() < count + size + FEW {
                let more = count + count / 4 + size + FEW;
                values.resize(more, zero);
                self.places.resize(more, 0);
            }
            for (block, inputs) in sample.chunks(BLOCK).enumerate() {
                for (few, inputs) in inputs.chunks(FEW).enumerate() {
                    if inputs.iter().all(|&x| x == zero) {
                        continue;
                    }
                    for (place, &x) in (block * BLOCK + few * FEW..).zip(inputs) {
                        (self.places[count], values[count]) = (place as u16, x);
                        count += usize::from(x != zero);
                    }
                }
                self.starts.push(count as u32);
            }
        }
        self.places.truncate(count);
        values.truncate(count);
        values
    }

    /// How many blocks of inputs there are.
    #[inline(always)]
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Where a sample's list is.
    #[inline(always)]
    pub(crate) fn list(&self, sample: u32) -> Range<usize> {
        self.start(sample as usize, 0)..self.start(sample as usize, self.blocks)
    }

    /// Where block `block` of a sample's list starts; block `blocks()` is the list's end.
    #[inline(always)]
    pub(crate) fn start(&self, sample: usize, block: usize) -> usize {
        self.starts[sample * self.blocks + block] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Normalization;

    #[test]
    fn lists_hold_exactly_what_is_not_zero() {
        let bytes: Vec<u8> =
            (0..3 * 100_u32).map(|i| if i % 7 == 3 { (i % 250) as u8 + 1 } else { 0 }).collect();
        let examples =
            Examples::pictures([10, 10], &bytes, Normalization::Unit.table(&bytes), &[0, 1, 2]).unwrap();
        let lists = Lists::of(&examples).unwrap();
        let Numbers::Bytes(listed, table) = &lists.numbers else { panic!("bytes stay bytes") };
        let mut rebuilt = vec![0.0_f32; 300];
        for sample in 0..3 {
            for block in 0..lists.blocks() {
                for i in lists.start(sample, block)..lists.start(sample, block + 1) {
                    let place = usize::from(lists.places[i]);
                    assert_eq!(place / BLOCK, block);
                    rebuilt[sample * 100 + place] = table[usize::from(listed[i])];
                }
            }
        }
        let expected: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        assert_eq!(rebuilt, expected);
    }

    #[test]
    fn inputs_that_are_mostly_not_zero_have_no_lists() {
        let floats = vec![1.0; 40];
        assert!(Lists::of(&Examples::classes([10], &floats, &[0; 4]).unwrap()).is_none());
        let none = vec![0.0; 2 << u16::BITS];
        assert!(Lists::of(&Examples::classes([2 << u16::BITS], &none, &[0]).unwrap()).is_none());
    }
}
