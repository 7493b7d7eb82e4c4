//! What the commands on model files share: the file, its weights, its data, and how they are run.

use crate::exit::UsageError;
use crate::load::{DataOptions, NormalizationOption};
use crate::terminal::Terminal;
use clap::Args;
use seedbed::data::Loaded;
use seedbed::lab::formats::{self, Format};
use seedbed::lab::recipe::Recipe;
use seedbed::nn::model::Model;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// A trained model: its file and its weights.
#[derive(Debug, Args)]
pub(crate) struct TrainedModel {
    /// The model file: .toml, or Keras's .json or .keras
    model: PathBuf,

    /// The model's weights, where the model file has none: .safetensors, .npz, .weights.h5 or .keras
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    normalization: NormalizationOption,

    #[command(flatten)]
    data: DataOptions,
}

const NO_WEIGHTS: &str = "expected --weights FILE, because this model file holds no weights";

impl TrainedModel {
    /// The recipe, the model with its weights, and the data. The weights are read first: they are quickly refused.
    pub(crate) fn load(&self, terminal: &Terminal) -> anyhow::Result<(Recipe, Model, Loaded)> {
        let weights = match &self.weights {
            Some(weights) => weights,
            None if Format::of(&self.model)?.holds_weights() => &self.model,
            None => return Err(UsageError(NO_WEIGHTS.to_owned()).into()),
        };
        let (mut recipe, model) = formats::read_trained(&self.model, weights, all_threads())?;
        self.normalization.apply(&mut recipe);
        let loaded = self.data.load(recipe.data.dataset.clone(), terminal)?;
        Ok((recipe, model, loaded))
    }
}

/// As many threads as the machine has.
pub(crate) fn all_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
