//! The models of a lesson side by side: scores with their spread, and differences to the baseline paired by seed.

use crate::analysis::{Effect, Effort, Metric, Score, correct};
use crate::record::{LessonRecord, TrialRecord};
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

impl Comparison {
    /// Compares the models of `lesson`.
    pub fn of(lesson: &LessonRecord) -> Self {
        let trials: Vec<Vec<&TrialRecord>> =
            lesson.models.iter().map(|model| model.trials.iter().collect()).collect();
        let models = lesson.models.iter().zip(&trials);
        let scores = models.map(|(model, trials)| Score::of(&model.name, trials)).collect();
        let effort = Effort::for_effects(lesson.models.len() * Metric::COMPARED.len());
        let name = |index: usize| (lesson.models[index].name.as_str(), trials[index].as_slice());
        let mut effects: Vec<Effect> = (1..lesson.models.len())
            .flat_map(|model| {
                Metric::COMPARED.map(|metric| Effect::between(name(model), name(0), metric, effort))
            })
            .flatten()
            .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialStatus;
    use crate::record::example::{lesson, trial};
    use crate::statistics::holm;
    use crate::statistics::sentence::Verdict;

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
