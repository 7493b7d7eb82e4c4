//! What an experiment could have seen: the power of the paired t-test.
//!
//! For a true difference δ (in standard deviations of the differences) and n seeds, t follows the noncentral t
//! distribution with n − 1 degrees of freedom and noncentrality δ√n. With V its χ² and c the two-sided critical value,
//! power = E[Φ(δ√n − c√(V/(n−1))) + Φ(−δ√n − c√(V/(n−1)))]; the expectation is one smooth integral, taken by
//! Simpson's rule over s = √V. J. Cohen, "Statistical power analysis for the behavioral sciences" (1988).

use super::paired::{CONFIDENCE, t_quantile};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

/// The power that "would have shown" means: four times out of five.
pub const POWER: f64 = 0.8;

/// The most seeds [`seeds_needed`] will name.
pub const MOST_SEEDS: usize = 100_000;

/// The chance that `seeds` seeds show a true difference of `effect` standard deviations of the differences
/// (two-sided, 5%); `None` for fewer than two seeds.
pub fn power(effect: f64, seeds: usize) -> Option<f64> {
    if seeds < 2 || !effect.is_finite() {
        return None;
    }
    let freedom = (seeds - 1) as f64;
    let critical = t_quantile(0.5 + CONFIDENCE / 2.0, seeds - 1);
    let shift = effect.abs() * (seeds as f64).sqrt();
    let normal = Normal::standard();
    let rejected = |s: f64| {
        let bar = critical * s / freedom.sqrt();
        normal.cdf(shift - bar) + normal.cdf(-shift - bar)
    };
    // Twelve standard deviations around the centre of χ hold all of it: its deviation is below 0.71.
    let (low, high) = ((freedom.sqrt() - 9.0).max(0.0), freedom.sqrt() + 9.0);
    Some(simpson(low, high, |s| rejected(s) * chi_density(s, freedom)).min(1.0))
}

/// The smallest true difference, in standard deviations of the differences, that `seeds` seeds show with [`POWER`];
/// `None` for fewer than two seeds.
pub fn smallest_effect(seeds: usize) -> Option<f64> {
    let enough = |effect: f64| power(effect, seeds).is_some_and(|power| power >= POWER);
    // Two seeds need 11.6 standard deviations, the most of all.
    let (mut low, mut high) = (0.0, 32.0);
    if !enough(high) {
        return None;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// How many seeds show a true difference of `effect` standard deviations of the differences with [`POWER`];
/// `None` for an effect of zero or one that would take more than [`MOST_SEEDS`].
///
/// ```
/// use seedbed_lab::statistics::power;
///
/// assert_eq!(power::seeds_needed(0.5), Some(34));
/// ```
pub fn seeds_needed(effect: f64) -> Option<usize> {
    let enough = |seeds: usize| power(effect, seeds).is_some_and(|power| power >= POWER);
    if !enough(MOST_SEEDS) {
        return None;
    }
    let (mut too_few, mut high) = (1, MOST_SEEDS);
    while high - too_few > 1 {
        let middle = too_few.midpoint(high);
        if enough(middle) { high = middle } else { too_few = middle }
    }
    Some(high)
}

/// The density of χ with `freedom` degrees of freedom at `s` ≥ 0.
fn chi_density(s: f64, freedom: f64) -> f64 {
    if s == 0.0 {
        // The limit: s^(freedom − 1) is 1 for one degree of freedom and 0 for more.
        return if freedom == 1.0 { (2.0 / std::f64::consts::PI).sqrt() } else { 0.0 };
    }
    let log = (freedom - 1.0) * s.ln()
        - s * s / 2.0
        - (freedom / 2.0 - 1.0) * std::f64::consts::LN_2
        - ln_gamma(freedom / 2.0);
    log.exp()
}

fn simpson(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 2048;
    let width = (high - low) / STEPS as f64;
    let weight = |i: usize| match i {
        0 | STEPS => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=STEPS).map(|i| weight(i) * f(low + i as f64 * width)).sum::<f64>() * width / 3.0
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_statsmodels() {
        let cases = fixture().power;
        for case in &cases.power {
            let got = power(case.effect, case.pairs).unwrap();
            assert!((got - case.power).abs() < 1e-7, "{} pairs, effect {}: {got}", case.pairs, case.effect);
        }
        for case in &cases.smallest {
            assert_close(smallest_effect(case.pairs as usize).unwrap(), case.effect, 1e-6, "smallest effect");
        }
        for case in &cases.needed {
            assert_eq!(seeds_needed(case.effect), Some(case.pairs.ceil() as usize));
        }
    }

    #[test]
    fn edges_are_answered() {
        assert_eq!(power(1.0, 1), None);
        assert_eq!(smallest_effect(1), None);
        assert_eq!(seeds_needed(0.0), None);
        assert!(smallest_effect(2).unwrap() > 10.0);
        assert_eq!(seeds_needed(1e3), Some(2));
    }
}
