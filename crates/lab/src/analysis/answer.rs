//! What a study shows, in words: the sentences a reader should take away, before any chart.

use super::{Analysis, Effect, Metric};
use crate::format::{capitalized, count, fixed, list, percent, plural, signed_points};
use crate::record::{StudyRecord, TrialStatus};
use crate::statistics::planner;
use crate::statistics::sentence::{Verdict, smallest_shown};

/// An answer, one paragraph each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The one thing to read.
    pub headline: String,
    /// What else is to be said, each a paragraph of its own.
    pub remarks: Vec<String>,
}

/// How many effects are told one by one before they are only counted.
const TOLD: usize = 6;

/// A difference of test accuracy that a person may care about, for the seed planner.
const WORTH_SHOWING: f64 = 0.001;

const ONE_RUN: &str = "Each variant ran once, and one run cannot tell an effect from noise. Ten seeds give every difference an interval.";

/// Says what `analysis`, which was made from `study`, shows.
pub fn study(study: &StudyRecord, analysis: &Analysis) -> Answer {
    let mut remarks = Vec::new();
    if !analysis.repeated() && analysis.scores.len() > 1 {
        remarks.push(ONE_RUN.to_owned());
    }
    remarks.extend(gap(analysis));
    remarks.extend(equal(analysis));
    remarks.extend(not_found(analysis));
    remarks.extend(spread_by_factor(study, analysis));
    remarks.extend(importance(study, analysis));
    remarks.extend(diverged(study));
    remarks.extend(tuning(study));
    remarks.extend(control(analysis));
    remarks.extend(budget(analysis));
    remarks.extend(seeds(analysis));
    remarks.extend(looks(study));
    let headline = [baseline(study, analysis), found(analysis, Metric::Test)];
    Answer { headline: headline.into_iter().flatten().collect::<Vec<_>>().join(" "), remarks }
}

fn baseline(study: &StudyRecord, analysis: &Analysis) -> Option<String> {
    let score = analysis.scores.first()?;
    let (training, test, gap) = (score.training?.mean, score.test?.mean, score.gap?.mean);
    let over = if score.finished > 1 {
        format!(", on average over {}", plural(score.finished, "seed"))
    } else {
        String::new()
    };
    Some(format!(
        "The baseline names {} of its training pictures and {} of the test pictures of {} correctly{over}: a gap of {} points.",
        percent(training),
        percent(test),
        study.dataset.title,
        fixed(100.0 * gap, 2)
    ))
}

/// The effects of a metric that were found, largest first.
fn found_effects(analysis: &Analysis, metric: Metric) -> Vec<&Effect> {
    let all = analysis.effects.iter().flatten();
    let mut found: Vec<&Effect> =
        all.filter(|effect| effect.metric == metric && effect.verdict() == Verdict::Found).collect();
    found.sort_by(|a, b| b.paired.mean.abs().total_cmp(&a.paired.mean.abs()));
    found
}

/// Which choices change a metric, those that raise it and those that lower it.
fn found(analysis: &Analysis, metric: Metric) -> Option<String> {
    if !analysis.repeated() {
        return None;
    }
    let (effects, measure) = (found_effects(analysis, metric), metric.measure());
    if effects.is_empty() {
        let asked = analysis.effects.iter().flatten().filter(|effect| effect.metric == metric).count();
        return (asked > 0)
            .then(|| format!("None of {} changes {} detectably.", plural(asked, "variant"), measure.phrase));
    }
    let told = |effects: Vec<&Effect>, word: &str| {
        let names: Vec<String> = effects
            .iter()
            .take(TOLD)
            .enumerate()
            .map(|(i, effect)| {
                let unit = if i == 0 { measure.unit } else { "" };
                format!("{} ({}{unit})", effect.model, measure.signed(effect.paired.mean))
            })
            .collect();
        let more = effects.len().saturating_sub(TOLD);
        let names = if more > 0 { [names, vec![format!("{more} more")]].concat() } else { names };
        (!names.is_empty()).then(|| format!("{word} with {}", list(&names)))
    };
    let (up, down): (Vec<&Effect>, Vec<&Effect>) =
        effects.into_iter().partition(|effect| effect.paired.mean > 0.0);
    let parts: Vec<String> =
        [told(up, measure.more), told(down, measure.less)].into_iter().flatten().collect();
    Some(format!("{} is detectably {}.", capitalized(measure.phrase), parts.join(", and ")))
}

fn gap(analysis: &Analysis) -> Option<String> {
    let mut sentence = found(analysis, Metric::Gap)?;
    let narrowest = found_effects(analysis, Metric::Gap).into_iter().find(|effect| effect.paired.mean < 0.0);
    if let Some(narrow) = narrowest {
        let variant = analysis.scores.iter().position(|score| score.model == narrow.model)?;
        let test = analysis.effect(variant, Metric::Test)?;
        let price = match test.verdict() {
            Verdict::Found if test.paired.mean < 0.0 => format!(
                "it also names {} points fewer test pictures: it learned less of the training pictures, not more about new ones",
                Metric::Test.measure().size(test.paired.mean)
            ),
            Verdict::Found => {
                format!(
                    "it also names {} points more test pictures",
                    Metric::Test.measure().size(test.paired.mean)
                )
            }
            _ => "its test accuracy is not detectably different".to_owned(),
        };
        sentence.push_str(&format!(" The narrowest gap is that of {}; {price}.", narrow.model));
    }
    Some(sentence)
}

/// Which variants do not differ in anything that was measured: the same computation written in another way.
fn equal(analysis: &Analysis) -> Option<String> {
    let same = |effects: &&Vec<Effect>| {
        let nothing = |effect: &Effect| {
            effect.paired.seeds() > 1 && effect.paired.differences.iter().all(|&difference| difference == 0.0)
        };
        !effects.is_empty() && effects.iter().all(nothing)
    };
    let names: Vec<String> =
        analysis.effects.iter().filter(same).map(|effects| effects[0].model.clone()).collect();
    let verb = if names.len() == 1 { "equals" } else { "equal" };
    let named = if names.len() > TOLD { plural(names.len(), "variant") } else { list(&names) };
    (!names.is_empty())
        .then(|| format!("{} {verb} the baseline in every number on every seed.", capitalized(&named)))
}

/// What was not found, and what would have been.
fn not_found(analysis: &Analysis) -> Option<String> {
    let all = analysis.effects.iter().flatten().filter(|effect| effect.metric == Metric::Test);
    let mut open: Vec<(&Effect, f64)> = all
        .filter(|effect| matches!(effect.verdict(), Verdict::NotFound | Verdict::Doubtful))
        .filter_map(|effect| Some((effect, effect.paired.spread?.standard_deviation)))
        .filter(|(_, spread)| *spread > 0.0)
        .collect();
    let names: Vec<String> = open.iter().take(TOLD).map(|(effect, _)| effect.model.clone()).collect();
    open.sort_by(|a, b| a.1.total_cmp(&b.1));
    match open.as_slice() {
        [] => None,
        [(only, _)] => Some(only.sentence()),
        several => {
            let (middle, spread) = several[several.len() / 2];
            let named = if several.len() > TOLD {
                format!("the other {} variants", several.len())
            } else {
                list(&names)
            };
            let shown = smallest_shown(Metric::Test.measure(), spread, middle.paired.seeds());
            Some(format!(
                "For {named} no difference in test accuracy was established: with {} {shown} (median of them).",
                plural(middle.paired.seeds(), "seed")
            ))
        }
    }
}

fn spread_by_factor(study: &StudyRecord, analysis: &Analysis) -> Option<String> {
    let anova = &analysis.anova.iter().find(|of| of.metric == Metric::Test)?.anova;
    let mut terms: Vec<_> = anova.terms.iter().filter(|term| term.share >= 0.005).collect();
    terms.sort_by(|a, b| b.share.total_cmp(&a.share));
    let name = |factors: &[usize]| {
        let names: Vec<&str> = factors.iter().map(|&factor| study.factors[factor].name.as_str()).collect();
        names.join(" × ")
    };
    let told: Vec<String> = terms
        .iter()
        .take(TOLD)
        .map(|term| format!("{} {}%", name(&term.factors), fixed(100.0 * term.share, 0)))
        .collect();
    (!told.is_empty()).then(|| {
        let rest = 100.0 * anova.residual_squares / anova.total_squares;
        format!(
            "Of the spread of test accuracy over the grid, {} explain their share; {}% is left to chance.",
            list(&told),
            fixed(rest, 0)
        )
    })
}

fn importance(study: &StudyRecord, analysis: &Analysis) -> Option<String> {
    let of = &analysis.importance.iter().find(|of| of.metric == Metric::Test)?.importance;
    if of.predicted < 0.1 {
        return Some(
            "The factors hardly predict test accuracy, so their importance cannot be told.".to_owned(),
        );
    }
    let mut order: Vec<usize> = (0..of.single.len()).collect();
    order.sort_by(|&a, &b| of.single[b].total_cmp(&of.single[a]));
    let told: Vec<String> = order
        .iter()
        .take(3)
        .map(|&factor| format!("{} {}%", study.factors[factor].name, fixed(100.0 * of.single[factor], 0)))
        .collect();
    Some(format!(
        "What matters most for test accuracy: {} of what the factors predict, which is {}% of its variance.",
        list(&told),
        fixed(100.0 * of.predicted, 0)
    ))
}

fn diverged(study: &StudyRecord) -> Option<String> {
    let by_variant = study.variants.iter().enumerate().filter_map(|(variant, record)| {
        let trials = study.main(variant).count();
        let diverged = study
            .main(variant)
            .filter(|trial| matches!(trial.trial.status, TrialStatus::Diverged { .. }))
            .count();
        (diverged > 0)
            .then(|| (diverged, format!("{} with {diverged} of {}", record.name, plural(trials, "seed"))))
    });
    let found: Vec<(usize, String)> = by_variant.collect();
    let all: usize = found.iter().map(|(diverged, _)| diverged).sum();
    let names: Vec<String> = found.into_iter().take(TOLD).map(|(_, name)| name).collect();
    (all > 0).then(|| {
        format!(
            "Training diverged in {}: {}. Their differences are those of the runs that finished.",
            plural(all, "trial"),
            list(&names)
        )
    })
}

fn tuning(study: &StudyRecord) -> Option<String> {
    study.tuning.as_ref()?;
    let ends: Vec<String> = study
        .variants
        .iter()
        .filter(|variant| variant.tuned.as_ref().is_some_and(|tuned| tuned.at_the_end))
        .map(|variant| variant.name.clone())
        .collect();
    (!ends.is_empty()).then(|| {
        let subject = if ends.len() > TOLD { plural(ends.len(), "variant") } else { list(&ends) };
        format!("The best learning rate of {subject} lies at an end of those that were tried: a better one may lie beyond.")
    })
}

fn control(analysis: &Analysis) -> Option<String> {
    let control = analysis.control.as_ref()?;
    let test = control.effects.iter().find(|effect| effect.metric == Metric::Test)?;
    let seen = control.effects.iter().any(|effect| effect.verdict() == Verdict::Found);
    let verdict = if seen {
        "an effect was called, which is false: trust small effects of this study less"
    } else {
        "no effect was called, as it should be"
    };
    let rate = control.rate.as_ref().and_then(|rate| {
        let single = rate.single.iter().find(|(metric, _)| *metric == Metric::Test)?.1;
        Some(format!(
            " Dealing its {} into two hands {} times, p fell below 0.05 in {}% of deals and after correction in {}%.",
            plural(rate.runs, "run"),
            count(rate.deals),
            fixed(100.0 * single, 1),
            fixed(100.0 * rate.any_corrected, 1)
        ))
    });
    Some(format!(
        "A/A control: the baseline against itself on other seeds differs by {} points of test accuracy; {verdict}.{}",
        signed_points(test.paired.mean),
        rate.unwrap_or_default()
    ))
}

fn budget(analysis: &Analysis) -> Option<String> {
    let budget = analysis.budget.iter().find(|budget| budget.metric == Metric::Test)?;
    let measure = Metric::Test.measure();
    let lines: Vec<String> = budget
        .lines
        .iter()
        .map(|line| format!("{} alone {}", line.stream.words(), measure.size(line.spread.value)))
        .collect();
    Some(format!(
        "Over seeds the baseline’s test accuracy scatters by {} points (standard deviation); {}.",
        measure.size(budget.whole.value),
        list(&lines)
    ))
}

/// How many seeds a difference that a person cares about needs, from the median spread of this study's differences.
fn seeds(analysis: &Analysis) -> Option<String> {
    let (spread, pilot) = analysis.pilot()?;
    let plan = planner::seeds(spread, pilot, WORTH_SHOWING)?;
    let cautious = plan.cautious.filter(|&cautious| cautious != plan.expected);
    Some(format!(
        "Seed planner: to show a difference of {} points in test accuracy four times out of five takes about {} per variant{}.",
        Metric::Test.measure().size(WORTH_SHOWING),
        plural(plan.expected, "seed"),
        cautious.map_or_else(String::new, |seeds| format!(
            ", or {} if this study’s spread was a lucky draw",
            count(seeds)
        ))
    ))
}

fn looks(study: &StudyRecord) -> Option<String> {
    (study.test_looks > 1).then(|| {
        format!(
            "{} were scored on the test set. Choosing the best of them by these numbers flatters it; a new test set would not.",
            capitalized(&plural(study.test_looks, "recipe"))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Arm, example};

    fn said(record: &StudyRecord) -> Answer {
        study(record, &Analysis::of(record))
    }

    #[test]
    fn what_was_found_comes_first_and_what_was_not_says_what_would_have_been() {
        let answer = said(&example::study(10));
        assert!(answer.headline.contains("a gap of 2.00 points"), "{}", answer.headline);
        assert!(answer.headline.contains("higher with dropout 0.2 (+0.5"), "{}", answer.headline);
        assert!(answer.headline.contains("lower with initializer zeros (−4"), "{}", answer.headline);
        let all = answer.remarks.join("\n");
        for expected in [
            "The gap is detectably narrower with dropout 0.5 (−5.0",
            "The narrowest gap is that of dropout 0.5; its test accuracy is not detectably different.",
            "with 10 seeds anything above",
            "Training diverged in 1 trial: initializer zeros with 1 of 10 seeds.",
            "A/A control: the baseline against itself",
            "no effect was called, as it should be",
            "first weights alone",
            "Seed planner: to show a difference of 0.10 points",
            "5 recipes were scored on the test set.",
        ] {
            assert!(all.contains(expected), "{expected} is not in\n{all}");
        }
    }

    #[test]
    fn a_variant_that_changes_nothing_is_called_equal() {
        let mut record = example::study(4);
        let baseline: Vec<_> = record.main(0).cloned().collect();
        for trial in record.trials.iter_mut().filter(|trial| trial.variant == 1 && trial.arm == Arm::Main) {
            trial.trial = baseline.iter().find(|of| of.seed == trial.seed).unwrap().trial.clone();
        }
        let remarks = said(&record).remarks.join("\n");
        assert!(
            remarks.contains("Dropout 0.2 equals the baseline in every number on every seed."),
            "{remarks}"
        );
    }

    #[test]
    fn one_run_claims_nothing() {
        let answer = said(&example::study(1));
        assert!(!answer.headline.contains("detectably"), "{}", answer.headline);
        assert!(answer.remarks[0].contains("one run cannot tell an effect from noise"));
    }

    #[test]
    fn nothing_run_says_nothing() {
        let mut study = example::study(2);
        study.trials.clear();
        study.test_looks = 0;
        let answer = said(&study);
        assert_eq!((answer.headline.as_str(), answer.remarks.len()), ("", 1));
    }
}
