//! One effect in one honest English sentence.
//!
//! A sentence may say that something was found, that it was found but does not survive the correction for asking many
//! questions, that nothing was found and what would have been, or that one run cannot tell. "Would have shown" means:
//! in four of five such experiments (see [`power`](super::power)).

use super::paired::{PairedEffect, Spread};
use super::power::smallest_effect;
use crate::format::{capitalized, plural, points, points_interval, signed_points};

/// Above this corrected p-value an effect is not called found.
pub const SIGNIFICANCE: f64 = 0.05;

/// What is measured, with the words for more and less of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in running text.
    pub name: &'static str,
    /// The word for a larger value.
    pub more: &'static str,
    /// The word for a smaller value.
    pub less: &'static str,
}

/// Accuracy on the training set in inference mode.
pub const TRAINING: Measure = Measure { name: "training accuracy", more: "higher", less: "lower" };
/// Accuracy on the test set in inference mode.
pub const TEST: Measure = Measure { name: "test accuracy", more: "higher", less: "lower" };
/// Training accuracy minus test accuracy.
pub const GAP: Measure = Measure { name: "gap", more: "wider", less: "narrower" };

/// What an effect allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is one run per variant: nothing can be said about noise.
    OneRun,
    /// The interval leaves zero out and the corrected p-value agrees.
    Found,
    /// The interval leaves zero out, but with so many questions asked that may be chance.
    Doubtful,
    /// The interval holds zero.
    NotFound,
}

impl Verdict {
    /// Judges an effect; `corrected_p` is its p-value after [`holm`](super::holm) over all questions asked together.
    pub fn of(effect: &PairedEffect, corrected_p: Option<f64>) -> Self {
        match effect.spread {
            None => Self::OneRun,
            Some(spread) if !spread.excludes_zero() => Self::NotFound,
            Some(spread) if corrected_p.unwrap_or(spread.p_value) < SIGNIFICANCE => Self::Found,
            Some(_) => Self::Doubtful,
        }
    }
}

/// Says what `effect` shows about `measure` of `variant` against `baseline`, both names as in "model 2".
///
/// ```
/// use seedbed_lab::statistics::{paired::PairedEffect, sentence};
///
/// let one = PairedEffect::of(&[0.0012]).expect("one difference");
/// assert_eq!(
///     sentence::effect("model 2", "model 1", sentence::TEST, &one, None),
///     "Model 2’s test accuracy is 0.12 points higher than model 1’s in the one run of each, \
///      but one run cannot tell an effect from noise."
/// );
/// ```
pub fn effect(
    variant: &str,
    baseline: &str,
    measure: Measure,
    effect: &PairedEffect,
    corrected_p: Option<f64>,
) -> String {
    let Some(spread) = effect.spread else { return one_run(variant, baseline, measure, effect.mean) };
    let seeds = plural(effect.seeds(), "seed");
    let size = || size(measure, effect.mean);
    let interval = interval_of_size(spread.interval);
    let subject = capitalized(variant);
    match Verdict::of(effect, corrected_p) {
        Verdict::Found => format!(
            "{subject}’s {} is {} than {baseline}’s (95% interval {interval}, {seeds}).",
            measure.name,
            size()
        ),
        Verdict::Doubtful => format!(
            "{subject}’s {} may be {} than {baseline}’s (95% interval {interval}, {seeds}), \
             but that does not survive the correction for the number of questions asked.",
            measure.name,
            size()
        ),
        Verdict::OneRun | Verdict::NotFound => not_found(variant, baseline, measure, effect, spread),
    }
}

/// "0.12 points higher".
fn size(measure: Measure, difference: f64) -> String {
    let direction = if difference > 0.0 { measure.more } else { measure.less };
    format!("{} points {direction}", points(difference))
}

/// The interval of a difference whose direction is in words already: "6.67 to 6.84", smaller end first.
fn interval_of_size([low, high]: [f64; 2]) -> String {
    let (near, far) = if high <= 0.0 { (high, low) } else { (low, high) };
    format!("{} to {}", points(near), points(far))
}

fn one_run(variant: &str, baseline: &str, measure: Measure, difference: f64) -> String {
    let subject = capitalized(variant);
    if difference == 0.0 {
        return format!("{subject}’s {} equals {baseline}’s in the one run of each.", measure.name);
    }
    format!(
        "{subject}’s {} is {} than {baseline}’s in the one run of each, \
         but one run cannot tell an effect from noise.",
        measure.name,
        size(measure, difference)
    )
}

fn not_found(
    variant: &str,
    baseline: &str,
    measure: Measure,
    effect: &PairedEffect,
    spread: Spread,
) -> String {
    let seeds = plural(effect.seeds(), "seed");
    if effect.differences.iter().all(|&difference| difference == 0.0) {
        return format!(
            "{}’s {} equals {baseline}’s on each of {seeds}.",
            capitalized(variant),
            measure.name
        );
    }
    let smallest = smallest_effect(effect.seeds()).unwrap_or(f64::NAN) * spread.standard_deviation;
    format!(
        "No detectable difference between {variant}’s {} and {baseline}’s: with {seeds} anything above {} points \
         would have shown (measured {}, 95% interval {}).",
        measure.name,
        points(smallest),
        signed_points(effect.mean),
        points_interval(spread.interval)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(differences: &[f64], corrected_p: Option<f64>) -> String {
        effect("model 2", "model 1", TEST, &PairedEffect::of(differences).unwrap(), corrected_p)
    }

    #[test]
    fn a_clear_effect_is_stated_with_its_interval() {
        let differences = [-0.0690, -0.0700, -0.0695, -0.0683];
        assert_eq!(
            say(&differences, Some(0.001)),
            "Model 2’s test accuracy is 6.92 points lower than model 1’s (95% interval 6.80 to 7.04, 4 seeds)."
        );
        let gap = effect("model 2", "model 1", GAP, &PairedEffect::of(&differences).unwrap(), None);
        assert!(gap.contains("points narrower"), "{gap}");
    }

    #[test]
    fn correction_can_take_a_claim_back() {
        let differences = [0.001, 0.002, 0.0015, 0.0004];
        assert!(
            say(&differences, Some(0.04)).contains("is 0.12 points higher"),
            "{}",
            say(&differences, None)
        );
        assert!(say(&differences, Some(0.06)).contains("does not survive"));
    }

    /// 0.996 standard deviations is what 10 seeds show four times out of five (statsmodels).
    #[test]
    fn nothing_found_says_what_would_have_been() {
        let differences = [0.001, -0.001, 0.001, -0.001, 0.001, -0.001, 0.001, -0.001, 0.001, -0.001];
        let sd = 0.001 * (10.0f64 / 9.0).sqrt();
        let expected = points(0.996 * sd);
        let sentence = say(&differences, None);
        assert!(sentence.contains(&format!("with 10 seeds anything above {expected} points")), "{sentence}");
        assert!(sentence.starts_with("No detectable difference"), "{sentence}");
    }

    #[test]
    fn equal_runs_are_called_equal() {
        assert_eq!(say(&[0.0; 3], None), "Model 2’s test accuracy equals model 1’s on each of 3 seeds.");
        assert_eq!(say(&[0.0], None), "Model 2’s test accuracy equals model 1’s in the one run of each.");
    }
}
