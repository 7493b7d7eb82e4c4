//! How sure a measured spread is.
//!
//! Of n normal values with variance σ², (n − 1)s²/σ² follows χ² with n − 1 degrees of freedom, so σ² lies between
//! (n − 1)s²/χ²₀.₉₇₅ and (n − 1)s²/χ²₀.₀₂₅ in 95% of experiments. For small n that is wide: ten runs know their standard
//! deviation within a factor of about two. R. A. Fisher, "Statistical methods for research workers" (1925).

use super::paired::CONFIDENCE;
use super::summary::standard_deviation;
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A standard deviation with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// How many values, at least 2.
    pub count: usize,
    /// Their standard deviation, n − 1.
    pub value: f64,
    /// Its 95% interval, `[low, high]`.
    pub interval: [f64; 2],
}

impl Deviation {
    /// The standard deviation of `values`; `None` for fewer than two or where one is not finite.
    ///
    /// ```
    /// use seedbed_lab::statistics::spread::Deviation;
    ///
    /// let of_ten: Vec<f64> = (0..10).map(f64::from).collect();
    /// let [low, high] = Deviation::of(&of_ten).expect("ten values").interval;
    /// assert!(high / low > 2.5);
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let value = standard_deviation(values).filter(|value| value.is_finite())?;
        let count = values.len();
        let tail = (1.0 - CONFIDENCE) / 2.0;
        let interval = [bound(value, count, 1.0 - tail)?, bound(value, count, tail)?];
        Some(Self { count, value, interval })
    }
}

/// The standard deviation that only a share `chance` of experiments would have measured this small or smaller: what to plan
/// with instead of a lucky pilot's (R. H. Browne, "On the use of a pilot sample for sample size determination",
/// Statistics in Medicine 14, 1995). `None` for fewer than two values.
pub fn cautious(standard_deviation: f64, count: usize, chance: f64) -> Option<f64> {
    bound(standard_deviation, count, chance)
}

fn bound(standard_deviation: f64, count: usize, level: f64) -> Option<f64> {
    let freedom = count.checked_sub(1).filter(|&freedom| freedom > 0)? as f64;
    let quantile = ChiSquared::new(freedom).ok()?.inverse_cdf(level);
    Some(standard_deviation * (freedom / quantile).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_scipy() {
        for case in fixture().spreads {
            let got = Deviation::of(&case.values).unwrap();
            assert_close(got.value.powi(2), case.variance, 1e-8, "variance");
            for (end, expected) in got.interval.into_iter().zip(case.interval) {
                assert_close(end.powi(2), expected, 1e-7, "interval");
            }
            assert_close(cautious(got.value, got.count, 0.2).unwrap(), case.upper_80, 1e-7, "upper limit");
        }
    }

    #[test]
    fn one_run_has_no_spread_and_equal_runs_have_none() {
        assert_eq!(Deviation::of(&[0.3]), None);
        assert_eq!(cautious(0.1, 1, 0.2), None);
        assert_eq!(Deviation::of(&[0.3, f64::NAN]), None);
        assert_eq!(Deviation::of(&[0.5; 4]).map(|none| (none.value, none.interval)), Some((0.0, [0.0, 0.0])));
    }
}
