//! Every trial of a study, with its identity.
//!
//! Trials come seed after seed, every variant within a seed, so that a study that is stopped leaves complete pairs.
//! With tuning, a variant's own trials are known once its learning rate is: the plan is made again as results come in.

use super::{Study, identity, recipe_hash, tune};
use crate::error::LabError;
use crate::recipe::Recipe;
use crate::record::{Arm, BudgetStream, TrialRecord, TunedRecord};
use seedbed_nn::random::{Purpose, Seed, Streams};
use std::collections::HashMap;

/// The most trials a study may have.
pub const MAX_TRIALS: usize = 200_000;

/// Control seeds begin this far beyond the study's own.
const CONTROL: u64 = 1_000_000;

/// What finished trials measured, by their identity.
pub type Measured = HashMap<String, TrialRecord>;

/// One trial that is to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTrial {
    /// Its identity: 32 hexadecimal digits.
    pub id: String,
    /// Which variant.
    pub variant: usize,
    /// What for.
    pub arm: Arm,
    /// Its seed.
    pub seed: u64,
}

/// Every trial of a study that can be known so far.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The study.
    pub study: &'a Study,
    /// What the data are: [`Dataset::fingerprint`](seedbed_data::Dataset::fingerprint).
    pub fingerprint: String,
    /// What tuning found for each variant; `None` without tuning and while its tuning trials are open.
    pub tuned: Vec<Option<TunedRecord>>,
    /// The trials, in the order in which they are run. Two may be the same trial: one of the variance budget and the
    /// baseline's first.
    pub trials: Vec<PlannedTrial>,
    /// The recipe that each variant's own trials run.
    recipes: Vec<Recipe>,
}

impl Study {
    /// How many trials the study has, known or not.
    ///
    /// # Errors
    /// [`LabError::Study`] for more than [`MAX_TRIALS`].
    pub fn planned(&self) -> Result<usize, LabError> {
        let (file, variants) = (&self.file, self.variants.len());
        let tuning =
            file.tuning.as_ref().map_or(0, |tuning| variants * tuning.multipliers.len() * tuning.seeds);
        let control = if file.control { file.seeds.len() } else { 0 };
        let planned = variants * file.seeds.len()
            + control
            + file.variance_budget * self.budget_streams().len()
            + tuning;
        if planned > MAX_TRIALS {
            return Err(LabError::Study(format!(
                "the study has {variants} variants and {planned} trials; at most {MAX_TRIALS} can be run. Take fewer seeds or levels"
            )));
        }
        Ok(planned)
    }

    /// The streams that decide anything about the baseline.
    pub fn budget_streams(&self) -> Vec<BudgetStream> {
        let drops = |layers: &serde_json::Value| {
            let mut layers = layers.as_array().into_iter().flatten();
            layers.any(|layer| {
                layer.get("rate").and_then(serde_json::Value::as_f64).is_some_and(|rate| rate > 0.0)
            })
        };
        let dropout =
            serde_json::to_value(&self.file.baseline).is_ok_and(|baseline| drops(&baseline["layers"]));
        let streams = [BudgetStream::Init, BudgetStream::Order, BudgetStream::Dropout];
        streams.into_iter().filter(|&stream| dropout || stream != BudgetStream::Dropout).collect()
    }

    /// The seeds of the A/A control: as many as the study's, none of them the same, and those of a longer study begin
    /// with those of a shorter one.
    pub fn control_seeds(&self) -> Vec<u64> {
        if !self.file.control {
            return Vec::new();
        }
        let free = |seed: &u64| !self.file.seeds.contains(seed);
        let candidates = |&seed: &u64| (1..).map(move |step| seed.wrapping_add(step * CONTROL));
        self.file.seeds.iter().filter_map(|seed| candidates(seed).find(free)).collect()
    }
}

impl<'a> Plan<'a> {
    /// The plan as far as `results`, the finished trials by their identity, allow to know it.
    ///
    /// # Errors
    /// [`LabError::Study`] for too many trials, or tuning without a learning rate to tune.
    pub fn new(
        study: &'a Study,
        fingerprint: &str,
        results: &mut dyn FnMut(&[PlannedTrial]) -> Result<Measured, LabError>,
    ) -> Result<Self, LabError> {
        study.planned()?;
        let tuning = tuning_trials(study, fingerprint)?;
        let results = if tuning.is_empty() { HashMap::new() } else { results(&tuning)? };
        let tuned = (0..study.variants.len()).map(|variant| tuned(&tuning, variant, &results)).collect();
        Self::with(study, fingerprint, tuned, tuning)
    }

    /// The plan of learning rates that are known.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn tuned(
        study: &'a Study,
        fingerprint: &str,
        tuned: Vec<Option<TunedRecord>>,
    ) -> Result<Self, LabError> {
        study.planned()?;
        if tuned.len() != study.variants.len() {
            let (expected, received) = (study.variants.len(), tuned.len());
            return Err(LabError::Study(format!("expected {expected} tuned variants, received {received}")));
        }
        Self::with(study, fingerprint, tuned, tuning_trials(study, fingerprint)?)
    }

    fn with(
        study: &'a Study,
        fingerprint: &str,
        tuned: Vec<Option<TunedRecord>>,
        tuning: Vec<PlannedTrial>,
    ) -> Result<Self, LabError> {
        let recipe = |(variant, tuned): (&super::Variant, &Option<TunedRecord>)| match tuned {
            Some(tuned) => tune::with_rate(&variant.recipe, tuned.chosen),
            None => Ok(variant.recipe.clone()),
        };
        let recipes = study.variants.iter().zip(&tuned).map(recipe).collect::<Result<Vec<_>, _>>()?;
        let mut plan = Self { study, fingerprint: fingerprint.to_owned(), tuned, trials: tuning, recipes };
        plan.add_own_trials();
        Ok(plan)
    }

    /// The trials of every variant whose learning rate is known.
    fn add_own_trials(&mut self) {
        let file = &self.study.file;
        let known = |variant: usize| file.tuning.is_none() || self.tuned[variant].is_some();
        let hashes: Vec<String> = self.recipes.iter().map(recipe_hash).collect();
        let (control, budget) = (self.study.control_seeds(), self.study.budget_streams());
        let mut trials = Vec::new();
        for (at, &seed) in file.seeds.iter().enumerate() {
            let mut add = |variant: usize, arm, seed| {
                let id = identity(&hashes[variant], &self.streams(arm, seed), 0.0, &self.fingerprint);
                trials.push(PlannedTrial { id, variant, arm, seed });
            };
            (0..hashes.len())
                .filter(|&variant| known(variant))
                .for_each(|variant| add(variant, Arm::Main, seed));
            if known(0) {
                control.get(at).into_iter().for_each(|&seed| add(0, Arm::Control, seed));
                let streams = budget.iter().filter(|_| at < file.variance_budget);
                streams.for_each(|&stream| add(0, Arm::Budget(stream), seed));
            }
        }
        self.trials.extend(trials);
    }

    /// Whether every trial of the study is known.
    pub fn complete(&self) -> bool {
        self.study.file.tuning.is_none() || self.tuned.iter().all(Option::is_some)
    }

    /// The recipe that a variant's own trials run, tuned if it is.
    pub fn variant_recipe(&self, variant: usize) -> &Recipe {
        &self.recipes[variant]
    }

    /// The recipe that a trial runs.
    ///
    /// # Errors
    /// [`LabError::Study`] for a learning rate that no optimizer takes.
    pub fn recipe(&self, trial: &PlannedTrial) -> Result<Recipe, LabError> {
        match trial.arm {
            Arm::Tuning { learning_rate } => {
                tune::with_rate(&self.study.variants[trial.variant].recipe, learning_rate)
            }
            _ => Ok(self.recipes[trial.variant].clone()),
        }
    }

    /// The random streams of an arm with a seed.
    pub fn streams(&self, arm: Arm, seed: u64) -> Streams {
        let first = Streams::new(Seed(self.study.file.seeds.first().copied().unwrap_or_default()));
        match arm {
            Arm::Budget(BudgetStream::Init) => first.with(Purpose::Init, Seed(seed)),
            Arm::Budget(BudgetStream::Order) => first.with(Purpose::Shuffle, Seed(seed)),
            Arm::Budget(BudgetStream::Dropout) => first.with(Purpose::Dropout, Seed(seed)),
            Arm::Main | Arm::Control | Arm::Tuning { .. } => Streams::new(Seed(seed)),
        }
    }

    /// The share of the training pictures that an arm holds out instead of testing; 0 for all arms but tuning.
    pub fn held_out(&self, arm: Arm) -> f64 {
        match (arm, &self.study.file.tuning) {
            (Arm::Tuning { .. }, Some(tuning)) => tuning.validation_split,
            _ => 0.0,
        }
    }
}

/// The tuning trials, seed after seed.
fn tuning_trials(study: &Study, fingerprint: &str) -> Result<Vec<PlannedTrial>, LabError> {
    let Some(tuning) = &study.file.tuning else { return Ok(Vec::new()) };
    let mut variants = Vec::new();
    for (variant, of) in study.variants.iter().enumerate() {
        for learning_rate in tune::rates(&of.recipe, tuning)? {
            variants.push((
                variant,
                learning_rate,
                recipe_hash(&tune::with_rate(&of.recipe, learning_rate)?),
            ));
        }
    }
    let mut trials = Vec::new();
    for &seed in &study.file.seeds[..tuning.seeds.min(study.file.seeds.len())] {
        trials.extend(variants.iter().map(|(variant, learning_rate, hash)| PlannedTrial {
            id: identity(hash, &Streams::new(Seed(seed)), tuning.validation_split, fingerprint),
            variant: *variant,
            arm: Arm::Tuning { learning_rate: *learning_rate },
            seed,
        }));
    }
    Ok(trials)
}

/// What tuning found for a variant, once all its trials are there.
fn tuned(
    tuning: &[PlannedTrial],
    variant: usize,
    results: &HashMap<String, TrialRecord>,
) -> Option<TunedRecord> {
    let mut tried: Vec<(f64, Vec<TrialRecord>)> = Vec::new();
    for trial in tuning.iter().filter(|trial| trial.variant == variant) {
        let Arm::Tuning { learning_rate } = trial.arm else { continue };
        let result = results.get(&trial.id)?.clone();
        match tried.iter_mut().find(|(rate, _)| *rate == learning_rate) {
            Some((_, trials)) => trials.push(result),
            None => tried.push((learning_rate, vec![result])),
        }
    }
    tune::choose(&tried)
}

#[cfg(test)]
mod tests {
    use super::super::tests::study;
    use super::*;
    use crate::record::example::trial;
    use seedbed_nn::schedules::LearningRate;
    use std::collections::HashSet;

    fn plan<'a>(study: &'a Study, results: &HashMap<String, TrialRecord>) -> Plan<'a> {
        Plan::new(study, "data", &mut |_| Ok(results.clone())).unwrap()
    }

    #[test]
    fn seeds_come_one_after_another_and_every_arm_is_there() {
        let study = study(
            "design = 'one-at-a-time'\nseeds = [5, 9]\ncontrol = true\nvariance_budget = 2",
            "dropout = [0, 0.5]",
        )
        .unwrap();
        let plan = plan(&study, &HashMap::new());
        let arms: Vec<_> = plan.trials.iter().map(|trial| (trial.variant, trial.arm, trial.seed)).collect();
        let of_seed = |seed| {
            vec![
                (0, Arm::Main, seed),
                (1, Arm::Main, seed),
                (0, Arm::Control, seed + CONTROL),
                (0, Arm::Budget(BudgetStream::Init), seed),
                (0, Arm::Budget(BudgetStream::Order), seed),
            ]
        };
        assert_eq!(arms, [of_seed(5), of_seed(9)].concat());
        assert_eq!((plan.trials.len(), plan.complete()), (study.planned().unwrap(), true));
        // With the study's first seed, a stream alone is the baseline itself: the same trial, run once.
        assert_eq!(plan.trials[0].id, plan.trials[3].id);
        let different: HashSet<_> = plan.trials.iter().map(|trial| &trial.id).collect();
        assert_eq!(different.len(), 8);
    }

    #[test]
    fn a_study_that_grows_keeps_its_trials() {
        let [small, large] =
            [("seeds = 2", "dropout = [0, 0.5]"), ("seeds = 4", "dropout = [0, 0.2, 0.5]\nhidden = [7]")]
                .map(|(seeds, factors)| {
                    study(&format!("design = 'one-at-a-time'\ncontrol = true\n{seeds}"), factors).unwrap()
                });
        let ids = |study: &Study| {
            plan(study, &HashMap::new()).trials.into_iter().map(|trial| trial.id).collect::<HashSet<_>>()
        };
        assert!(ids(&small).is_subset(&ids(&large)));
        assert_eq!((ids(&small).len(), ids(&large).len()), (6, 20));
    }

    #[test]
    fn tuned_variants_wait_for_their_learning_rate() {
        let study = study(
            "design = 'one-at-a-time'\nseeds = 3\n\
            tuning = { multipliers = [0.1, 1, 10], seeds = 2, validation_split = 0.25 }",
            "optimizer = ['adam', 'sgd']",
        )
        .unwrap();
        let before = plan(&study, &HashMap::new());
        assert_eq!((before.trials.len(), before.complete()), (12, false));
        assert!(before.trials.iter().all(|trial| before.held_out(trial.arm) == 0.25));
        let score = |trial: &PlannedTrial| match trial.arm {
            Arm::Tuning { learning_rate } if learning_rate > 0.05 => 0.9,
            Arm::Tuning { learning_rate: 0.001 } => 0.8,
            _ => 0.5,
        };
        let results = |variants: &[usize]| -> HashMap<_, _> {
            let tried = before.trials.iter().filter(|trial| variants.contains(&trial.variant));
            tried.map(|planned| (planned.id.clone(), trial("v", planned.seed, 0.9, score(planned)))).collect()
        };
        let half = plan(&study, &results(&[1]));
        assert_eq!((half.trials.len(), half.complete()), (15, false));
        let done = plan(&study, &results(&[0, 1]));
        assert_eq!((done.trials.len(), done.complete()), (study.planned().unwrap(), true));
        let chosen =
            |variant: usize| done.tuned[variant].as_ref().map(|tuned| (tuned.chosen, tuned.at_the_end));
        assert_eq!((chosen(0), chosen(1)), (Some((0.001, false)), Some((0.1, true))));
        assert_eq!(
            done.recipe(done.trials.last().unwrap()).unwrap().compile.optimizer.learning_rate,
            LearningRate::Constant(0.1)
        );
        let again = Plan::tuned(&study, "data", done.tuned.clone()).unwrap();
        assert_eq!(again.trials, done.trials);
    }

    #[test]
    fn too_many_trials_are_refused_with_their_number() {
        let levels: Vec<String> = (1..=900).map(|units| units.to_string()).collect();
        let file = format!(
            "name = 'x'\ndesign = 'one-at-a-time'\nseeds = 1000\nfactors.hidden = [{}]\n{}",
            levels.join(","),
            super::super::tests::BASELINE
        );
        let study =
            Study::new(super::super::file::StudyFile::parse(&file, std::path::Path::new(".")).unwrap())
                .unwrap();
        let error = study.planned().unwrap_err().to_string();
        assert!(error.contains("900 variants and 900000 trials; at most 200000"), "{error}");
    }
}
