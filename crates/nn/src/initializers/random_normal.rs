//! Random normal: mean + stddev · z, z standard normal.
//!
//! Keras: `keras/src/initializers/random_initializers.py`, `RandomNormal`.

use crate::random::Stream;

pub(super) fn fill(mean: f64, stddev: f64, stream: &mut Stream, out: &mut [f32]) {
    stream.fill_normal(out);
    scale(mean, stddev, out);
}

/// Standard normal numbers become those with this mean and standard deviation.
pub(super) fn scale(mean: f64, stddev: f64, z: &mut [f32]) {
    for z in z {
        *z = (mean + stddev * f64::from(*z)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::*};

    #[test]
    fn has_its_distribution() {
        for (mean, stddev) in [(0.0, 0.05), (1.0, 2.0)] {
            let sample = filled(&Initializer::RandomNormal { mean, stddev, seed: None }, &[300, 200]);
            assert_distribution(sample, |x| normal_cdf((x - mean) / stddev), mean, stddev);
        }
    }
}
