//! What one sample looks like: mean, spread, quantiles.
//!
//! mean = Σx / n,  standard deviation = √(Σ(x − mean)² / (n − 1)).  The quantile at p interpolates linearly between
//! the two order statistics around p·(n − 1): type 7 of Hyndman & Fan, "Sample quantiles in statistical packages"
//! (The American Statistician 50, 1996), NumPy's default.

use serde::{Deserialize, Serialize};

/// Mean and spread of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values, at least 1.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation with n − 1; `None` for a single value, which has no spread.
    pub standard_deviation: Option<f64>,
}

impl Summary {
    /// Summarizes `values`, in any order; `None` if there are none.
    ///
    /// ```
    /// use seedbed_lab::statistics::summary::Summary;
    ///
    /// let summary = Summary::of(&[0.976, 0.978]).expect("two values");
    /// assert_eq!((summary.count, summary.mean), (2, 0.977));
    /// assert_eq!(Summary::of(&[0.976]).expect("one value").standard_deviation, None);
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        Some(Self { count: values.len(), mean, standard_deviation: standard_deviation(values) })
    }
}

/// The mean of `values`; `None` if there are none.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of `values` with n − 1; `None` for fewer than two.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The median of `values`, in any order; `None` if there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile of `values`, in any order, at `level` from 0 to 1 (clamped); `None` if there are none.
pub fn quantile(values: &[f64], level: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, level)
}

/// [`quantile`] of values that are in ascending order already.
pub(super) fn quantile_of_sorted(sorted: &[f64], level: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = level.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let share = position - below as f64;
    Some(sorted[below] + share * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_numpy() {
        let fixture = fixture();
        for case in &fixture.paired {
            let values = case.differences();
            let summary = Summary::of(&values).unwrap();
            assert_close(summary.mean, case.mean, 1e-12, &case.name);
            assert_close(summary.standard_deviation.unwrap(), case.standard_deviation, 1e-9, &case.name);
            assert_close(median(&values).unwrap(), case.median, 1e-12, &case.name);
            for (&level, &expected) in fixture.quantile_levels.iter().zip(&case.quantiles) {
                assert_close(quantile(&values, level).unwrap(), expected, 1e-10, &case.name);
            }
        }
    }

    #[test]
    fn too_few_values_give_nothing_and_no_nan() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!((median(&[]), standard_deviation(&[])), (None, None));
        assert_eq!(Summary::of(&[3.0]), Some(Summary { count: 1, mean: 3.0, standard_deviation: None }));
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    }
}
