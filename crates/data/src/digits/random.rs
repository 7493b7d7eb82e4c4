//! Random numbers with the same bits on every machine, one independent stream per writer and per picture.
//!
//! ChaCha with 8 rounds (D. J. Bernstein, 2008), keyed once; the stream number is the picture's, so pictures can be
//! drawn in any order and on any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The key of everything drawn. Another key is another set of digits, so it never changes.
const KEY: [u8; 32] = *b"seedbed built-in digits, no. 001";

/// A stream of random numbers.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream with this number.
    pub(super) fn new(number: u64) -> Stream {
        let mut generator = ChaCha8Rng::from_seed(KEY);
        generator.set_stream(number);
        Stream(generator)
    }

    /// Uniform in `low..high`, in steps of 2⁻²⁴ of the range.
    pub(super) fn uniform(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0);
        low + unit * (high - low)
    }

    /// Bell-shaped with mean 0 and the given standard deviation, never beyond √12 ≈ 3.46 of them: the sum of four
    /// uniforms (Irwin–Hall), which needs no logarithm, and spares the drawings the wild outliers of a normal.
    pub(super) fn bell(&mut self, deviation: f32) -> f32 {
        let bits = self.0.next_u64();
        let sum: u32 = (0..4).map(|part| (bits >> (16 * part)) as u32 & 0xffff).sum();
        let centred = sum as f32 - 2.0 * 65_535.0;
        // Four uniforms on 0..=65535 have a standard deviation of 65536/√3 (less 1 part in 10⁹).
        centred * (1.732_050_8 / 65_536.0) * deviation
    }

    /// A whole number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u64::from(self.0.next_u32()) * end as u64) >> 32) as usize
    }

    /// `true` with this probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.uniform(0.0, 1.0) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vector() {
        let mut stream = Stream::new(7);
        let drawn = (stream.uniform(0.0, 1.0), stream.bell(1.0), stream.below(1000));
        // Computed from the definition of ChaCha8 by an independent program.
        assert_eq!(drawn, (0.7515851, -1.7063618, 400));
    }

    #[test]
    fn moments() {
        let mut stream = Stream::new(0);
        let mut moments = [0.0f64; 4];
        let count = 100_000;
        for _ in 0..count {
            let values = [stream.uniform(0.0, 1.0), stream.bell(1.0)].map(f64::from);
            for (moment, value) in
                moments.iter_mut().zip([values[0], values[0] * values[0], values[1], values[1] * values[1]])
            {
                *moment += value / f64::from(count);
            }
            assert!((0.0..1.0).contains(&values[0]) && values[1].abs() < 3.465);
        }
        // Four standard errors of each.
        for (moment, (expected, error)) in
            moments.iter().zip([(0.5, 0.0037), (1.0 / 3.0, 0.0038), (0.0, 0.0127), (1.0, 0.018)])
        {
            assert!((moment - expected).abs() < error, "{moment} for {expected}");
        }
    }

    #[test]
    fn streams_differ() {
        let first = |number| Stream::new(number).0.next_u64();
        assert_eq!(first(3), first(3));
        assert_ne!(first(3), first(4));
    }
}
