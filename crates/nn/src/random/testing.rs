//! Distributions to test samples against.

/// The Kolmogorov-Smirnov statistic times √n; beyond 1.95 with probability 0.001.
pub(crate) fn kolmogorov_smirnov(mut sample: Vec<f32>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f32::total_cmp);
    let n = sample.len() as f64;
    let distance = |(i, &x): (usize, &f32)| {
        let expected = cdf(f64::from(x));
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    };
    sample.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// The standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / 2.0_f64.sqrt())
}

/// The same, cut off at ±2.
pub(crate) fn truncated_normal_cdf(x: f64) -> f64 {
    let below = normal_cdf(-2.0);
    ((normal_cdf(x) - below) / (1.0 - 2.0 * below)).clamp(0.0, 1.0)
}
