//! Random uniform: minval + (maxval − minval) · u, u uniform in [0, 1).
//!
//! Keras: `keras/src/initializers/random_initializers.py`, `RandomUniform`.

use crate::random::Stream;

pub(super) fn fill(minval: f64, maxval: f64, stream: &mut Stream, out: &mut [f32]) {
    let range = maxval - minval;
    out.fill_with(|| (minval + range * f64::from(stream.uniform())) as f32);
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::*};

    #[test]
    fn has_its_distribution() {
        for (minval, maxval) in [(-0.05_f64, 0.05), (1.0, 3.0)] {
            let sample = filled(&Initializer::RandomUniform { minval, maxval, seed: None }, &[300, 200]);
            let range = maxval - minval;
            let cdf = |x: f64| ((x - minval) / range).clamp(0.0, 1.0);
            assert_distribution(sample, cdf, 0.5 * (minval + maxval), range / 12_f64.sqrt());
        }
    }
}
