//! Recipe: everything that decides a run but the seed, and the model file that holds it.
//!
//! A model file is TOML in Keras's names. Only `input_shape` and `layers` are needed; the rest has Keras's defaults:
//!
//! ```toml
//! input_shape = [28, 28]
//!
//! [[layers]]
//! class_name = "Flatten"
//!
//! [[layers]]
//! class_name = "Dense"
//! units = 10
//! activation = "softmax"
//!
//! [compile]
//! optimizer = { name = "adam", learning_rate = 0.001 }
//! loss = "sparse_categorical_crossentropy"
//! metrics = [] # beside accuracy: ["auc", { name = "top_k_categorical_accuracy", k = 3 }]
//!
//! [fit]
//! epochs = 10
//! batch_size = 32
//! shuffle = true
//! validation_split = 0.0
//! # validation_data = "test"
//! # class_weight = { "0" = 2.0 }
//! # callbacks = [{ class_name = "EarlyStopping", patience = 3 }]
//!
//! [data]
//! dataset = "auto" # or { path = "iris.csv", label = "species", test_fraction = 0.2 }
//! normalization = "unit"
//! train_size = 60000
//! label_noise = 0.0
//! ```

use crate::error::{LabError, in_words, within};
use callbacks::CallbackRecipe;
use numbered::Numbered;
use seedbed_data::DataName;
use seedbed_nn::examples::Normalization;
use seedbed_nn::layers::Layer;
use seedbed_nn::losses::{Loss, SparseCategoricalCrossentropy};
use seedbed_nn::metrics::{self as nn_metrics, Metric};
use seedbed_nn::model::{Compile, Model};
use seedbed_nn::optimizers::{Adam, Optimizer};
use seedbed_nn::random::{Seed, Streams};
use seedbed_nn::schedules::LearningRate;
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use toml::{Spanned, Table};

pub mod callbacks;
mod dataset_name;
pub(crate) mod file_pattern;
mod metrics;
pub mod numbered;
#[cfg(test)]
mod tests;

/// The largest model file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The largest number of epochs, and of samples per batch and training set: what a file can hold.
const MAX_COUNT: usize = u32::MAX as usize;

/// Everything that decides a run but the seed. Its serialized form is the model file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "ModelFile<Layer>")]
pub struct Recipe {
    /// The layers.
    pub model: Sequential,
    /// What is minimised, and how.
    pub compile: CompileRecipe,
    /// How long it is trained.
    pub fit: FitRecipe,
    /// On what.
    pub data: DataRecipe,
}

/// What is minimised, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompileRecipe {
    /// How weights move; `adam` by default.
    pub optimizer: Optimizer,
    /// What is minimised; `sparse_categorical_crossentropy` by default.
    pub loss: Loss,
    /// What is measured beside loss and accuracy; nothing by default.
    #[serde(with = "metrics", skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}

/// How long a model is trained, and what listens. What has its default is not written where older files knew nothing of it:
/// a recipe stays the same recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitRecipe {
    /// How often all samples are seen, at least 1; 10 by default.
    pub epochs: usize,
    /// How many samples a step sees, at least 1; 32 by default.
    pub batch_size: usize,
    /// Whether each epoch has its own order; it has by default.
    pub shuffle: bool,
    /// Which share of the training samples, the last ones, is held out and scored after every epoch as `val_loss`,
    /// `val_accuracy` and so on; 0, none, by default.
    #[serde(skip_serializing_if = "is_zero")]
    pub validation_split: f64,
    /// What is scored under these names instead; nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_data: Option<ValidationData>,
    /// What a training sample of a class weighs; 1 where nothing is said.
    #[serde(skip_serializing_if = "Numbered::is_empty")]
    pub class_weight: Numbered,
    /// What listens to the training.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackRecipe>,
}

/// What a training may be validated with, beside samples that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidationData {
    /// The test samples, as many examples have it. What is then chosen by `val_loss` was chosen by the test.
    Test,
}

/// What a model is trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// The dataset's name, or a person's own data, a path or everything about it; `auto` by default.
    #[serde(with = "dataset_name")]
    pub dataset: DataName,
    /// How bytes, or numbers of any size, become numbers that a network can learn from; `unit` by default.
    pub normalization: Normalization,
    /// How many of the first training samples are used; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_size: Option<usize>,
    /// Which share of the training labels is replaced by a wrong one, 0 to 1; none by default. The test labels stay as
    /// they are.
    pub label_noise: f64,
}

/// A recipe as it is written: the model's keys stand at the top. Layers are read as what the file has under
/// `[[layers]]`, so that an error can name the layer's line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile<L> {
    input_shape: Shape,
    layers: Vec<L>,
    #[serde(default)]
    compile: CompileRecipe,
    #[serde(default)]
    fit: FitRecipe,
    #[serde(default)]
    data: DataRecipe,
}

impl Default for CompileRecipe {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::new(Adam::default()),
            loss: SparseCategoricalCrossentropy::default().into(),
            metrics: Vec::new(),
        }
    }
}

impl CompileRecipe {
    /// The same as the engine takes it.
    pub fn options(&self) -> Compile {
        Compile::new(self.optimizer.clone(), self.loss).metrics(self.metrics.clone())
    }

    /// The names that its metrics have in a history.
    pub fn metric_names(&self) -> Vec<String> {
        nn_metrics::names(&self.metrics)
    }
}

impl Default for FitRecipe {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            shuffle: true,
            validation_split: 0.0,
            validation_data: None,
            class_weight: Numbered::default(),
            callbacks: Vec::new(),
        }
    }
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl From<Recipe> for ModelFile<Layer> {
    fn from(recipe: Recipe) -> Self {
        let Recipe { model: Sequential { input_shape, layers }, compile, fit, data } = recipe;
        Self { input_shape, layers, compile, fit, data }
    }
}

impl Recipe {
    /// Reads a model file and checks it.
    ///
    /// # Errors
    /// [`LabError::Io`] if it cannot be read, [`LabError::ModelFile`] if it holds no recipe that can work.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let read = || {
            let mut bytes = Vec::new();
            File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map(|_| bytes)
        };
        let bytes = read().map_err(LabError::io("read the model file", path))?;
        let file = path.display().to_string();
        let wrong = |problem: &str| LabError::ModelFile { file: file.clone(), problem: problem.to_owned() };
        if bytes.len() as u64 > MAX_FILE {
            return Err(wrong("expected at most 1 MiB of TOML, received more; is this a model file?"));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| wrong("expected TOML in UTF-8, received other bytes; is this a model file?"))?;
        Self::parse(&file, &text)
    }

    /// Reads the text of a model file and checks it; `file` is what errors call it.
    ///
    /// # Errors
    /// [`LabError::ModelFile`], with the line where it is known.
    pub fn parse(file: &str, text: &str) -> Result<Self, LabError> {
        let wrong = |problem: String| LabError::ModelFile { file: file.to_owned(), problem };
        let found: ModelFile<Spanned<Table>> =
            toml::from_str(text).map_err(|error| wrong(in_words(error.to_string().trim_end())))?;
        let ModelFile { input_shape, layers, compile, fit, data } = found;
        let layers = layers.into_iter().map(|layer| {
            let line = 1 + text.bytes().take(layer.span().start).filter(|byte| *byte == b'\n').count();
            let problem = |error: toml::de::Error| {
                wrong(format!("layer at line {line}: {}", in_words(error.message())))
            };
            layer.into_inner().try_into::<Layer>().map_err(problem)
        });
        let model = Sequential { input_shape, layers: layers.collect::<Result<_, _>>()? };
        let recipe = Self { model, compile, fit, data };
        recipe.validate().map_err(|error| wrong(error.to_string()))?;
        Ok(recipe)
    }

    /// Reads what [`serde_json::to_value`] made of a recipe, perhaps changed since, and checks it.
    ///
    /// # Errors
    /// [`LabError::Model`] or [`LabError::Choice`] as from [`validate`](Self::validate); [`LabError::Value`] where
    /// something is no part of a recipe.
    pub fn from_value(value: serde_json::Value) -> Result<Self, LabError> {
        let problem = |error: serde_json::Error| LabError::Value(in_words(&error.to_string()));
        let ModelFile { input_shape, layers, compile, fit, data } =
            serde_json::from_value::<ModelFile<Layer>>(value).map_err(problem)?;
        let recipe = Self { model: Sequential { input_shape, layers }, compile, fit, data };
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as a model file, nothing left to defaults.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# this recipe cannot be written: {error}\n"))
    }

    /// Checks layers, shapes and numbers, without data and without weights.
    ///
    /// # Errors
    /// The first thing that cannot work: what was expected and what was received.
    pub fn validate(&self) -> Result<(), LabError> {
        within("epochs", self.fit.epochs, 1, MAX_COUNT)?;
        within("batch_size", self.fit.batch_size, 1, MAX_COUNT)?;
        within("train_size", self.data.train_size.unwrap_or(1), 1, MAX_COUNT)?;
        if let DataName::Own(own) = &self.data.dataset {
            own.validate()?;
        }
        let noise = self.data.label_noise;
        if !(0.0..=1.0).contains(&noise) {
            let (expected, received) = ("a number from 0 to 1".to_owned(), noise.to_string());
            return Err(LabError::Choice { what: "label_noise", expected, received });
        }
        self.model.summary()?;
        self.validate_fit().map_err(|problem| LabError::Value(format!("fit: {problem}")))
    }

    /// Checks what validates, weighs and listens.
    fn validate_fit(&self) -> Result<(), String> {
        let FitRecipe { validation_split, validation_data, class_weight, callbacks, .. } = &self.fit;
        if !(0.0..1.0).contains(validation_split) {
            return Err(format!("validation_split: expected 0 to below 1, received {validation_split}"));
        }
        if *validation_split > 0.0 && validation_data.is_some() {
            return Err("expected validation_split or validation_data, received both; leave one out".into());
        }
        let classes = self.model.summary().map_err(|error| error.to_string())?;
        let classes = classes.rows.last().map_or(0, |row| row.output_shape.size()).max(2);
        for (class, weight) in &class_weight.0 {
            if *class >= classes || !(weight.is_finite() && *weight >= 0.0) {
                let expected = format!("classes 0 to {} with finite weights ≥ 0", classes - 1);
                return Err(format!("class_weight: expected {expected}, received \"{class}\" = {weight}"));
            }
        }
        let measured = self.measured();
        for (index, callback) in callbacks.iter().enumerate() {
            let of = |problem| format!("callbacks[{index}]: {}: {problem}", callback.class_name());
            callback.validate(&measured).map_err(of)?;
            let again = |other: &CallbackRecipe| matches!(other, CallbackRecipe::BackupAndRestore(_));
            if again(callback) && callbacks[..index].iter().any(again) {
                return Err(of("expected one of it, received two".into()));
            }
            if let CallbackRecipe::SwapEMAWeights(swap) = callback {
                if !self.compile.optimizer.use_ema {
                    return Err(of(
                        "expected an optimizer with use_ema = true, received one without averages".into(),
                    ));
                }
                if swap.swap_on_epoch && callbacks.iter().any(again) {
                    let problem = "expected swap_on_epoch = false beside BackupAndRestore, which keeps the weights that are trained";
                    return Err(of(format!("{problem}; received true")));
                }
            }
            let rate = &self.compile.optimizer.learning_rate;
            if let (LearningRate::Schedule(schedule), true) = (rate, callback.changes_learning_rate()) {
                let expected = "a learning_rate that is one number, as this changes it";
                return Err(of(format!("expected {expected}, received {}", schedule.name())));
            }
        }
        Ok(())
    }

    /// The names under which numbers stand in the training's history, as Keras has them.
    fn measured(&self) -> Vec<String> {
        let mut names: Vec<String> = ["loss", "accuracy"].map(str::to_owned).into();
        names.extend(self.compile.metric_names());
        if self.fit.validation_split > 0.0 || self.fit.validation_data.is_some() {
            names.extend(names.clone().iter().map(|name| format!("val_{name}")));
        }
        names
    }

    /// The model with its first weights.
    ///
    /// # Errors
    /// [`LabError::Model`] where a layer, the optimizer or the loss cannot work.
    pub fn compile(&self, seed: u64, threads: NonZeroUsize) -> Result<Model, LabError> {
        self.compile_with(Streams::new(Seed(seed)), threads)
    }

    /// The model with its first weights, from streams that may have different seeds.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_with(&self, streams: Streams, threads: NonZeroUsize) -> Result<Model, LabError> {
        self.validate()?;
        Ok(self.model.compile(self.compile.options().streams(streams).threads(threads))?)
    }
}
