//! What a study shows so far, in numbers: each variant against the baseline, paired by seed.
//!
//! For the terminal while a study runs. The report's analysis asks more and corrects for it.

use crate::record::{StudyRecord, StudyTrial, TrialRecord};
use crate::statistics::paired::PairedEffect;

/// A variant's differences to another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// In training accuracy.
    pub training: PairedEffect,
    /// In test accuracy.
    pub test: PairedEffect,
    /// In the gap.
    pub gap: PairedEffect,
}

impl Effects {
    /// The differences of `trials` to `baseline`, over the seeds that finished in both; `None` without any.
    pub fn between<'a>(
        trials: impl Iterator<Item = &'a StudyTrial>,
        baseline: impl Iterator<Item = &'a StudyTrial>,
    ) -> Option<Self> {
        let baseline: Vec<&StudyTrial> = baseline.collect();
        let pairs: Vec<(&TrialRecord, &TrialRecord)> = trials
            .filter_map(|trial| {
                let other = baseline.iter().find(|other| other.seed == trial.seed)?;
                Some((&trial.trial, &other.trial))
            })
            .collect();
        let effect = |metric: fn(&TrialRecord) -> Option<f64>| {
            let difference =
                |(trial, other): &(&TrialRecord, &TrialRecord)| Some(metric(trial)? - metric(other)?);
            PairedEffect::of(&pairs.iter().filter_map(difference).collect::<Vec<_>>())
        };
        Some(Self {
            training: effect(TrialRecord::training_accuracy)?,
            test: effect(TrialRecord::test_accuracy)?,
            gap: effect(TrialRecord::gap)?,
        })
    }
}

/// Every variant but the baseline with its differences to it, the largest difference in test accuracy first; those
/// without a pair of seeds are left out.
pub fn leading(record: &StudyRecord) -> Vec<(usize, Effects)> {
    let of = |variant| Some((variant, Effects::between(record.main(variant), record.main(0))?));
    let mut effects: Vec<(usize, Effects)> = (1..record.variants.len()).filter_map(of).collect();
    effects.sort_by(|(_, a), (_, b)| b.test.mean.abs().total_cmp(&a.test.mean.abs()));
    effects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn the_largest_difference_comes_first_and_is_paired_by_seed() {
        let mut study = study(5);
        study.trials.reverse();
        let effects = leading(&study);
        assert_eq!(effects[0].0, 4, "zeros");
        let (_, dropout) = effects.iter().find(|(variant, _)| *variant == 1).unwrap();
        assert!((dropout.test.mean - 0.005).abs() < 0.001 && (dropout.gap.mean + 0.01).abs() < 0.001);
        // The last seed of zeros diverged: it has no pair.
        assert_eq!((effects[0].1.test.seeds(), dropout.training.seeds()), (4, 5));
        study.trials.retain(|trial| trial.variant != 2);
        assert_eq!(leading(&study).len(), 3);
    }
}
