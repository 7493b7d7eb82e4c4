//! What the commands on model files share: the file, its weights, its data, and how they are run.

use crate::load::DataOptions;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::data::Loaded;
use seedbed::lab::recipe::Recipe;
use seedbed::lab::weights;
use seedbed::nn::model::Model;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// A trained model: its file and its weights.
#[derive(Debug, Args)]
pub(crate) struct TrainedModel {
    /// The model file (TOML)
    model: PathBuf,

    /// The model's weights
    #[arg(long, value_name = "FILE.safetensors")]
    weights: PathBuf,

    #[command(flatten)]
    data: DataOptions,
}

impl TrainedModel {
    /// The recipe, the model with its weights, and the data. The weights are read first: they are quickly refused.
    pub(crate) fn load(&self, terminal: &Terminal) -> anyhow::Result<(Recipe, Model, Loaded)> {
        let recipe = Recipe::read(&self.model)?;
        let mut model = recipe.compile(0, all_threads())?;
        weights::load(&mut model, &self.weights)?;
        let loaded = self.data.load(recipe.data.dataset.clone(), terminal)?;
        Ok((recipe, model, loaded))
    }
}

/// As many threads as the machine has.
pub(crate) fn all_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
