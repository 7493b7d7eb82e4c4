//! A whole lesson: what it ran on, the data, the models and their trials.

use super::{Inspection, TrialRecord, bytes};
use serde::{Deserialize, Serialize};

/// A whole lesson, complete enough to draw its report and to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LessonRecord {
    /// What it ran on.
    pub environment: Environment,
    /// The data.
    pub dataset: DatasetRecord,
    /// The models, the baseline first.
    pub models: Vec<ModelRecord>,
    /// The seeds asked for; every model runs once with each.
    pub seeds: Vec<u64>,
    /// How many epochs each trial was to run.
    pub epochs: usize,
    /// How many pictures a training step sees.
    pub batch_size: usize,
    /// The command line that runs the same lesson again.
    pub command: String,
    /// Whether it was stopped before everything was run.
    pub interrupted: bool,
    /// Seconds from start to end, everything included.
    pub seconds: f64,
}

/// What a lesson ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Seedbed's version.
    pub seedbed_version: String,
    /// How many threads trained.
    pub threads: usize,
    /// The SIMD level used, as in "AVX-512".
    pub simd: String,
    /// The operating system in words.
    pub os: String,
    /// The processor in words.
    pub cpu: String,
    /// When it started, as the caller writes time.
    pub started: String,
}

/// The data in numbers and a few pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// The name it is asked for by, as in "mnist".
    pub name: String,
    /// The name a person calls it, as in "MNIST".
    pub title: String,
    /// One sentence on where it came from.
    pub source: String,
    /// Why this dataset stands in for another one; shown loudly wherever numbers are.
    pub notice: Option<String>,
    /// The name of each class.
    pub class_names: Vec<String>,
    /// Height of a picture in pixels.
    pub height: usize,
    /// Width of a picture in pixels.
    pub width: usize,
    /// Values per pixel: 1 is grey, 3 is red, green, blue.
    #[serde(default = "one")]
    pub channels: usize,
    /// How many pictures were trained on.
    pub train_count: usize,
    /// How many pictures were tested on.
    pub test_count: usize,
    /// The first few training labels.
    pub first_labels: Vec<usize>,
    /// The last few training labels.
    pub last_labels: Vec<usize>,
    /// What is done to the bytes before the network sees them, in words, as in "divided by 255".
    pub normalization: String,
    /// The first pictures of the training set, usually 25.
    pub pictures: Vec<Picture>,
}

/// What records of before there were colours mean.
fn one() -> usize {
    1
}

impl DatasetRecord {
    /// The shape of one sample, as NumPy writes what follows the number of samples: "28, 28", "32, 32, 3", "4".
    pub fn sample_shape(&self) -> String {
        match [self.height, self.width, self.channels] {
            [1, width, 1] => width.to_string(),
            [height, width, 1] => format!("{height}, {width}"),
            [height, width, channels] => format!("{height}, {width}, {channels}"),
        }
    }

    /// Whether the samples are rows of numbers, which nobody can look at.
    pub fn is_table(&self) -> bool {
        self.height == 1 && self.channels == 1
    }
}

/// One picture with its label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its class.
    pub label: usize,
    /// Its pixels, row by row, channel by channel, 0 to 255.
    #[serde(with = "bytes")]
    pub pixels: Vec<u8>,
}

/// One model: its recipe in words and its trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Its short name, as in "model 1".
    pub name: String,
    /// One sentence on what it is.
    pub title: String,
    /// What differs from the baseline, one entry per choice, as in "optimizer adam → nadam"; empty for the baseline.
    pub changed: Vec<String>,
    /// The initializer of its hidden layers.
    pub initializer: String,
    /// Its dropout rate; `None` without a dropout layer.
    pub dropout: Option<f64>,
    /// Its regularizer in words; `None` without one.
    pub regularizer: Option<String>,
    /// Its optimizer with what matters about it, as in "adam, learning rate 0.001".
    pub optimizer: String,
    /// Its loss.
    pub loss: String,
    /// Its layers, as `summary` prints them.
    pub layers: Vec<LayerRow>,
    /// Its full recipe as a model file.
    pub recipe: String,
    /// Its trials, in the order of the lesson's seeds; fewer if the lesson was interrupted.
    pub trials: Vec<TrialRecord>,
    /// A closer look at its first trial.
    pub inspection: Option<Inspection>,
}

/// One row of a model's summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRow {
    /// The layer's name, as in "dense_1".
    pub name: String,
    /// Its type, as in "Dense".
    pub kind: String,
    /// Its output shape as Keras writes it, as in "(None, 128)".
    pub output_shape: String,
    /// How many parameters it has.
    pub parameters: usize,
}

impl ModelRecord {
    /// The parameters of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// The trial with this seed, if it was run.
    pub fn trial(&self, seed: u64) -> Option<&TrialRecord> {
        self.trials.iter().find(|trial| trial.seed == seed)
    }
}
