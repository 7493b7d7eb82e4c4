//! The models of a lesson side by side: scores with their spread, and differences to the baseline paired by seed.
//!
//! Only finished trials are scored. A trial that diverged or was interrupted is counted and named, never averaged in
//! and never dropped in silence.

use crate::record::{LessonRecord, ModelRecord, TrialRecord, TrialStatus};
use crate::statistics::paired::PairedEffect;
use crate::statistics::sentence::{self, Measure, Verdict};
use crate::statistics::summary::{Summary, mean};
use crate::statistics::{bootstrap, holm, permutation};
use serde::Serialize;

/// The models of a lesson side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// One row per model, the baseline first.
    pub scores: Vec<Score>,
    /// The differences of each other model to the baseline, in [`Metric::COMPARED`] order, model by model; a pair of
    /// models without a seed that both finished has none.
    pub effects: Vec<Effect>,
}

/// How one model did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The model's name.
    pub model: String,
    /// How many of its trials finished, and so are in the numbers below.
    pub finished: usize,
    /// How many diverged.
    pub diverged: usize,
    /// How many were interrupted.
    pub interrupted: usize,
    /// Running accuracy of the last epoch, 0 to 1; this and the rest are `None` if no trial finished.
    pub running: Option<Summary>,
    /// Training accuracy, inference mode, final weights, 0 to 1.
    pub training: Option<Summary>,
    /// Test accuracy, inference mode, final weights, 0 to 1.
    pub test: Option<Summary>,
    /// Training minus test accuracy.
    pub gap: Option<Summary>,
}

/// What models are compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Training accuracy.
    Training,
    /// Test accuracy.
    Test,
    /// Training minus test accuracy.
    Gap,
}

/// The difference of one model to the baseline on one metric.
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
    /// The paired t-test's p-value after Holm's correction over all effects of the lesson.
    pub corrected_p: Option<f64>,
    /// The exact sign-flip p-value, uncorrected.
    pub sign_flip_p: Option<f64>,
    /// The 95% BCa bootstrap interval.
    pub bootstrap: Option<[f64; 2]>,
}

impl Metric {
    /// All of them, in the order they are shown.
    pub const COMPARED: [Self; 3] = [Self::Training, Self::Test, Self::Gap];

    /// Its words.
    pub fn measure(self) -> Measure {
        match self {
            Self::Training => sentence::TRAINING,
            Self::Test => sentence::TEST,
            Self::Gap => sentence::GAP,
        }
    }

    fn of(self, trial: &TrialRecord) -> Option<f64> {
        match self {
            Self::Training => trial.training_accuracy(),
            Self::Test => trial.test_accuracy(),
            Self::Gap => trial.gap(),
        }
    }
}

impl Effect {
    /// What it allows to say.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.paired, self.corrected_p)
    }

    /// The effect in one sentence.
    pub fn sentence(&self) -> String {
        sentence::effect(&self.model, &self.baseline, self.metric.measure(), &self.paired, self.corrected_p)
    }
}

impl Comparison {
    /// Compares the models of `lesson`.
    pub fn of(lesson: &LessonRecord) -> Self {
        let scores = lesson.models.iter().map(Score::of).collect();
        let mut effects: Vec<Effect> = match lesson.models.split_first() {
            None => Vec::new(),
            Some((baseline, others)) => others
                .iter()
                .flat_map(|model| Metric::COMPARED.map(|metric| Effect::between(model, baseline, metric)))
                .flatten()
                .collect(),
        };
        correct(&mut effects);
        Self { scores, effects }
    }

    /// The effect of `model` on `metric`, if it could be measured.
    pub fn effect(&self, model: &str, metric: Metric) -> Option<&Effect> {
        self.effects.iter().find(|effect| effect.model == model && effect.metric == metric)
    }

    /// Whether any model was run more than once, so that there is a spread to speak of.
    pub fn repeated(&self) -> bool {
        self.scores.iter().any(|score| score.finished > 1)
    }
}

impl Score {
    fn of(model: &ModelRecord) -> Self {
        let over = |metric: fn(&TrialRecord) -> Option<f64>| {
            Summary::of(&model.trials.iter().filter_map(metric).collect::<Vec<_>>())
        };
        let ended = |matches: fn(&TrialStatus) -> bool| {
            model.trials.iter().filter(|trial| matches(&trial.status)).count()
        };
        Self {
            model: model.name.clone(),
            finished: ended(|status| matches!(status, TrialStatus::Finished)),
            diverged: ended(|status| matches!(status, TrialStatus::Diverged { .. })),
            interrupted: ended(|status| matches!(status, TrialStatus::Interrupted { .. })),
            running: over(TrialRecord::running_accuracy),
            training: over(TrialRecord::training_accuracy),
            test: over(TrialRecord::test_accuracy),
            gap: over(TrialRecord::gap),
        }
    }
}

impl Effect {
    fn between(model: &ModelRecord, baseline: &ModelRecord, metric: Metric) -> Option<Self> {
        let differences: Vec<f64> = model
            .trials
            .iter()
            .filter_map(|trial| Some(metric.of(trial)? - metric.of(baseline.trial(trial.seed)?)?))
            .collect();
        Some(Self {
            model: model.name.clone(),
            baseline: baseline.name.clone(),
            metric,
            paired: PairedEffect::of(&differences)?,
            corrected_p: None,
            sign_flip_p: permutation::sign_flip(&differences, 0),
            bootstrap: bootstrap::interval(&differences, |sample| mean(sample).unwrap_or(f64::NAN), 0),
        })
    }
}

fn correct(effects: &mut [Effect]) {
    let p_values: Vec<f64> =
        effects.iter().filter_map(|effect| effect.paired.spread.map(|spread| spread.p_value)).collect();
    let corrected = holm::adjust(&p_values);
    let repeated = effects.iter_mut().filter(|effect| effect.paired.spread.is_some());
    for (effect, p) in repeated.zip(corrected) {
        effect.corrected_p = Some(p);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::{lesson, trial};

    #[test]
    fn pairs_by_seed_and_not_by_order() {
        let mut lesson = lesson(2, 4);
        lesson.models[0].trials = vec![trial("model 1", 1, 0.99, 0.97), trial("model 1", 2, 0.99, 0.98)];
        lesson.models[1].trials = vec![trial("model 2", 2, 0.99, 0.985), trial("model 2", 1, 0.99, 0.975)];
        let comparison = Comparison::of(&lesson);
        let test = &comparison.effect("model 2", Metric::Test).unwrap().paired;
        assert!(test.differences.iter().all(|difference| (difference - 0.005).abs() < 1e-12), "{test:?}");
        assert!(comparison.repeated());
    }

    #[test]
    fn unfinished_trials_are_counted_and_not_averaged() {
        let mut lesson = lesson(3, 4);
        lesson.models[1].trials[0].status = TrialStatus::Diverged { epoch: 2, reason: "loss is NaN".into() };
        lesson.models[1].trials[2].status = TrialStatus::Interrupted { epoch: 1 };
        let comparison = Comparison::of(&lesson);
        let score = &comparison.scores[1];
        assert_eq!((score.finished, score.diverged, score.interrupted), (1, 1, 1));
        assert_eq!(score.test.unwrap().count, 1);
        assert_eq!(comparison.effect("model 2", Metric::Gap).unwrap().paired.seeds(), 1);
        assert_eq!(comparison.effect("model 2", Metric::Gap).unwrap().verdict(), Verdict::OneRun);
    }

    #[test]
    fn correction_spans_all_effects() {
        let comparison = Comparison::of(&lesson(6, 4));
        assert_eq!(comparison.effects.len(), 6);
        let raw: Vec<f64> = comparison.effects.iter().map(|e| e.paired.spread.unwrap().p_value).collect();
        let corrected: Vec<f64> = comparison.effects.iter().map(|e| e.corrected_p.unwrap()).collect();
        assert_eq!(corrected, holm::adjust(&raw));
    }

    #[test]
    fn nothing_run_gives_nothing() {
        let mut lesson = lesson(1, 1);
        lesson.models.iter_mut().for_each(|model| model.trials.clear());
        let comparison = Comparison::of(&lesson);
        assert!(comparison.effects.is_empty() && comparison.scores.iter().all(|score| score.test.is_none()));
        lesson.models.clear();
        assert!(Comparison::of(&lesson).scores.is_empty());
    }
}
