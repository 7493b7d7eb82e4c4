//! One effect in one honest English sentence.
//!
//! A sentence may say that something was found, that it was found but does not survive the correction for asking many
//! questions, that nothing was found and what would have been, or that one run cannot tell. "Would have shown" means:
//! in four of five such experiments (see [`power`](super::power)).

use super::paired::{PairedEffect, Spread};
use super::planner::{self, round_below};
use super::power::smallest_effect;
use crate::format::{capitalized, count, fixed, plural, signed};

/// Above this corrected p-value an effect is not called found.
pub const SIGNIFICANCE: f64 = 0.05;

/// What is measured, with the words for more and less of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Its name, as a heading has it.
    pub name: &'static str,
    /// Its name in running text, with its article where it needs one.
    pub phrase: &'static str,
    /// The word for a larger value.
    pub more: &'static str,
    /// The word for a smaller value.
    pub less: &'static str,
    /// The unit of a printed difference, with the space before it: " points", or nothing.
    pub unit: &'static str,
    /// What a value is multiplied by for print: 100 for shares.
    pub scale: f64,
    /// Digits after the point in print.
    pub decimals: usize,
}

const ACCURACY: Measure = Measure {
    name: "test accuracy",
    phrase: "test accuracy",
    more: "higher",
    less: "lower",
    unit: " points",
    scale: 100.0,
    decimals: 2,
};
/// Accuracy on the training set in inference mode.
pub const TRAINING: Measure = Measure { name: "training accuracy", phrase: "training accuracy", ..ACCURACY };
/// Accuracy on the test set in inference mode.
pub const TEST: Measure = ACCURACY;
/// Training accuracy minus test accuracy.
pub const GAP: Measure =
    Measure { name: "gap", phrase: "the gap", more: "wider", less: "narrower", ..ACCURACY };
/// Loss on the test set, penalties included.
pub const LOSS: Measure =
    Measure { name: "test loss", phrase: "test loss", unit: "", scale: 1.0, decimals: 4, ..ACCURACY };

impl Measure {
    /// The size of a difference without sign or unit: "0.12".
    pub fn size(&self, difference: f64) -> String {
        fixed(self.scale * difference.abs(), self.decimals)
    }

    /// A difference with its sign: "+0.12".
    pub fn signed(&self, difference: f64) -> String {
        signed(self.scale * difference, self.decimals)
    }

    /// An interval of differences: "−0.04 to +0.10".
    pub fn interval(&self, [low, high]: [f64; 2]) -> String {
        format!("{} to {}", self.signed(low), self.signed(high))
    }

    /// "0.12 points higher".
    pub fn directed(&self, difference: f64) -> String {
        let direction = if difference > 0.0 { self.more } else { self.less };
        format!("{}{} {direction}", self.size(difference), self.unit)
    }

    /// The interval of a difference whose direction is in words already: "6.67 to 6.84", smaller end first; with signs where
    /// it holds zero.
    fn interval_of_size(&self, [low, high]: [f64; 2]) -> String {
        match (low >= 0.0, high <= 0.0) {
            (true, _) => format!("{} to {}", self.size(low), self.size(high)),
            (_, true) => format!("{} to {}", self.size(high), self.size(low)),
            _ => self.interval([low, high]),
        }
    }
}

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
///     "With model 2, test accuracy is 0.12 points higher than with model 1 in the one run of each, \
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
    let said = |be: &str| {
        format!(
            "With {variant}, {} {be} {} than with {baseline} (95% interval {}, {})",
            measure.phrase,
            measure.directed(effect.mean),
            measure.interval_of_size(spread.interval),
            plural(effect.seeds(), "seed")
        )
    };
    match Verdict::of(effect, corrected_p) {
        Verdict::Found => format!("{}.", said("is")),
        Verdict::Doubtful => format!(
            "{}, but that does not survive the correction for the number of questions asked.",
            said("may be")
        ),
        Verdict::OneRun | Verdict::NotFound => not_found(variant, baseline, measure, effect, spread),
    }
}

fn one_run(variant: &str, baseline: &str, measure: Measure, difference: f64) -> String {
    if difference == 0.0 {
        return format!("With {variant}, {} equals {baseline}’s in the one run of each.", measure.phrase);
    }
    format!(
        "With {variant}, {} is {} than with {baseline} in the one run of each, \
         but one run cannot tell an effect from noise.",
        measure.phrase,
        measure.directed(difference)
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
            "{} equals {baseline}’s with {variant}, on each of {seeds}.",
            capitalized(measure.phrase)
        );
    }
    format!(
        "No detectable difference in {} between {variant} and {baseline}: with {seeds} {} \
         (measured {}, 95% interval {}).",
        measure.phrase,
        would_have_shown(measure, spread.standard_deviation, effect.seeds()),
        measure.signed(effect.mean),
        measure.interval(spread.interval)
    )
}

/// "anything above 0.12 points would have shown".
pub fn smallest_shown(measure: Measure, standard_deviation: f64, seeds: usize) -> String {
    let smallest = smallest_effect(seeds).unwrap_or(f64::NAN) * standard_deviation;
    format!("anything above {}{} would have shown", measure.size(smallest), measure.unit)
}

/// "anything above 0.12 points would have shown; 34 seeds would show 0.05".
pub fn would_have_shown(measure: Measure, standard_deviation: f64, seeds: usize) -> String {
    let smallest = smallest_effect(seeds).unwrap_or(f64::NAN) * standard_deviation;
    let target = round_below(smallest * measure.scale) / measure.scale;
    let target = if target > 0.8 * smallest { target / 2.0 } else { target };
    let more = planner::seeds(standard_deviation, seeds, target)
        .map(|plan| format!("; {} seeds would show {}", count(plan.expected), measure.size(target)));
    format!("{}{}", smallest_shown(measure, standard_deviation, seeds), more.unwrap_or_default())
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
            "With model 2, test accuracy is 6.92 points lower than with model 1 (95% interval 6.80 to 7.04, 4 seeds)."
        );
        let gap = effect("model 2", "model 1", GAP, &PairedEffect::of(&differences).unwrap(), None);
        assert!(gap.starts_with("With model 2, the gap is 6.92 points narrower"), "{gap}");
        let loss = effect("zeros", "the baseline", LOSS, &PairedEffect::of(&[0.25, 0.26]).unwrap(), None);
        assert!(loss.starts_with("With zeros, test loss is 0.2550 higher than with the baseline"), "{loss}");
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
        let expected = TEST.size(0.996 * sd);
        let sentence = say(&differences, None);
        assert!(sentence.contains(&format!("with 10 seeds anything above {expected} points")), "{sentence}");
        // 0.05 points are 0.4743 standard deviations, for which statsmodels asks 36.9 pairs.
        assert!(sentence.contains("would have shown; 37 seeds would show 0.05 (measured 0.00"), "{sentence}");
        assert!(
            sentence.starts_with("No detectable difference in test accuracy between model 2"),
            "{sentence}"
        );
    }

    #[test]
    fn equal_runs_are_called_equal() {
        assert_eq!(say(&[0.0; 3], None), "Test accuracy equals model 1’s with model 2, on each of 3 seeds.");
        assert_eq!(say(&[0.0], None), "With model 2, test accuracy equals model 1’s in the one run of each.");
    }
}
