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
//! dataset = "auto" # or { path = "iris.csv", label = "species", test_fraction = 0.2 }
//! normalization = "unit"
//! train_size = 60000
//! label_noise = 0.0
//! ```

use crate::error::{LabError, within};
use seedbed_data::DataName;
use seedbed_nn::examples::Normalization;
use seedbed_nn::layers::Layer;
use seedbed_nn::losses::{Loss, SparseCategoricalCrossentropy};
use seedbed_nn::model::{Compile, Model};
use seedbed_nn::optimizers::{Adam, Optimizer};
use seedbed_nn::random::{Seed, Streams};
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use toml::{Spanned, Table};

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
        }
    }
}

impl Default for FitRecipe {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 32, shuffle: true }
    }
}

impl From<Recipe> for ModelFile<Layer> {
    fn from(recipe: Recipe) -> Self {
        let Recipe { model: Sequential { input_shape, layers }, compile, fit, data } = recipe;
        Self { input_shape, layers, compile, fit, data }
    }
}

/// A dataset is a name or a path, or a table that says how a path is to be read.
mod dataset_name {
    use super::{DataName, Deserialize, Deserializer, Serialize, Serializer};
    use seedbed_data::OwnData;
    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Error, MapAccess, Visitor};
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(name: &DataName, to: S) -> Result<S::Ok, S::Error> {
        match name {
            DataName::Own(own) => own.serialize(to),
            named => to.collect_str(named),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DataName, D::Error> {
        from.deserialize_any(NameOrTable)
    }

    struct NameOrTable;

    impl<'de> Visitor<'de> for NameOrTable {
        type Value = DataName;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a dataset's name, a path, or a table with a path")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<DataName, E> {
            name.parse().map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<DataName, A::Error> {
            OwnData::deserialize(MapAccessDeserializer::new(table)).map(DataName::Own)
        }
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
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        let ModelFile { input_shape, layers, compile, fit, data } = found;
        let layers = layers.into_iter().map(|layer| {
            let line = 1 + text.bytes().take(layer.span().start).filter(|byte| *byte == b'\n').count();
            let problem =
                |error: toml::de::Error| wrong(format!("layer at line {line}: {}", error.message()));
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
        let problem = |error: serde_json::Error| LabError::Value(error.to_string());
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
        Ok(())
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
        let options =
            Compile::new(self.compile.optimizer.clone(), self.compile.loss).streams(streams).threads(threads);
        Ok(self.model.compile(options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed_data::OwnData;
    use seedbed_nn::prelude::*;

    const FILE: &str = r#"
        input_shape = [28, 28]

        [[layers]]
        class_name = "Flatten"

        [[layers]]
        class_name = "Dense"
        units = 128
        activation = "relu"
        kernel_initializer = "he_normal"
        kernel_regularizer = { l2 = 1e-4 }

        [[layers]]
        class_name = "Dense"
        units = 10
        activation = "softmax"
    "#;

    fn parse(text: &str) -> Result<Recipe, String> {
        Recipe::parse("m.toml", text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_file_leaves_out_has_kerass_defaults() {
        let recipe = parse(FILE).unwrap();
        let model = Sequential::new([28, 28])
            .add(Flatten::new())
            .add(
                Dense::new(128)
                    .activation(Activation::Relu)
                    .kernel_initializer(Initializer::HeNormal { seed: None })
                    .kernel_regularizer(Regularizer::l2(1e-4)),
            )
            .add(Dense::new(10).activation(Activation::Softmax));
        assert_eq!(recipe.model, model);
        assert_eq!(recipe.compile.optimizer, "adam".parse().unwrap());
        assert_eq!(recipe.compile.loss, "sparse_categorical_crossentropy".parse().unwrap());
        assert_eq!(recipe.fit, FitRecipe { epochs: 10, batch_size: 32, shuffle: true });
        assert_eq!(recipe.data.dataset, DataName::Auto);
        assert_eq!((recipe.data.normalization, recipe.data.train_size), (Normalization::Unit, None));
    }

    #[test]
    fn a_written_recipe_reads_as_the_same_and_leaves_nothing_out() {
        let mut recipe = parse(FILE).unwrap();
        recipe.model = recipe
            .model
            .add(Dropout::new(0.1 + 0.2).name("drop"))
            .add(Rescaling::new(1.0 / 255.0, -0.5))
            .add(ActivationLayer::new(Activation::LeakyRelu { negative_slope: 0.3 }));
        recipe.compile.optimizer = Optimizer::adamw().learning_rate(1e-30);
        recipe.compile.loss = CategoricalCrossentropy { from_logits: true, label_smoothing: 0.1 }.into();
        recipe.fit = FitRecipe { epochs: 1, batch_size: 7, shuffle: false };
        recipe.data = DataRecipe {
            dataset: DataName::FashionMnist,
            normalization: Normalization::Standard,
            train_size: Some(100),
            label_noise: 0.25,
        };
        let text = recipe.to_toml();
        assert_eq!(parse(&text).as_ref(), Ok(&recipe), "{text}");

        let own = OwnData {
            label: Some("species".into()),
            sample_shape: Some(vec![2, 2]),
            test_fraction: Some(0.25),
            split_seed: 3,
            ..OwnData::at("plants/iris.csv")
        };
        recipe.data.dataset = DataName::Own(own);
        let text = recipe.to_toml();
        assert_eq!(parse(&text).as_ref(), Ok(&recipe), "{text}");
        let short = parse(&format!("{FILE}\n[data]\ndataset = 'plants/iris.csv'\n")).unwrap();
        assert_eq!(short.data.dataset, DataName::Own(OwnData::at("plants/iris.csv")));

        let text = parse(FILE).unwrap().to_toml();
        for line in
            ["learning_rate = 0.001", "beta_2 = 0.999", "bias_initializer = \"zeros\"", "shuffle = true"]
        {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn mistakes_are_named_with_line_and_remedy() {
        for (from, to, expected) in [
            (
                "= \"Dense\"",
                "= \"Dens\"",
                "m.toml: layer at line 7: unknown layer `Dens`, did you mean `Dense`?",
            ),
            (
                "he_normal",
                "he_norml",
                "line 7: Dense: unknown initializer `he_norml`, did you mean `he_normal`?",
            ),
            (
                "\"softmax\"",
                "\"sofmax\"",
                "line 14: Dense: unknown activation `sofmax`, did you mean `softmax`?",
            ),
            (
                "units = 128",
                "unit = 128",
                "line 7: Dense: unknown field `unit`, expected one of `name`, `trainable`, `units`",
            ),
            ("units = 128", "units = 0", "layer \"dense\": units: expected 1 to 16777216, received 0"),
            ("l2 = 1e-4", "l2 = -1", "l2: l2 must be a finite number ≥ 0, but is -1"),
            ("input_shape", "input_shap", "line 2, column 9"),
            ("[28, 28]", "[28, 0]", "input_shape: expected axes whose product is 1 to"),
            ("[[layers]]", "[[layers]", "TOML parse error at line 4"),
        ] {
            let error = parse(&FILE.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with("model file m.toml: ") && error.contains(expected), "{to}: {error}");
        }
        for (added, expected) in [
            ("[compile]\noptimizer = 'adm'", "unknown optimizer `adm`, did you mean `adam`?"),
            (
                "[compile]\noptimizer = {name = 'adam', learning_rate = -1}",
                "learning_rate must be a finite number > 0",
            ),
            ("[compile]\nloss = 'mean_square_error'", "did you mean `mean_squared_error`?"),
            ("[fit]\nepochs = 0", "epochs: expected 1 to 4294967295, received 0"),
            ("[fit]\nepoch = 3", "unknown field `epoch`, expected one of `epochs`"),
            ("[fit]\nbatch_size = 2.5", "line 20, column 14"),
            ("[data]\ndataset = 'mnits'", "Did you mean \"mnist\"?"),
            ("[data]\ndataset = 3", "expected a dataset's name, a path, or a table with a path"),
            (
                "[data]\ndataset = { path = 'x.csv', labels = 'y' }",
                "unknown field `labels`, expected one of `path`, `label`",
            ),
            (
                "[data]\ndataset = { path = 'x.csv', test_fraction = 1.0 }",
                "test_fraction: expected a number above 0 and below 1, received 1",
            ),
            (
                "[data]\ndataset = { path = 'x.csv', sample_shape = [0, 2] }",
                "sample_shape: expected 1 to 3 lengths whose product is 1 to 16777216, received [0, 2]",
            ),
            ("[data]\nnormalization = 'z'", "expected one of `none`, `unit`, `standard`"),
            ("[data]\ntrain_size = 0", "train_size: expected 1 to"),
            ("[extra]", "unknown field `extra`"),
        ] {
            let error = parse(&format!("{FILE}\n{added}\n")).unwrap_err();
            assert!(error.contains(expected), "{added}: {error}");
        }
    }

    #[test]
    fn what_is_no_model_file_is_refused_and_nothing_panics() {
        for end in 0..FILE.len() {
            let _ = parse(&FILE[..end]);
        }
        assert!(parse(&format!("input_shape = {}", "[".repeat(100_000))).is_err());
        assert!(parse("input_shape = [2]\nlayers = [1]").is_err());
        assert!(
            parse("input_shape = [2]\nlayers = []")
                .unwrap_err()
                .contains("expected 1 to 1000 layers, received 0")
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        let error = Recipe::read(&path).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the model file ") && error.contains("m.toml"), "{error}");
        std::fs::write(&path, vec![b' '; 1 + MAX_FILE as usize]).unwrap();
        assert!(Recipe::read(&path).unwrap_err().to_string().contains("at most 1 MiB"));
        std::fs::write(&path, [0xff]).unwrap();
        assert!(Recipe::read(&path).unwrap_err().to_string().contains("UTF-8"));
        std::fs::write(&path, FILE).unwrap();
        assert_eq!(Recipe::read(&path).unwrap(), parse(FILE).unwrap());
    }

    #[test]
    fn a_loss_that_does_not_fit_the_output_is_refused_by_compiling() {
        let mut recipe = parse(FILE).unwrap();
        recipe.compile.loss =
            SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }.into();
        let error = recipe.compile(0, NonZeroUsize::MIN).map(drop).unwrap_err().to_string();
        assert!(error.contains("from_logits expects logits, received a softmax's probabilities"), "{error}");
    }
}
