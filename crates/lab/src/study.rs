//! Studies: a baseline, the factors that vary, the design, the seeds; run trial by trial into a store.
//!
//! | part | what it does |
//! |---|---|
//! | [`path`] | paths into a recipe: where a factor's levels are put |
//! | [`file`](mod@file) | the study file, as a person writes it |
//! | `design`, `fraction` | which combinations of levels are run |
//! | this file | the study: factors with their levels, variants with their recipes |
//! | [`tune`] | learning rates to try, and the choice among them |
//! | [`plan`] | every trial of the study, with its identity |
//! | [`destination`] | where finished trials go |
//! | [`store`] | finished trials and studies, in one SQLite file |
//! | [`run`] | runs what the store does not have, one trial per core |
//! | [`changes`] | what a changed study file leaves out |
//! | [`manifest`] | a study's open trials as a file, and the results as files, for other machines |
//! | [`estimate`] | how long it will take |
//! | [`export`] | the record as CSV, JSON and Vega-Lite |
//!
//! Imports run upwards in this table only. A trial is known by what decides it, not by the study that asked for it: a
//! study that grows runs only what is new, and studies that share a baseline run it once.

use crate::error::LabError;
use crate::prepared::Prepared;
use crate::recipe::Recipe;
use crate::record::{Design, FactorRecord, LevelRecord, RangeRecord};
use file::{FactorFile, StudyFile, Values, label};
use seedbed_data::Dataset;
use seedbed_nn::random::Streams;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::num::NonZeroUsize;

pub mod changes;
mod design;
pub mod destination;
pub mod estimate;
pub mod export;
pub mod file;
mod fraction;
pub mod manifest;
pub mod path;
pub mod plan;
pub mod run;
pub mod store;
pub mod tune;

pub use design::MAX_VARIANTS;

/// A study that can be run: every recipe is known and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What was asked.
    pub file: StudyFile,
    /// What varies.
    pub factors: Vec<FactorRecord>,
    /// The recipes compared, the baseline first.
    pub variants: Vec<Variant>,
}

/// One combination of levels.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The hash of its recipe: 16 hexadecimal digits.
    pub id: String,
    /// "baseline", or the levels that differ from the baseline's.
    pub name: String,
    /// Which level of each factor it has.
    pub levels: Vec<usize>,
    /// Its recipe, before any tuning.
    pub recipe: Recipe,
}

/// A factor with the recipe of each level alone.
struct Resolved<'a> {
    file: &'a FactorFile,
    record: FactorRecord,
}

impl Study {
    /// Works out factors and variants, and checks every recipe.
    ///
    /// # Errors
    /// [`LabError::Study`]: what cannot work, before any work.
    pub fn new(file: StudyFile) -> Result<Self, LabError> {
        let drawn = matches!(file.design, Design::Random | Design::QuasiRandom);
        let range = file.factors.iter().find(|factor| matches!(factor.values, Values::Range { .. }));
        if let Some(range) = range.filter(|_| !drawn) {
            let problem = "a range needs design = \"random\" or \"quasi-random\"; other designs need levels";
            return Err(LabError::Study(format!("factors.{}: {problem}", range.name)));
        }
        let mut factors: Vec<Resolved<'_>> =
            file.factors.iter().map(|factor| Resolved::new(factor, &file)).collect::<Result<_, _>>()?;
        let cells = cells(&file, &mut factors)?;
        let records: Vec<FactorRecord> = factors.iter().map(|factor| factor.record.clone()).collect();
        let variants = cells
            .into_iter()
            .map(|levels| variant(&file, &records, levels))
            .collect::<Result<Vec<_>, _>>()?;
        let study = Self { factors: records, variants, file };
        study.different()?;
        Ok(study)
    }

    /// Refuses variants that are the same recipe: one of them would be counted twice.
    fn different(&self) -> Result<(), LabError> {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for variant in &self.variants {
            if let Some(other) = seen.insert(&variant.id, &variant.name) {
                return Err(LabError::Study(format!(
                    "\"{other}\" and \"{}\" are the same recipe; leave one of these levels out",
                    variant.name
                )));
            }
        }
        Ok(())
    }

    /// Checks every factor's levels against the data: shapes, classes, number of pictures.
    ///
    /// # Errors
    /// As from [`Prepared::new`] and [`Prepared::check`], with the level's name.
    pub fn check(&self, dataset: &Dataset) -> Result<(), LabError> {
        let mut checked: Vec<(usize, usize)> = Vec::new();
        for variant in &self.variants {
            let mut levels = variant.levels.iter().copied().enumerate();
            // A level that was fine in one variant is fine in all: what it takes to find out is a compiled model.
            if !levels.any(|level| !checked.contains(&level)) {
                continue;
            }
            checked.extend(variant.levels.iter().copied().enumerate());
            let check = || {
                let data = Prepared::new(dataset, &variant.recipe.data)?;
                data.check(&variant.recipe.compile(0, NonZeroUsize::MIN)?)?;
                self.file
                    .tuning
                    .as_ref()
                    .map_or(Ok(()), |tuning| data.validation_split(tuning.validation_split).map(drop))
            };
            check().map_err(|error| LabError::Study(format!("{}: {error}", variant.name)))?;
        }
        Ok(())
    }
}

/// The levels of every variant, the baseline first; fills in the levels that ranges are drawn at.
fn cells(file: &StudyFile, factors: &mut [Resolved<'_>]) -> Result<Vec<Vec<usize>>, LabError> {
    let drawn = factors.iter().any(|factor| factor.record.range.is_some());
    let others = if drawn {
        let samples = file.samples.ok_or_else(|| {
            LabError::Study("samples: expected a number of variants to draw, as in `samples = 50`".into())
        })?;
        if !(1..MAX_VARIANTS).contains(&samples) {
            return Err(design::too_many(samples));
        }
        let points: Vec<Vec<f64>> = design::points(file.design, factors.len()).take(samples).collect();
        let columns = factors
            .iter_mut()
            .enumerate()
            .map(|(at, factor)| factor.draw(points.iter().map(|point| point[at])));
        let columns: Vec<Vec<usize>> = columns.collect();
        (0..samples).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
    } else {
        let counts: Vec<usize> = factors.iter().map(|factor| factor.record.levels.len()).collect();
        let baseline: Vec<usize> = factors.iter().map(|factor| factor.record.baseline).collect();
        design::combinations(
            file.design,
            design::Grid { counts: &counts, baseline: &baseline },
            file.samples,
        )?
    };
    let baseline: Vec<usize> = factors.iter().map(|factor| factor.record.baseline).collect();
    Ok(std::iter::once(baseline).chain(others).collect())
}

impl<'a> Resolved<'a> {
    /// The factor with its levels, the baseline's own among them.
    fn new(factor: &'a FactorFile, file: &StudyFile) -> Result<Self, LabError> {
        let of = |problem: String| LabError::Study(format!("factors.{}: {problem}", factor.name));
        let own = factor.path.get(&file.baseline).map_err(of)?;
        let mut record = FactorRecord {
            name: factor.name.clone(),
            path: factor.path.to_string(),
            levels: Vec::new(),
            baseline: 0,
            range: None,
        };
        let own =
            LevelRecord { label: own_label(own.as_ref(), &record.path), value: own.unwrap_or(Value::Null) };
        match &factor.values {
            Values::Range { range, .. } => {
                for end in [range.low, range.high] {
                    let (value, what) = (factor.value_at(end), format!("factors.{}: {end}", factor.name));
                    factor.path.set_named(&file.baseline, &value, &what)?;
                }
                (record.levels, record.range) = (vec![own], Some(*range));
            }
            Values::Levels(levels) => {
                record.levels.clone_from(levels);
                let recipes = levels.iter().map(|level| {
                    factor.path.set_named(
                        &file.baseline,
                        &level.value,
                        &format!("factors.{}, level {}", factor.name, level.label),
                    )
                });
                let recipes = recipes.collect::<Result<Vec<_>, _>>()?;
                for (index, recipe) in recipes.iter().enumerate() {
                    if let Some(same) = recipes[..index].iter().position(|other| other == recipe) {
                        let [one, two] = [same, index].map(|index| levels[index].label.as_str());
                        return Err(of(format!(
                            "levels {one} and {two} give the same recipe; leave one of them out"
                        )));
                    }
                }
                match recipes.iter().position(|recipe| *recipe == file.baseline) {
                    Some(index) => record.baseline = index,
                    None => record.levels.insert(0, own),
                }
                if record.levels.len() < 2 {
                    return Err(of("its only level is what the baseline has anyway; nothing varies".into()));
                }
            }
        }
        Ok(Self { file: factor, record })
    }

    /// The level of each point, and in a range the values that were drawn as levels, ascending.
    fn draw(&mut self, points: impl Iterator<Item = f64>) -> Vec<usize> {
        let Some(range) = self.record.range else {
            let count = self.record.levels.len();
            return points.map(|u| ((u * count as f64) as usize).min(count - 1)).collect();
        };
        let values: Vec<Value> = points.map(|u| self.file.value_at(range.at(u))).collect();
        let own = self.record.levels.swap_remove(0);
        let mut levels: Vec<LevelRecord> =
            values.iter().map(|value| LevelRecord { label: label(value), value: value.clone() }).collect();
        if levels.iter().all(|level| level.number() != own.number()) {
            levels.push(own.clone());
        }
        // The baseline's own comes first where it is no number.
        let key = |level: &LevelRecord| level.number().unwrap_or(f64::NEG_INFINITY);
        levels.sort_by(|a, b| key(a).total_cmp(&key(b)));
        levels.dedup_by(|a, b| key(a) == key(b));
        let place =
            |number: Option<f64>| levels.iter().position(|level| level.number() == number).unwrap_or(0);
        self.record.baseline = place(own.number());
        let drawn = values.iter().map(|value| place(value.as_f64())).collect();
        self.record.levels = levels;
        drawn
    }
}

impl FactorFile {
    /// A number from a range as it is put into a recipe: whole where the range is, otherwise with four digits, which is
    /// all that a person wants to read.
    fn value_at(&self, number: f64) -> Value {
        match self.values {
            Values::Range { whole: true, .. } => Value::from(number.round() as i64),
            _ => Value::from(format!("{number:.3e}").parse().unwrap_or(number)),
        }
    }
}

impl RangeRecord {
    /// The value at a share of the range, 0 to 1.
    fn at(&self, share: f64) -> f64 {
        if self.log {
            (self.low.ln() + share * (self.high.ln() - self.low.ln())).exp()
        } else {
            self.low + share * (self.high - self.low)
        }
    }
}

/// What the baseline's own value is called.
fn own_label(own: Option<&Value>, path: &str) -> String {
    match own {
        Some(value) => label(value),
        None if path == "data.train_size" => "all".into(),
        None => "as it is".into(),
    }
}

/// The variant of these levels. Deeper paths are put in after shallower ones: a learning rate after the optimizer it
/// belongs to.
fn variant(file: &StudyFile, factors: &[FactorRecord], levels: Vec<usize>) -> Result<Variant, LabError> {
    let changed: Vec<usize> = (0..factors.len()).filter(|&at| levels[at] != factors[at].baseline).collect();
    let words: Vec<String> = changed
        .iter()
        .map(|&at| format!("{} {}", factors[at].name, factors[at].levels[levels[at]].label))
        .collect();
    let name = if words.is_empty() { "baseline".to_owned() } else { words.join(", ") };
    let mut recipe = file.baseline.clone();
    // The baseline's own values are put in too, where anything else differs: a learning rate of 0.001 is meant as said
    // with every optimizer, not each one's default.
    let crossed = file.design != Design::OneAtATime && !changed.is_empty();
    let mut order: Vec<usize> = if crossed { (0..factors.len()).collect() } else { changed };
    order.sort_by_key(|&at| file.factors[at].path.depth());
    for at in order {
        let level = &factors[at].levels[levels[at]];
        if !level.value.is_null() {
            recipe = file.factors[at].path.set_named(&recipe, &level.value, &name)?;
        }
    }
    let id = recipe_hash(&recipe)[..16].to_owned();
    Ok(Variant { id, name, levels, recipe })
}

/// The first `bytes` bytes of SHA-256 over the parts, as hexadecimal digits. Each part is preceded by its length, so
/// that no two lists of parts run into one.
fn hash(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a recipe: 64 hexadecimal digits, of which the first 16 are a variant's id.
fn recipe_hash(recipe: &Recipe) -> String {
    hash(&[&recipe.to_toml()], 32)
}

/// The identity of a trial: recipe (its hash), the seed of every stream, data content, engine version, and the share of
/// the training pictures that is held out instead of testing. 32 hexadecimal digits.
fn identity(recipe: &str, streams: &Streams, held_out: f64, fingerprint: &str) -> String {
    let seeds: Vec<String> =
        seedbed_nn::random::Purpose::ALL.iter().map(|&purpose| streams.seed(purpose).to_string()).collect();
    hash(&[env!("CARGO_PKG_VERSION"), recipe, &seeds.join(" "), &held_out.to_string(), fingerprint], 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rows;
    use seedbed_nn::schedules::LearningRate;
    use std::path::Path;

    pub(super) const BASELINE: &str = r#"
        [baseline]
        input_shape = [4, 4]
        layers = [{ class_name = "Flatten" }, { class_name = "Dense", units = 5, activation = "relu" },
                  { class_name = "Dropout", rate = 0 }, { class_name = "Dense", units = 3, activation = "softmax" }]
        fit = { epochs = 2, batch_size = 20 }
        data = { dataset = "digits" }
    "#;

    /// A study of the tiny dataset from its head and its factors.
    pub(super) fn study(head: &str, factors: &str) -> Result<Study, String> {
        let text = format!("name = 'small'\n{head}\n[factors]\n{factors}\n{BASELINE}");
        let file = StudyFile::parse(&text, Path::new(".")).map_err(|error| error.to_string())?;
        let study = Study::new(file).map_err(|error| error.to_string())?;
        study.check(&rows()).map_err(|error| error.to_string())?;
        Ok(study)
    }

    fn names(study: &Study) -> Vec<&str> {
        study.variants.iter().map(|variant| variant.name.as_str()).collect()
    }

    #[test]
    fn the_baselines_own_value_is_found_or_added() {
        let study = study(
            "design = 'one-at-a-time'\nseeds = 2",
            "dropout = [0.5, 0]\nhidden = [8]\ntrain_size = [20]\n\
            optimizer = ['sgd', 'adam']",
        )
        .unwrap();
        assert_eq!(names(&study), ["baseline", "dropout 0.5", "hidden 8", "train_size 20", "optimizer sgd"]);
        let labels =
            |factor: usize| study.factors[factor].levels.iter().map(|l| l.label.as_str()).collect::<Vec<_>>();
        assert_eq!((labels(0), study.factors[0].baseline), (vec!["0.5", "0"], 1));
        assert_eq!((labels(1), study.factors[1].baseline), (vec!["5", "8"], 0));
        assert_eq!((labels(2), study.factors[2].baseline), (vec!["all", "20"], 0));
        assert_eq!((labels(3), study.factors[3].baseline), (vec!["sgd", "adam"], 1));
        assert_eq!(study.variants[0].recipe, study.file.baseline);
        assert!(study.variants[1].recipe.to_toml().contains("rate = 0.5"));
        assert_eq!(study.variants[0].id.len(), 16);
    }

    #[test]
    fn in_a_grid_every_level_is_meant_as_said() {
        let study =
            study("design = 'grid'\nseeds = 1", "learning_rate = [0.001, 0.1]\noptimizer = ['adam', 'sgd']")
                .unwrap();
        assert_eq!(
            names(&study),
            ["baseline", "optimizer sgd", "learning_rate 0.1", "learning_rate 0.1, optimizer sgd"]
        );
        let rates: Vec<_> = study
            .variants
            .iter()
            .map(|variant| variant.recipe.compile.optimizer.learning_rate.clone())
            .collect();
        assert_eq!(rates, [0.001, 0.001, 0.1, 0.1].map(LearningRate::Constant), "not sgd's own 0.01");
    }

    #[test]
    fn ranges_are_drawn_from_and_the_draws_are_levels() {
        let study = study("design = 'quasi-random'\nsamples = 16\nseeds = 1",
            "learning_rate = { range = [1e-4, 1e-1], log = true }\nhidden = { range = [2, 9] }\ndropout = [0, 0.5]").unwrap();
        assert_eq!((study.variants.len(), study.variants[0].name.as_str()), (17, "baseline"));
        let factor = &study.factors[0];
        assert_eq!(factor.levels[factor.baseline].number(), Some(0.001));
        assert!(factor.levels.is_sorted_by(|a, b| a.number() < b.number()) && factor.levels.len() == 17);
        let below = factor.levels.iter().filter(|level| level.number() < Some(10_f64.powf(-2.5))).count();
        assert!((7..=10).contains(&below), "half of the ratios lie below the middle: {below}");
        assert!(study.factors[1].levels.iter().all(|level| level.value.is_i64()));
        for variant in &study.variants {
            let level = &study.factors[0].levels[variant.levels[0]];
            assert_eq!(
                Some(variant.recipe.compile.optimizer.learning_rate.clone()),
                level.number().map(LearningRate::Constant)
            );
        }
    }

    #[test]
    fn what_cannot_work_is_refused_before_any_work() {
        let once = "design = 'one-at-a-time'\nseeds = 2";
        for (head, factors, expected) in [
            (
                once,
                "dropout = ['half']",
                "factors.dropout, level half: Dropout: invalid type: string \"half\"",
            ),
            (once, "dropout = [0]", "factors.dropout: its only level is what the baseline has anyway"),
            (once, "optimizer = ['sgd', 'SGD']", "levels sgd and SGD give the same recipe"),
            (once, "learning_rate = { range = [1e-4, 1e-1] }", "factors.learning_rate: a range needs design"),
            (
                once,
                "a = {path = 'layers.conv*.filters', levels = [1]}",
                "matches nothing: the baseline's layers are flatten, dense,",
            ),
            (once, "train_size = [61]", "train_size 61: train_size: expected 1 to 60, received 61"),
            (
                once,
                "b = {path = 'layers.dense_1.units', levels = [4]}",
                "b 4: last layer: expected 3 outputs",
            ),
            (
                "design = 'random'\nseeds = 2",
                "learning_rate = { range = [1e-4, 1e-1] }",
                "as in `samples = 50`",
            ),
            (
                "design = 'random'\nseeds = 2\nsamples = 4",
                "dropout = { range = [0.5, 1.5] }",
                "factors.dropout: 1.5: ",
            ),
            (
                "design = 'grid'\nseeds = 2",
                "dropout = [0, 0.5]\ndrop = { path = 'layers.dropout.rate', levels = [0, 0.5, 0.2] }",
                "are the same recipe",
            ),
        ] {
            let error = study(head, factors).unwrap_err();
            assert!(error.contains(expected), "{factors}: {error}");
        }
    }

    #[test]
    fn the_identity_depends_on_everything_that_decides_a_trial() {
        use seedbed_nn::random::{Purpose, Seed};
        let study = study("design = 'one-at-a-time'\nseeds = 2", "dropout = [0, 0.5]").unwrap();
        let [one, other] = [0, 1].map(|variant| recipe_hash(&study.variants[variant].recipe));
        let [one, other] = [&one, &other];
        let streams = Streams::new(Seed(1));
        let ids = [
            identity(one, &streams, 0.0, "data"),
            identity(other, &streams, 0.0, "data"),
            identity(one, &Streams::new(Seed(2)), 0.0, "data"),
            identity(one, &streams.with(Purpose::Labels, Seed(2)), 0.0, "data"),
            identity(one, &streams, 0.1, "data"),
            identity(one, &streams, 0.0, "other"),
        ];
        assert_eq!(ids[0], identity(one, &Streams::new(Seed(1)), 0.0, "data"));
        let different: std::collections::HashSet<_> = ids.iter().collect();
        assert!(different.len() == ids.len() && ids.iter().all(|id| id.len() == 32));
    }
}
