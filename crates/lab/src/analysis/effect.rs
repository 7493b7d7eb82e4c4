//! What a change does to a metric, paired by seed, with everything that says how sure that is.

use super::Metric;
use crate::record::TrialRecord;
use crate::statistics::paired::PairedEffect;
use crate::statistics::sentence::{self, Verdict};
use crate::statistics::summary::mean;
use crate::statistics::{bootstrap, effect_size, holm, permutation};
use serde::Serialize;
use std::collections::HashMap;

/// The difference of one model to another on one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The model's name.
    pub model: String,
    /// The baseline's name.
    pub baseline: String,
    /// What is compared.
    pub metric: Metric,
    /// The difference, model minus baseline, over the seeds that both finished.
    pub paired: PairedEffect,
    /// The paired t-test's p-value after Holm's correction over all effects that were asked for together.
    pub corrected_p: Option<f64>,
    /// The sign-flip p-value, uncorrected.
    pub sign_flip_p: Option<f64>,
    /// The sign-flip p-value after Holm's correction.
    pub corrected_sign_flip_p: Option<f64>,
    /// The 95% BCa bootstrap interval.
    pub bootstrap: Option<[f64; 2]>,
    /// Hedges' g of the paired differences.
    pub hedges: Option<f64>,
}

/// How much is drawn for an effect's bootstrap and sign flips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Sign patterns where not all are tried.
    pub patterns: u32,
}

impl Effort {
    /// All of it for as many effects as a person reads, a fifth for more, so that a large study is answered at once.
    pub fn for_effects(count: usize) -> Self {
        let (resamples, patterns) = (bootstrap::RESAMPLES, permutation::DRAWN_PATTERNS);
        if count <= 200 {
            Self { resamples, patterns }
        } else {
            Self { resamples: resamples / 5, patterns: patterns / 5 }
        }
    }
}

/// A model's name and its trials, any order.
pub type Named<'a> = (&'a str, &'a [&'a TrialRecord]);

impl Effect {
    /// The difference of `model` to `baseline`; `None` without a seed that both finished. Not yet corrected, see
    /// [`correct`].
    pub fn between(model: Named<'_>, baseline: Named<'_>, metric: Metric, effort: Effort) -> Option<Self> {
        let paired = paired(model.1, baseline.1, metric)?;
        let differences = &paired.differences;
        Some(Self {
            model: model.0.to_owned(),
            baseline: baseline.0.to_owned(),
            metric,
            corrected_p: None,
            sign_flip_p: permutation::sign_flip_of(differences, 0, effort.patterns),
            corrected_sign_flip_p: None,
            bootstrap: bootstrap::interval_of(
                differences,
                |sample| mean(sample).unwrap_or(f64::NAN),
                0,
                effort.resamples,
            ),
            hedges: effect_size::hedges(&paired),
            paired,
        })
    }

    /// What it allows to say.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.paired, self.corrected_p)
    }

    /// The effect in one sentence.
    pub fn sentence(&self) -> String {
        sentence::effect(&self.model, &self.baseline, self.metric.measure(), &self.paired, self.corrected_p)
    }
}

/// The difference of `model` to `baseline`, paired by seed; `None` without a seed that both finished.
pub(super) fn paired(
    model: &[&TrialRecord],
    baseline: &[&TrialRecord],
    metric: Metric,
) -> Option<PairedEffect> {
    let of_seed: HashMap<u64, f64> =
        baseline.iter().filter_map(|trial| Some((trial.seed, metric.of(trial)?))).collect();
    let pairs = model.iter().filter_map(|trial| Some(metric.of(trial)? - of_seed.get(&trial.seed)?));
    PairedEffect::of(&pairs.collect::<Vec<_>>())
}

/// Corrects both p-values of effects that were asked for together.
pub fn correct(effects: &mut [Effect]) {
    let p = |effect: &Effect| effect.paired.spread.map(|spread| spread.p_value);
    adjust(effects, p, |effect, p| effect.corrected_p = Some(p));
    adjust(effects, |effect| effect.sign_flip_p, |effect, p| effect.corrected_sign_flip_p = Some(p));
}

fn adjust(effects: &mut [Effect], p: impl Fn(&Effect) -> Option<f64>, set: impl Fn(&mut Effect, f64)) {
    let p_values: Vec<f64> = effects.iter().filter_map(&p).collect();
    let judged = effects.iter_mut().filter(|effect| p(effect).is_some());
    judged.zip(holm::adjust(&p_values)).for_each(|(effect, corrected)| set(effect, corrected));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialStatus;
    use crate::record::example::trial;

    #[test]
    fn pairs_by_seed_and_leaves_out_what_did_not_finish() {
        let baseline = [trial("a", 1, 0.99, 0.97), trial("a", 2, 0.99, 0.98), trial("a", 3, 0.99, 0.98)];
        let mut model = [trial("b", 3, 0.99, 0.5), trial("b", 2, 0.99, 0.985), trial("b", 1, 0.99, 0.975)];
        model[0].status = TrialStatus::Diverged { epoch: 4, reason: "loss is NaN".into() };
        let (baseline, model): (Vec<_>, Vec<_>) = (baseline.iter().collect(), model.iter().collect());
        let effort = Effort { resamples: 50, patterns: 50 };
        let between = |metric| Effect::between(("b", &model), ("a", &baseline), metric, effort);
        let test = between(Metric::Test).unwrap();
        assert_eq!(test.paired.seeds(), 2);
        assert!(test.paired.differences.iter().all(|difference| (difference - 0.005).abs() < 1e-12));
        assert_eq!(Effect::between(("b", &model[..1]), ("a", &baseline), Metric::Test, effort), None);
        let mut effects = vec![test, between(Metric::Gap).unwrap()];
        correct(&mut effects);
        assert_eq!(effects[0].corrected_sign_flip_p, Some(1.0), "two seeds cannot go below one half");
        assert!(effects.iter().all(|effect| effect.corrected_p.is_some()));
    }
}
