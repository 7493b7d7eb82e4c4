//! How many seeds the next study needs.
//!
//! From a pilot's standard deviation s of the paired differences, the number of seeds whose paired t-test shows a difference δ
//! with 80% power (see [`power`](super::power)). A pilot of few seeds may have been lucky, so the cautious number
//! plans with the upper 80% confidence limit of s instead. R. H. Browne, "On the use of a pilot sample for sample size
//! determination" (Statistics in Medicine 14, 1995).

use super::power::seeds_needed;
use super::spread::cautious;
use serde::Serialize;

/// How many seeds a difference needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeedPlan {
    /// If the pilot's spread is the true one.
    pub expected: usize,
    /// If the pilot was lucky, with the upper 80% limit of its spread.
    pub cautious: Option<usize>,
}

/// The plan to show a difference of `target` after a pilot of `pilot_seeds` differences with this standard deviation; `None`
/// where no number of seeds that can be named would do, or nothing scatters.
///
/// ```
/// use seedbed_lab::statistics::planner;
///
/// let plan = planner::seeds(0.001, 10, 0.0005).expect("a plan");
/// assert_eq!((plan.expected, plan.cautious), (34, Some(55)));
/// ```
pub fn seeds(standard_deviation: f64, pilot_seeds: usize, target: f64) -> Option<SeedPlan> {
    let needed = |spread: f64| seeds_needed(target / spread);
    let expected = needed(standard_deviation)?;
    Some(SeedPlan { expected, cautious: cautious(standard_deviation, pilot_seeds, 0.2).and_then(needed) })
}

/// The largest of 1, 2 or 5 × 10ᵏ that is not above `value`: a target a person would name. 0 for what is not above 0.
pub fn round_below(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [5.0, 2.0, 1.0, 0.5].map(|step| step * power);
    steps.into_iter().find(|&step| step <= value * (1.0 + 1e-9)).unwrap_or(steps[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 34 pairs for half a standard deviation (statsmodels, fixture of [`super::super::power`]).
    #[test]
    fn plans_with_the_pilots_spread_and_with_a_larger_one() {
        let plan = seeds(0.002, 10, 0.001).unwrap();
        assert_eq!(plan.expected, 34);
        // √(9 / 5.3801) = 1.2934 is the limit's factor; (2.8016 · 1.2934 / 0.5)² + 2 is near 55.
        assert_eq!(plan.cautious, Some(55));
        assert!(seeds(0.002, 100, 0.001).unwrap().cautious < plan.cautious);
        assert_eq!(seeds(0.0, 10, 0.001), None);
        assert_eq!(seeds(1.0, 10, 0.0), None);
    }

    #[test]
    fn targets_are_round() {
        assert_eq!([0.0012, 0.05, 0.0049, 3.0].map(round_below), [0.001, 0.05, 0.002, 2.0]);
        assert_eq!((round_below(0.0), round_below(f64::NAN)), (0.0, 0.0));
    }
}
