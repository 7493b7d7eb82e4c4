//! The effect of a change, paired by seed: Student's t on the differences.
//!
//! With d the n differences, t = mean(d) / (sd(d)/√n) has n − 1 degrees of freedom if the change does nothing, and
//! mean(d) ± t₀.₉₇₅ · sd(d)/√n covers the true difference in 95% of all experiments. Student, "The probable error of
//! a mean" (Biometrika 6, 1908).
//!
//! Pairing is what makes the comparison sharp: two runs from the same seed see the same batches and, where shapes
//! agree, the same initial draws, so what they share cancels in the difference.

use super::summary::Summary;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The confidence of every interval in this crate.
pub const CONFIDENCE: f64 = 0.95;

/// A difference with its uncertainty, variant minus baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedEffect {
    /// One difference per seed, in the caller's order; never empty.
    pub differences: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// What can only be said with two seeds or more.
    pub spread: Option<Spread>,
}

/// The uncertainty of a mean difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Standard deviation of the differences, n − 1.
    pub standard_deviation: f64,
    /// The 95% interval of the mean difference, `[low, high]`.
    pub interval: [f64; 2],
    /// Two-sided p-value of "the change does nothing"; differences that are all alike give 1 at zero, else 0.
    pub p_value: f64,
}

impl Spread {
    /// Whether the interval leaves zero out.
    pub fn excludes_zero(&self) -> bool {
        self.interval[0] > 0.0 || self.interval[1] < 0.0
    }
}

impl PairedEffect {
    /// The effect behind `differences`, one per seed; `None` if there are none or one of them is not finite.
    ///
    /// ```
    /// use seedbed_lab::statistics::paired::PairedEffect;
    ///
    /// let effect = PairedEffect::of(&[0.001, 0.003, 0.002]).expect("three differences");
    /// assert!(effect.spread.expect("more than one seed").excludes_zero() == false);
    /// assert_eq!(PairedEffect::of(&[0.001]).expect("one difference").spread, None);
    /// ```
    pub fn of(differences: &[f64]) -> Option<Self> {
        if differences.iter().any(|difference| !difference.is_finite()) {
            return None;
        }
        let summary = Summary::of(differences)?;
        let spread = summary.standard_deviation.map(|sd| Spread::of(summary.mean, sd, summary.count));
        Some(Self { differences: differences.to_vec(), mean: summary.mean, spread })
    }

    /// How many seeds stand behind it.
    pub fn seeds(&self) -> usize {
        self.differences.len()
    }
}

impl Spread {
    fn of(mean: f64, standard_deviation: f64, count: usize) -> Self {
        let error = standard_deviation / (count as f64).sqrt();
        let reach = t_quantile(0.5 + CONFIDENCE / 2.0, count - 1) * error;
        let p_value = match (mean == 0.0, error == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => two_sided_p(mean / error, count - 1),
        };
        Self { standard_deviation, interval: [mean - reach, mean + reach], p_value }
    }
}

/// The quantile of Student's t at `level` in (0, 1) with `freedom` ≥ 1 degrees of freedom.
#[expect(clippy::unwrap_used, reason = "location 0, scale 1 and a positive freedom are always accepted")]
pub(super) fn t_quantile(level: f64, freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64).unwrap().inverse_cdf(level)
}

#[expect(clippy::unwrap_used, reason = "location 0, scale 1 and a positive freedom are always accepted")]
fn two_sided_p(t: f64, freedom: usize) -> f64 {
    2.0 * StudentsT::new(0.0, 1.0, freedom as f64).unwrap().cdf(-t.abs())
}

#[cfg(test)]
mod tests {
    use super::super::draw::Draws;
    use super::super::fixture::{assert_close, fixture};
    use super::*;
    use statrs::distribution::Normal;

    #[test]
    fn agrees_with_scipy() {
        for case in fixture().paired {
            let effect = PairedEffect::of(&case.differences()).unwrap();
            let spread = effect.spread.unwrap();
            assert_close(effect.mean, case.mean, 1e-12, &case.name);
            assert_close(spread.interval[0], case.interval[0], 1e-9, &case.name);
            assert_close(spread.interval[1], case.interval[1], 1e-9, &case.name);
            assert_close(spread.p_value, case.p, 1e-8, &case.name);
            let t = effect.mean / (spread.standard_deviation / (effect.seeds() as f64).sqrt());
            assert_close(t, case.t, 1e-9, &case.name);
        }
    }

    /// Over many experiments without any effect the interval misses zero in 5% (binomial error 0.5%).
    #[test]
    fn covers_zero_as_often_as_it_promises() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        let mut draws = Draws::new(1);
        let experiments = 2_000;
        let covered = (0..experiments)
            .filter(|_| {
                let sample: Vec<f64> = (0..6).map(|_| normal.inverse_cdf(draws.uniform())).collect();
                !PairedEffect::of(&sample).unwrap().spread.unwrap().excludes_zero()
            })
            .count();
        let share = covered as f64 / experiments as f64;
        assert!((0.935..=0.965).contains(&share), "covered {share}");
    }

    #[test]
    fn identical_differences_have_a_point_for_an_interval() {
        let same = PairedEffect::of(&[0.5; 4]).unwrap().spread.unwrap();
        assert_eq!((same.interval, same.p_value), ([0.5, 0.5], 0.0));
        let nothing = PairedEffect::of(&[0.0; 4]).unwrap().spread.unwrap();
        assert_eq!((nothing.interval, nothing.p_value), ([0.0, 0.0], 1.0));
    }

    #[test]
    fn refuses_nothing_and_nan() {
        assert_eq!(PairedEffect::of(&[]), None);
        assert_eq!(PairedEffect::of(&[0.1, f64::NAN]), None);
    }
}
