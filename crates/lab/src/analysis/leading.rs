//! What a study shows so far, in numbers alone: for the terminal while it runs, where drawing a bootstrap twice a second for every
//! variant would be work. Nothing is corrected.

use super::Metric;
use super::effect::paired;
use crate::record::{StudyRecord, TrialRecord};
use crate::statistics::paired::PairedEffect;

/// A variant's differences to another one, paired by seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// In training accuracy.
    pub training: PairedEffect,
    /// In test accuracy.
    pub test: PairedEffect,
    /// In the gap.
    pub gap: PairedEffect,
}

impl Differences {
    /// The differences of `trials` to `baseline`, over the seeds that finished in both; `None` without any.
    pub fn between(trials: &[&TrialRecord], baseline: &[&TrialRecord]) -> Option<Self> {
        let of = |metric| paired(trials, baseline, metric);
        Some(Self { training: of(Metric::Training)?, test: of(Metric::Test)?, gap: of(Metric::Gap)? })
    }
}

/// Every variant but the baseline with its differences to it, the largest difference in test accuracy first; those
/// without a pair of seeds are left out.
pub fn leading(study: &StudyRecord) -> Vec<(usize, Differences)> {
    let trials: Vec<Vec<&TrialRecord>> = super::by_variant(study)
        .into_iter()
        .map(|trials| trials.into_iter().map(|trial| &trial.trial).collect())
        .collect();
    let of = |variant: usize| Some((variant, Differences::between(&trials[variant], &trials[0])?));
    let mut all: Vec<(usize, Differences)> = (1..trials.len()).filter_map(of).collect();
    all.sort_by(|(_, a), (_, b)| b.test.mean.abs().total_cmp(&a.test.mean.abs()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn the_largest_difference_comes_first_and_is_paired_by_seed() {
        let mut study = study(5);
        study.trials.reverse();
        let all = leading(&study);
        assert_eq!(all[0].0, 4, "zeros");
        let (_, dropout) = all.iter().find(|(variant, _)| *variant == 1).unwrap();
        assert!((dropout.test.mean - 0.005).abs() < 0.001 && (dropout.gap.mean + 0.01).abs() < 0.001);
        // The last seed of zeros diverged: it has no pair.
        assert_eq!((all[0].1.test.seeds(), dropout.training.seeds()), (4, 5));
        study.trials.retain(|trial| trial.variant != 2);
        assert_eq!(leading(&study).len(), 3);
    }
}
