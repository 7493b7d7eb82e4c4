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
//!
//! [fit]
//! epochs = 10
//! batch_size = 32
//! shuffle = true
//!
//! [data]
//! dataset = "auto"
//! normalization = "unit"
//! train_size = 60000
//! ```

use crate::error::{LabError, within};
use seedbed_data::DataName;
use seedbed_nn::examples::Normalization;
use seedbed_nn::layers::Layer;
use seedbed_nn::losses::Loss;
use seedbed_nn::model::{Compile, Model};
use seedbed_nn::optimizers::{Adam, Optimizer};
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

/// The largest model file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The largest number of epochs, and of samples per batch and training set: what a file can hold.
const MAX_COUNT: usize = u32::MAX as usize;

/// Everything that decides a run but the seed. Its serialized form is the model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "ModelFile", into = "ModelFile")]
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
}

/// How long a model is trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitRecipe {
    /// How often all samples are seen, at least 1; 10 by default.
    pub epochs: usize,
    /// How many samples a step sees, at least 1; 32 by default.
    pub batch_size: usize,
    /// Whether each epoch has its own order; it has by default.
    pub shuffle: bool,
}

/// What a model is trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// The dataset's name; `auto` by default.
    #[serde(with = "dataset_name")]
    pub dataset: DataName,
    /// How bytes become numbers; `unit` by default.
    pub normalization: Normalization,
    /// How many of the first training samples are used; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_size: Option<usize>,
}

/// A recipe as it is written: the model's keys stand at the top.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    input_shape: Shape,
    layers: Vec<Layer>,
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
            loss: Loss::SparseCategoricalCrossentropy { from_logits: false },
        }
    }
}

impl Default for FitRecipe {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 32, shuffle: true }
    }
}

impl From<ModelFile> for Recipe {
    fn from(file: ModelFile) -> Self {
        let ModelFile { input_shape, layers, compile, fit, data } = file;
        Self { model: Sequential { input_shape, layers }, compile, fit, data }
    }
}

impl From<Recipe> for ModelFile {
    fn from(recipe: Recipe) -> Self {
        let Recipe { model: Sequential { input_shape, layers }, compile, fit, data } = recipe;
        Self { input_shape, layers, compile, fit, data }
    }
}

mod dataset_name {
    use super::{DataName, Deserialize, Deserializer, Serializer};
    use serde::de::Error;

    pub(super) fn serialize<S: Serializer>(name: &DataName, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DataName, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
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
        let recipe: Self =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        recipe.validate().map_err(|error| wrong(error.to_string()))?;
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
        self.model.summary()?;
        Ok(())
    }

    /// The model with its first weights.
    ///
    /// # Errors
    /// [`LabError::Model`] where a layer, the optimizer or the loss cannot work.
    pub fn compile(&self, seed: u64, threads: NonZeroUsize) -> Result<Model, LabError> {
        self.validate()?;
        let options = Compile::new(self.compile.optimizer, self.compile.loss).seed(seed).threads(threads);
        Ok(self.model.compile(options)?)
    }
}
