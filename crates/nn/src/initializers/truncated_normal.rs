//! Truncated normal: mean + stddev · z, z standard normal, drawn again where |z| > 2.
//!
//! The values' standard deviation is 0.8796 · stddev: unlike variance scaling, this initializer
//! does not correct for the cut.
//!
//! Keras: `keras/src/initializers/random_initializers.py`, `TruncatedNormal`.

use super::random_normal::scale;
use crate::random::Stream;

pub(super) fn fill(mean: f64, stddev: f64, stream: &mut Stream, out: &mut [f32]) {
    stream.fill_truncated_normal(out);
    scale(mean, stddev, out);
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::*};

    #[test]
    fn has_its_distribution() {
        let (mean, stddev) = (0.5, 0.2);
        let sample = filled(&Initializer::TruncatedNormal { mean, stddev, seed: None }, &[300, 200]);
        assert!(sample.iter().all(|x| (0.1..=0.9).contains(x)));
        assert_distribution(
            sample,
            |x| truncated_normal_cdf((x - mean) / stddev),
            mean,
            stddev * 0.879_625_661,
        );
    }

    #[test]
    fn shares_its_draws_with_random_normal() {
        let normal = filled(&Initializer::RandomNormal { mean: 0.0, stddev: 1.0, seed: None }, &[100, 100]);
        let truncated =
            filled(&Initializer::TruncatedNormal { mean: 0.0, stddev: 1.0, seed: None }, &[100, 100]);
        for (z, t) in normal.iter().zip(&truncated) {
            assert!(z == t || z.abs() > 2.0);
        }
    }
}
