//! What a study shows: takes its record, returns plain data that pages and terminals draw.
//!
//! | part | what it answers |
//! |---|---|
//! | [`Metric`], [`Score`], [`Effect`] | how did each variant do, and how does it differ from the baseline, paired by seed |
//! | [`leading`], [`Differences`] | the differences alone, for the terminal while a study runs |
//! | [`split`] | what separates the running accuracy from the training accuracy |
//! | [`grid`] | which factors and pairs make how much of the spread (grids) |
//! | [`random`] | which factors matter when everything varied at once (random designs) |
//! | [`budget`] | how much of the spread over seeds comes from first weights, order, dropout |
//! | [`control`] | how often this pipeline sees an effect where there is none |
//! | [`pictures`] | which test pictures a choice gains and loses |
//! | [`Answer`] | all of it in words |

pub mod answer;
pub mod budget;
pub mod control;
mod effect;
pub mod grid;
mod leading;
mod metric;
mod objective;
pub mod pictures;
pub mod random;
mod score;
pub mod split;

pub use answer::Answer;
pub use effect::{Effect, Effort, Named, correct};
pub use leading::{Differences, leading};
pub use metric::Metric;
pub use score::Score;

use crate::record::{StudyRecord, StudyTrial, TrialRecord};
use objective::Objective;
use serde::Serialize;
use std::num::NonZeroUsize;

/// What the baseline is called in sentences.
pub const BASELINE: &str = "the baseline";

/// What a study shows.
#[derive(Clone, Debug, Serialize)]
pub struct Analysis {
    /// One per variant, the baseline first.
    pub scores: Vec<Score>,
    /// For each variant its differences to the baseline, in [`Metric::ALL`] order; a metric without a seed that both finished
    /// has none, nor has the loss of a variant with another loss or other penalties, nor the baseline.
    pub effects: Vec<Vec<Effect>>,
    /// How much was drawn for each effect's bootstrap and sign flips.
    pub effort: Effort,
    /// For each variant, what separates running from training accuracy.
    pub splits: Vec<Option<split::RunningSplit>>,
    /// The analysis of variance, one per metric; empty unless the design is a grid or a part of one.
    pub anova: Vec<grid::GridAnova>,
    /// The importance of factors, one per metric; empty unless the design is random.
    pub importance: Vec<random::FactorImportance>,
    /// The variance budget, one per metric; empty without that arm.
    pub budget: Vec<budget::Budget>,
    /// The A/A control; `None` without that arm.
    pub control: Option<control::Control>,
    /// For each variant but the baseline the test pictures that tell them apart, where classes were stored.
    pub pictures: Vec<pictures::PictureComparison>,
}

impl Analysis {
    /// Looks at all of `study`, as far as it has been run.
    pub fn of(study: &StudyRecord) -> Self {
        let main = by_variant(study);
        let trials: Vec<Vec<&TrialRecord>> =
            main.iter().map(|trials| trials.iter().map(|trial| &trial.trial).collect()).collect();
        let name = |variant: usize| study.variants[variant].name.as_str();
        let scores = trials.iter().enumerate().map(|(variant, trials)| Score::of(name(variant), trials));
        let effort = Effort::for_effects(study.variants.len().saturating_sub(1) * Metric::ALL.len());
        Self {
            scores: scores.collect(),
            effects: effects(study, &trials, effort),
            effort,
            splits: trials.iter().map(|trials| split::RunningSplit::of(trials)).collect(),
            anova: grid::anova(study, &main),
            importance: random::importance(study, &trials),
            budget: budget::budgets(study),
            control: control::Control::of(study),
            pictures: pictures::compare(study, &main),
        }
    }

    /// The effect of a variant on a metric, if it could be measured.
    pub fn effect(&self, variant: usize, metric: Metric) -> Option<&Effect> {
        self.effects.get(variant)?.iter().find(|effect| effect.metric == metric)
    }

    /// The median standard deviation of the study's paired differences in test accuracy, and how many seeds stand behind it: what
    /// the next study is planned with. `None` where nothing scatters.
    pub fn pilot(&self) -> Option<(f64, usize)> {
        let effects = self.effects.iter().flatten().filter(|effect| effect.metric == Metric::Test);
        let mut spreads: Vec<(f64, usize)> = effects
            .filter_map(|effect| Some((effect.paired.spread?.standard_deviation, effect.paired.seeds())))
            .filter(|(spread, _)| *spread > 0.0)
            .collect();
        spreads.sort_by(|a, b| a.0.total_cmp(&b.0));
        spreads.get(spreads.len() / 2).copied()
    }

    /// Whether any variant was run more than once, so that there is a spread to speak of.
    pub fn repeated(&self) -> bool {
        self.scores.iter().any(|score| score.finished > 1)
    }
}

/// The trials that answer the study's question, by variant.
fn by_variant(study: &StudyRecord) -> Vec<Vec<&StudyTrial>> {
    let mut all = vec![Vec::new(); study.variants.len()];
    for trial in study.trials.iter().filter(|trial| trial.arm == crate::record::Arm::Main) {
        if let Some(of) = all.get_mut(trial.variant) {
            of.push(trial);
        }
    }
    all
}

/// Every variant against the baseline, on all cores, corrected over the whole study.
fn effects(study: &StudyRecord, trials: &[Vec<&TrialRecord>], effort: Effort) -> Vec<Vec<Effect>> {
    let Some(baseline) = trials.first() else { return Vec::new() };
    let objective = Objective::of(&study.variants[0]);
    let one = |variant: usize| -> Vec<Effect> {
        let model = (study.variants[variant].name.as_str(), trials[variant].as_slice());
        let between = |metric| Effect::between(model, (BASELINE, baseline), metric, effort);
        let same_objective = Objective::of(&study.variants[variant]) == objective;
        let compared = Metric::ALL.into_iter().filter(|metric| *metric != Metric::Loss || same_objective);
        if variant == 0 { Vec::new() } else { compared.filter_map(between).collect() }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let variants: Vec<usize> = (0..trials.len()).collect();
    let share = variants.len().div_ceil(cores).max(1);
    let grouped: Vec<Vec<Effect>> = std::thread::scope(|scope| {
        let one = &one;
        let shares = variants.chunks(share);
        let workers: Vec<_> = shares
            .map(|variants| {
                scope.spawn(move || variants.iter().map(|&variant| one(variant)).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let sizes: Vec<usize> = grouped.iter().map(Vec::len).collect();
    let mut all: Vec<Effect> = grouped.into_iter().flatten().collect();
    correct(&mut all);
    let mut rest = all.into_iter();
    sizes.into_iter().map(|size| rest.by_ref().take(size).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;
    use crate::statistics::holm;
    use crate::statistics::sentence::Verdict;

    #[test]
    fn effects_are_paired_and_corrected_over_the_study() {
        let study = study(8);
        let analysis = Analysis::of(&study);
        assert_eq!(analysis.scores.len(), 5);
        assert!(analysis.effects[0].is_empty() && analysis.effects[1].len() == 4);
        let verdict = |variant, metric| analysis.effect(variant, metric).unwrap().verdict();
        assert_eq!(verdict(1, Metric::Test), Verdict::Found);
        assert_eq!(verdict(2, Metric::Training), Verdict::Found);
        assert_eq!(verdict(3, Metric::Test), Verdict::NotFound);
        let all: Vec<&Effect> = analysis.effects.iter().flatten().collect();
        let raw: Vec<f64> = all.iter().map(|effect| effect.paired.spread.unwrap().p_value).collect();
        let corrected: Vec<f64> = all.iter().map(|effect| effect.corrected_p.unwrap()).collect();
        assert_eq!((corrected, all.len()), (holm::adjust(&raw), 16));
    }

    #[test]
    fn losses_of_different_kinds_are_not_compared() {
        let mut study = study(8);
        study.variants[1].recipe = "[compile]\nloss = 'mean_squared_error'".into();
        let analysis = Analysis::of(&study);
        let judged = |variant| analysis.effect(variant, Metric::Loss).is_some();
        assert_eq!([judged(1), judged(2)], [false, true]);
        assert_eq!(analysis.effects[1].len(), 3, "nor counted in the correction");
    }

    #[test]
    fn what_diverged_is_counted_and_what_is_missing_is_no_panic() {
        let mut study = study(3);
        let analysis = Analysis::of(&study);
        assert_eq!((analysis.scores[4].finished, analysis.scores[4].diverged), (2, 1));
        assert_eq!(analysis.effect(4, Metric::Test).unwrap().paired.seeds(), 2);
        study.trials.retain(|trial| trial.variant != 0);
        assert!(Analysis::of(&study).effects.iter().all(Vec::is_empty));
        study.trials.clear();
        let analysis = Analysis::of(&study);
        assert!(!analysis.repeated() && analysis.scores.iter().all(|score| score.test.is_none()));
        study.variants.clear();
        assert!(Analysis::of(&study).scores.is_empty());
    }
}
