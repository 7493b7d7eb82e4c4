//! A whole study: what was asked, which recipes were compared, and every trial that was run.

use super::{DatasetRecord, Environment, TrialRecord, bytes};
use serde::{Deserialize, Serialize};

/// A study as far as it has been run, complete enough to draw its report and to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// Its short name, as in "dropout".
    pub name: String,
    /// What it asks, one sentence.
    pub question: String,
    /// How variants were chosen from the factors' levels.
    pub design: Design,
    /// The data, as the baseline uses them.
    pub dataset: DatasetRecord,
    /// The class of every test picture, in order: what [`StudyTrial::predicted`] is compared with. Empty if the dataset
    /// has more than 256 classes.
    #[serde(with = "bytes")]
    pub test_labels: Vec<u8>,
    /// The seeds asked for; every variant runs once with each. Effects are paired by them.
    pub seeds: Vec<u64>,
    /// The seeds of [`Arm::Control`], as many as `seeds` and different from all of them; empty without that arm.
    pub control_seeds: Vec<u64>,
    /// How many seeds each stream of [`Arm::Budget`] is given, the first that many of `seeds`; 0 without that arm.
    pub budget_seeds: usize,
    /// How learning rates were tuned; `None` where every variant kept its own.
    pub tuning: Option<TuningRecord>,
    /// What varies.
    pub factors: Vec<FactorRecord>,
    /// The recipes compared: the baseline first, then every other combination of levels that the design picked.
    pub variants: Vec<VariantRecord>,
    /// Every trial that ended, by variant, arm and seed; a study that is not done has fewer than
    /// [`planned`](Self::planned).
    pub trials: Vec<StudyTrial>,
    /// How many trials the whole study has, those that have not been run included.
    pub planned: usize,
    /// How many different recipes have been scored on the test set: each is one look. Trials of [`Arm::Tuning`] never
    /// see it.
    pub test_looks: usize,
    /// What it ran on; several lines if it was run on several machines or versions.
    pub environments: Vec<Environment>,
    /// The command line that runs the same study again.
    pub command: String,
    /// The study file it was run from, baseline included, as TOML.
    pub file: String,
}

/// How variants are chosen from the factors' levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// The baseline, and each other level of each factor alone.
    OneAtATime,
    /// Every combination of levels.
    Grid,
    /// A balanced part of the grid from which main effects can be told apart.
    Fractional,
    /// Independent draws from the levels or ranges.
    Random,
    /// A Sobol sequence through the levels or ranges, which leaves fewer holes than independent draws.
    QuasiRandom,
}

/// Something that varies: a place in the recipe and the values it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorRecord {
    /// Its name, as in "dropout".
    pub name: String,
    /// Where in the recipe it stands, as in "layers.dropout.rate".
    pub path: String,
    /// The values it takes, in the order of the study file. The baseline's own is always among them. A factor with a
    /// range has the values that were drawn, ascending.
    pub levels: Vec<LevelRecord>,
    /// Which of the levels is the baseline's.
    pub baseline: usize,
    /// The range its values were drawn from; `None` for a list of levels.
    pub range: Option<RangeRecord>,
}

/// One value of a factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRecord {
    /// What a person calls it, as in "0.5" or "glorot_normal".
    pub label: String,
    /// The value that is put into the recipe; `null` where the baseline is left as it is.
    pub value: serde_json::Value,
}

/// A range that values are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeRecord {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Whether equal ratios are equally likely, rather than equal differences.
    pub log: bool,
}

/// One combination of levels, that is one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// The hash of the resolved recipe before tuning: 16 hexadecimal digits.
    pub id: String,
    /// What a person calls it: "baseline", or the levels that differ from the baseline's, as in
    /// "dropout 0.5, optimizer nadam".
    pub name: String,
    /// Which level of each factor it has, in the order of [`StudyRecord::factors`].
    pub levels: Vec<usize>,
    /// Its full recipe as a model file, with the learning rate that was chosen where it was tuned.
    pub recipe: String,
    /// How many weights it trains.
    pub parameters: usize,
    /// What tuning found; `None` without tuning, or before its tuning trials are done.
    pub tuned: Option<TunedRecord>,
}

/// How learning rates are tuned: the same budget for every variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningRecord {
    /// The factors by which the variant's own learning rate is multiplied, ascending.
    pub multipliers: Vec<f64>,
    /// How many seeds each learning rate is tried with, the first that many of the study's.
    pub seeds: usize,
    /// Which share of the training pictures, the last ones, is held out to choose by.
    pub validation_split: f64,
}

/// What tuning found for one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TunedRecord {
    /// Every learning rate that was tried, ascending.
    pub tried: Vec<TriedRate>,
    /// The one with the best mean validation accuracy; the smaller of two that are equally good.
    pub chosen: f64,
    /// Whether the chosen one lies at an end of those that were tried, so that a better one may lie beyond.
    pub at_the_end: bool,
}

/// One learning rate and how well it did on the held-out training pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedRate {
    /// The learning rate.
    pub learning_rate: f64,
    /// Mean validation accuracy over the seeds, 0 to 1; `None` if a trial diverged.
    pub validation_accuracy: Option<f64>,
}

/// What a trial is for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The study's question: one variant with one of the study's seeds.
    Main,
    /// The A/A control: the baseline with one of the control seeds, to be compared with the baseline itself. The i-th
    /// control seed is paired with the i-th seed.
    Control,
    /// The variance budget: the baseline with one random stream from [`StudyTrial::seed`] and all others from the study's
    /// first seed.
    Budget(BudgetStream),
    /// A try at a learning rate. It learns from the training pictures that are not held out, and its `test_loss` and
    /// `test_accuracy` are those on the held-out training pictures: it never sees the test set.
    Tuning {
        /// The learning rate.
        learning_rate: f64,
    },
}

/// The random streams that the variance budget takes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetStream {
    /// The first weights.
    Init,
    /// The order of the training pictures.
    Order,
    /// Which units Dropout silences; no trials if the baseline has none.
    Dropout,
}

/// One trial of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyTrial {
    /// The hash of resolved recipe, seeds, data content and engine version: 32 hexadecimal digits. Equal trials of different
    /// studies have equal ids.
    pub id: String,
    /// Which of [`StudyRecord::variants`] it ran.
    pub variant: usize,
    /// Its seed; for [`Arm::Budget`] that of the one stream.
    pub seed: u64,
    /// What it is for.
    pub arm: Arm,
    /// How it ended and what it measured. A study stores only trials that finished or diverged.
    pub trial: TrialRecord,
    /// The class it says each test picture shows, in order. Empty if it diverged, never saw the test set
    /// ([`Arm::Tuning`]), or the dataset has more than 256 classes.
    #[serde(with = "bytes")]
    pub predicted: Vec<u8>,
}

impl StudyRecord {
    /// The trials of one variant that answer the study's question, in the order of the seeds.
    pub fn main(&self, variant: usize) -> impl Iterator<Item = &StudyTrial> {
        self.trials.iter().filter(move |trial| trial.variant == variant && trial.arm == Arm::Main)
    }

    /// The trials of the A/A control, in the order of the control seeds.
    pub fn control(&self) -> impl Iterator<Item = &StudyTrial> {
        self.trials.iter().filter(|trial| trial.arm == Arm::Control)
    }

    /// The trials of the variance budget that vary one stream, in the order of their seeds.
    pub fn budget(&self, stream: BudgetStream) -> impl Iterator<Item = &StudyTrial> {
        self.trials.iter().filter(move |trial| trial.arm == Arm::Budget(stream))
    }

    /// Whether every planned trial has been run.
    pub fn complete(&self) -> bool {
        self.trials.len() >= self.planned
    }
}

impl VariantRecord {
    /// The factors in which it differs from the baseline: each one's place in `factors` and the level it has.
    pub fn changed<'a>(&'a self, factors: &'a [FactorRecord]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let levels = self.levels.iter().copied().enumerate();
        levels.filter(|&(factor, level)| factors.get(factor).is_some_and(|of| of.baseline != level))
    }
}

impl LevelRecord {
    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        self.value.as_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn a_study_survives_json_and_its_arms_stay_apart() {
        let study = study(3);
        let json = serde_json::to_string(&study).unwrap();
        assert_eq!(serde_json::from_str::<StudyRecord>(&json).unwrap(), study);
        assert!(json.contains(r#""design":"one-at-a-time""#) && json.contains(r#""arm":{"budget":"init"}"#));
        let seeds = |trials: &mut dyn Iterator<Item = &StudyTrial>| {
            trials.map(|trial| trial.seed).collect::<Vec<_>>()
        };
        assert_eq!(seeds(&mut study.main(4)), study.seeds);
        assert_eq!(seeds(&mut study.control()), study.control_seeds);
        assert_eq!(seeds(&mut study.budget(BudgetStream::Order)), study.seeds);
        assert_eq!(study.budget(BudgetStream::Dropout).count(), 0);
        assert!(study.complete());
    }

    #[test]
    fn a_variant_knows_where_it_differs() {
        let study = study(1);
        let changed = |variant: usize| study.variants[variant].changed(&study.factors).collect::<Vec<_>>();
        assert_eq!((changed(0), changed(2), changed(4)), (vec![], vec![(0, 2)], vec![(1, 2)]));
        assert_eq!(study.factors[0].levels[2].number(), Some(0.5));
        assert_eq!(study.factors[1].levels[2].number(), None);
    }
}
