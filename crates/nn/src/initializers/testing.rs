//! What every initializer is held to: its distribution.

use super::Initializer;
use crate::random::testing::kolmogorov_smirnov;
use crate::random::{Purpose, Seed, Streams};

/// Weights of this shape from a fixed seed.
pub(super) fn filled(initializer: &Initializer, shape: &[usize]) -> Vec<f32> {
    let mut out = vec![f32::NAN; shape.iter().product()];
    let mut stream = Streams::new(Seed(42)).open(Purpose::Init, "dense/kernel", 0);
    initializer.fill(&mut stream, shape, &mut out);
    out
}

pub(super) use crate::random::testing::{normal_cdf, truncated_normal_cdf};

/// Kolmogorov-Smirnov at p = 0.001, and both moments within 4 standard errors of a normal sample.
pub(super) fn assert_distribution(sample: Vec<f32>, cdf: impl Fn(f64) -> f64, mean: f64, stddev: f64) {
    let n = sample.len() as f64;
    let sample_mean = sample.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = sample.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    assert!((sample_mean - mean).abs() < 4.0 * stddev / n.sqrt(), "mean {sample_mean}, not {mean}");
    let error = variance.sqrt() / stddev - 1.0;
    assert!(error.abs() < 4.0 / (2.0 * n).sqrt(), "standard deviation {}, not {stddev}", variance.sqrt());
    let statistic = kolmogorov_smirnov(sample, cdf);
    assert!(statistic < 1.95, "Kolmogorov-Smirnov {statistic}");
}
