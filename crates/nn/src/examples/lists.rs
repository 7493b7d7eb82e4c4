//! The inputs that are not zero, sample after sample: listed once, so that no batch looks for them again.
//!
//! ```text
//! sample s:  places   [ 3, 17, 40, … ]   which inputs, ascending
//!            numbers  [ x, x,  x,  … ]   bytes with a table of what each stands for, or the numbers themselves
//!            starts   where each block of inputs begins in them
//! ```

use super::{Examples, Inputs};

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
                let numbers = std::array::from_fn(|byte| table.number(byte as f32));
                Numbers::Bytes(
                    lists.fill(bytes, size, |byte| numbers[usize::from(byte)] != 0.0),
                    Box::new(numbers),
                )
            }
            Inputs::Floats(floats) => Numbers::Floats(lists.fill(floats, size, |x| x != 0.0)),
        };
        Some(lists)
    }

    /// Writes places and starts; returns the values that are listed.
    ///
    /// Every input is written and only those that are listed are counted: a branch would be guessed wrong
    /// at every stroke.
    fn fill<T: Copy + Default>(&mut self, inputs: &[T], size: usize, is_listed: impl Fn(T) -> bool) -> Vec<T> {
        let (mut values, mut places, mut listed) = (vec![], [0; BLOCK], [T::default(); BLOCK]);
        for sample in inputs.chunks_exact(size) {
            for (block, inputs) in sample.chunks(BLOCK).enumerate() {
                let mut count = 0;
                for (place, &x) in (block * BLOCK..).zip(inputs) {
                    (places[count], listed[count]) = (place as u16, x);
                    count += usize::from(is_listed(x));
                }
                self.places.extend_from_slice(&places[..count]);
                values.extend_from_slice(&listed[..count]);
                self.starts.push(values.len() as u32);
            }
        }
        values
    }

    /// How many blocks of inputs there are.
    #[inline(always)]
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
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
