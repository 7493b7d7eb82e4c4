//! The study file: what is asked, as a person writes it.
//!
//! ```toml
//! name = "dropout"
//! question = "What does dropout do to training accuracy, test accuracy and the gap between them?"
//! baseline = "../models/lesson-1.toml"    # or a table with what a model file holds
//! set = { epochs = 5 }                    # what the study changes about it, by the same paths as factors
//! design = "one-at-a-time"                # or grid, fractional, random, quasi-random
//! seeds = 10                              # 0 to 9, or a list
//! control = true                          # the A/A control: as many seeds again for the baseline
//! variance_budget = 5                     # seeds for each random stream alone
//!
//! [factors]
//! dropout = [0, 0.2, 0.5]                 # a short name and its levels
//! init = { path = "layers.dense*.kernel_initializer", levels = ["glorot_uniform", "zeros"] }
//! learning_rate = { range = [1e-4, 1e-1], log = true }    # random designs only
//!
//! [tuning]                                # the same number of tries for every variant
//! multipliers = [0.1, 0.3, 1, 3, 10]
//! seeds = 3
//! validation_split = 0.1
//! ```

use super::path::Path;
use crate::error::{LabError, in_words};
use crate::recipe::Recipe;
use crate::record::{Design, TuningRecord};
use factor::{factor, json};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use toml::Spanned;

mod factor;

pub(super) use factor::label;
pub use factor::{FactorFile, Values};

/// The largest study file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The most seeds a study may have.
const MAX_SEEDS: usize = 10_000;

/// A study as it was asked for, its baseline read.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyFile {
    /// Its short name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What it asks.
    pub question: String,
    /// How variants are chosen.
    pub design: Design,
    /// How many variants a design that samples takes; `None` leaves it to the design.
    pub samples: Option<usize>,
    /// The seeds, each once.
    pub seeds: Vec<u64>,
    /// Whether the baseline is compared with itself on other seeds.
    pub control: bool,
    /// How many seeds each random stream is given alone.
    pub variance_budget: usize,
    /// Learning rates to try; `None` to keep each variant's own.
    pub tuning: Option<TuningRecord>,
    /// What is compared with.
    pub baseline: Recipe,
    /// What varies, in the order of the file.
    pub factors: Vec<FactorFile>,
}

/// The file as TOML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    question: String,
    design: Design,
    samples: Option<usize>,
    seeds: toml::Value,
    #[serde(default)]
    control: bool,
    #[serde(default)]
    variance_budget: usize,
    baseline: toml::Value,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    tuning: Option<TuningRecord>,
    factors: BTreeMap<String, Spanned<toml::Value>>,
}

impl StudyFile {
    /// Reads a study file, and its baseline's model file where it names one.
    ///
    /// # Errors
    /// [`LabError::Io`] if one cannot be read, [`LabError::Study`] or [`LabError::ModelFile`] with what is wrong.
    pub fn read(path: &std::path::Path) -> Result<Self, LabError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
        read.map_err(LabError::io("read the study file", path))?;
        let folder = path.parent().unwrap_or(std::path::Path::new("."));
        Self::parse(&text, folder).map_err(|error| match error {
            LabError::Study(problem) => LabError::Study(format!("study file {}: {problem}", path.display())),
            other => other,
        })
    }

    /// Reads the text of a study file; `folder` is where a baseline's model file is looked for.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str, folder: &std::path::Path) -> Result<Self, LabError> {
        if text.len() as u64 > MAX_FILE {
            return Err(wrong("expected at most 1 MiB of TOML, received more"));
        }
        let written: Written =
            toml::from_str(text).map_err(|error| wrong(in_words(error.to_string().trim_end())))?;
        let Written { name, question, design, samples, control, variance_budget, tuning, .. } = written;
        check_name(&name)?;
        let seeds = seeds(&written.seeds)?;
        let mut baseline = baseline(&written.baseline, folder)?;
        for (path, value) in &written.set {
            let what = format!("set.{path}");
            let at = Path::parse(path).map_err(|problem| wrong(format!("{what}: {problem}")))?;
            baseline = at.set_named(&baseline, &json(value)?, &what)?;
        }
        if let Some(tuning) = &tuning {
            check_tuning(tuning, seeds.len())?;
        }
        if variance_budget > seeds.len() {
            let count = seeds.len();
            return Err(wrong(format!(
                "variance_budget: expected at most the {count} seeds, received {variance_budget}"
            )));
        }
        // In the order of the file: a table's keys come sorted.
        let mut places: Vec<_> = written.factors.into_iter().collect();
        places.sort_by_key(|(_, value)| value.span().start);
        let factors = places.into_iter().map(|(name, value)| factor(name, value.into_inner()));
        let factors = factors.collect::<Result<Vec<_>, _>>()?;
        if factors.is_empty() {
            return Err(wrong("factors: expected at least one, received none"));
        }
        Ok(Self {
            name,
            question,
            design,
            samples,
            seeds,
            control,
            variance_budget,
            tuning,
            baseline,
            factors,
        })
    }

    /// Changes the baseline as the file's `set` does: a path or short name, and a value as TOML writes it. A value that
    /// is no TOML is taken as a string.
    ///
    /// # Errors
    /// [`LabError::Study`] with what is wrong.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), LabError> {
        let at = Path::parse(path).map_err(|problem| wrong(format!("set {path}: {problem}")))?;
        let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        self.baseline = at.set_named(&self.baseline, &json(&value)?, &format!("set {path}"))?;
        Ok(())
    }

    /// Takes so many seeds: the first of the file's, and further ones after its largest.
    ///
    /// # Errors
    /// [`LabError::Study`] for none or too many.
    pub fn first_seeds(&mut self, count: usize) -> Result<(), LabError> {
        let next = self.seeds.iter().max().map_or(0, |largest| largest.wrapping_add(1));
        let further =
            (0_u64..).map(|step| next.wrapping_add(step)).take(count.saturating_sub(self.seeds.len()));
        if !(1..=MAX_SEEDS).contains(&count) {
            return Err(wrong(format!("seeds: expected 1 to {MAX_SEEDS}, received {count}")));
        }
        self.seeds.extend(further);
        self.seeds.truncate(count);
        self.variance_budget = self.variance_budget.min(count);
        self.tuning.iter_mut().for_each(|tuning| tuning.seeds = tuning.seeds.min(count));
        Ok(())
    }

    /// The study as a file that needs no other.
    pub fn to_toml(&self) -> String {
        /// A study in the order in which a person reads it: plain keys first, as TOML wants it.
        #[derive(Serialize)]
        struct Whole<'a> {
            name: &'a str,
            question: &'a str,
            design: Design,
            samples: Option<usize>,
            seeds: &'a [u64],
            control: bool,
            variance_budget: usize,
            tuning: Option<&'a TuningRecord>,
            factors: InOrder<'a>,
            baseline: &'a Recipe,
        }
        struct InOrder<'a>(&'a [FactorFile]);
        impl Serialize for InOrder<'_> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_map(self.0.iter().map(|factor| (&factor.name, factor.to_toml())))
            }
        }
        let whole = Whole {
            name: &self.name,
            question: &self.question,
            design: self.design,
            samples: self.samples,
            seeds: &self.seeds,
            control: self.control,
            variance_budget: self.variance_budget,
            tuning: self.tuning.as_ref(),
            factors: InOrder(&self.factors),
            baseline: &self.baseline,
        };
        toml::to_string(&whole).unwrap_or_else(|error| format!("# this study cannot be written: {error}\n"))
    }
}

fn wrong(problem: impl Into<String>) -> LabError {
    LabError::Study(problem.into())
}

fn check_name(name: &str) -> Result<(), LabError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=100).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(wrong(format!("name: expected 1 to 100 letters, digits, `-`, `_` or `.`, received {name:?}")))
}

fn seeds(value: &toml::Value) -> Result<Vec<u64>, LabError> {
    let refuse = || {
        wrong(format!(
            "seeds: expected a number from 1 to {MAX_SEEDS}, or a list of different seeds, received {value}"
        ))
    };
    let seeds: Vec<u64> = match value {
        toml::Value::Integer(count) if (1..=MAX_SEEDS as i64).contains(count) => (0..*count as u64).collect(),
        toml::Value::Array(seeds) => {
            let seed = |seed: &toml::Value| seed.as_integer().and_then(|seed| u64::try_from(seed).ok());
            seeds.iter().map(seed).collect::<Option<_>>().ok_or_else(refuse)?
        }
        _ => return Err(refuse()),
    };
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() == seeds.len() && (1..=MAX_SEEDS).contains(&seeds.len()) {
        Ok(seeds)
    } else {
        Err(refuse())
    }
}

fn baseline(value: &toml::Value, folder: &std::path::Path) -> Result<Recipe, LabError> {
    match value {
        toml::Value::String(file) => Recipe::read(&folder.join(file)),
        toml::Value::Table(_) => {
            Recipe::from_value(json(value)?).map_err(|error| wrong(format!("baseline: {error}")))
        }
        other => Err(wrong(format!(
            "baseline: expected the path of a model file, or a table with what a model file holds, received {other}"
        ))),
    }
}

fn check_tuning(tuning: &TuningRecord, seeds: usize) -> Result<(), LabError> {
    let multipliers = &tuning.multipliers;
    let positive = multipliers.iter().all(|factor| factor.is_finite() && *factor > 0.0);
    if !positive || multipliers.len() < 2 || !multipliers.is_sorted_by(|a, b| a < b) {
        return Err(wrong(format!(
            "tuning.multipliers: expected at least two different numbers > 0, ascending, received {multipliers:?}"
        )));
    }
    if !(1..=seeds).contains(&tuning.seeds) {
        return Err(wrong(format!(
            "tuning.seeds: expected 1 to the {seeds} seeds, received {}",
            tuning.seeds
        )));
    }
    if !(tuning.validation_split > 0.0 && tuning.validation_split < 1.0) {
        let received = tuning.validation_split;
        return Err(wrong(format!(
            "tuning.validation_split: expected a share between 0 and 1, received {received}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        name = "small"
        question = "What happens?"
        design = "one-at-a-time"
        seeds = 3
        control = true
        variance_budget = 2
        set = { epochs = 2, train_size = 40 }

        [factors]
        zeta = { path = "layers.dense*.kernel_initializer", levels = ["glorot_uniform", "zeros"] }
        dropout = [0, 0.2, 0.5]
        optimizer = ["adam", { label = "fast sgd", value = { name = "sgd", learning_rate = 0.1 } }]

        [baseline]
        input_shape = [4, 4]
        layers = [{ class_name = "Flatten" }, { class_name = "Dense", units = 5, activation = "relu" },
                  { class_name = "Dropout", rate = 0 }, { class_name = "Dense", units = 3, activation = "softmax" }]
    "#;

    fn parse(text: &str) -> Result<StudyFile, String> {
        StudyFile::parse(text, std::path::Path::new(".")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_read_in_its_order_and_written_as_one_that_needs_no_other() {
        let file = parse(FILE).unwrap();
        assert_eq!(
            file.factors.iter().map(|factor| factor.name.as_str()).collect::<Vec<_>>(),
            ["zeta", "dropout", "optimizer"]
        );
        assert_eq!(
            (file.seeds.as_slice(), file.control, file.variance_budget),
            ([0, 1, 2].as_slice(), true, 2)
        );
        assert_eq!((file.baseline.fit.epochs, file.baseline.data.train_size), (2, Some(40)));
        let Values::Levels(levels) = &file.factors[2].values else { panic!() };
        assert_eq!((levels[0].label.as_str(), levels[1].label.as_str()), ("adam", "fast sgd"));
        assert_eq!(parse(&file.to_toml()).as_ref(), Ok(&file), "{}", file.to_toml());
    }

    #[test]
    fn a_value_is_set_as_toml_or_as_a_word() {
        let mut file = parse(FILE).unwrap();
        file.set("epochs", "7").unwrap();
        file.set("optimizer", "nadam").unwrap();
        file.set("optimizer", "{ name = 'sgd', momentum = 0.5 }").unwrap();
        assert_eq!((file.baseline.fit.epochs, file.baseline.compile.optimizer.name()), (7, "sgd"));
        let error = file.set("epoch", "7").unwrap_err().to_string();
        assert!(error.contains("unknown path `epoch`, did you mean `epochs`?"), "{error}");
    }

    #[test]
    fn the_number_of_seeds_can_be_changed_and_the_first_ones_stay() {
        let mut file = parse(&FILE.replace("seeds = 3", "seeds = [4, 9, 2]")).unwrap();
        file.first_seeds(5).unwrap();
        assert_eq!(file.seeds, [4, 9, 2, 10, 11]);
        file.first_seeds(1).unwrap();
        assert_eq!((file.seeds.as_slice(), file.variance_budget), ([4].as_slice(), 1));
        assert!(file.first_seeds(0).is_err() && file.first_seeds(10_001).is_err());
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, expected) in [
            (
                "seeds = 3",
                "seeds = 0",
                "seeds: expected a number from 1 to 10000, or a list of different seeds, received 0",
            ),
            ("seeds = 3", "seeds = [1, 1]", "received [1, 1]"),
            ("seeds = 3", "seeds = [-1, 2]", "received [-1, 2]"),
            ("seeds = 3", "seed = 3", "unknown field `seed`"),
            ("\"small\"", "\"../small\"", "name: expected 1 to 100 letters"),
            (
                "one-at-a-time",
                "one-by-one",
                "unknown variant `one-by-one`, expected one of `one-at-a-time`, `grid`",
            ),
            ("variance_budget = 2", "variance_budget = 4", "expected at most the 3 seeds, received 4"),
            ("epochs = 2", "epoch = 2", "set.epoch: unknown path `epoch`"),
            ("epochs = 2", "epochs = 'two'", "set.epochs: invalid type: string \"two\""),
            (
                "dropout = [0, 0.2, 0.5]",
                "dropout = []",
                "factors.dropout: levels: expected 1 to 1000, received 0",
            ),
            ("dropout = [0, 0.2, 0.5]", "dropout = 0.5", "factors.dropout: expected a list of levels"),
            (
                "dropout = [0, 0.2, 0.5]",
                "dropot = [0, 0.2]",
                "unknown path `dropot`, did you mean `dropout`?",
            ),
            (
                "dropout = [0, 0.2, 0.5]",
                "dropout = { range = [1, 0] }",
                "range: expected two numbers, the smaller first",
            ),
            (
                "dropout = [0, 0.2, 0.5]",
                "dropout = { level = [0] }",
                "factors.dropout: unknown field `level`",
            ),
            ("units = 5", "unit = 5", "baseline: Dense: unknown field `unit`"),
            (
                "seeds = 3",
                "seeds = 3\ntuning = { multipliers = [1, 0.1], seeds = 1, validation_split = 0.1 }",
                "ascending",
            ),
            (
                "seeds = 3",
                "seeds = 3\ntuning = { multipliers = [0.1, 1], seeds = 4, validation_split = 0.1 }",
                "1 to the 3 seeds",
            ),
            (
                "seeds = 3",
                "seeds = 3\ntuning = { multipliers = [0.1, 1], seeds = 1, validation_split = 1 }",
                "received 1",
            ),
        ] {
            let error = parse(&FILE.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(expected), "{to}: {error}");
        }
        assert!(
            StudyFile::read(std::path::Path::new("no/such.toml"))
                .unwrap_err()
                .to_string()
                .contains("no/such.toml")
        );
    }
}
