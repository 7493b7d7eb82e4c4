//! `seedbed convert IN OUT`

use crate::exit::{Exit, UsageError};
use clap::Args;
use seedbed::lab::formats::{self, Format};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// From what, to what.
#[derive(Debug, Args)]
#[command(after_help = FORMATS)]
pub(crate) struct Options {
    /// The file to read
    r#in: PathBuf,

    /// The file to write
    out: PathBuf,

    /// The model that the weights belong to, where IN holds weights alone
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

const FORMATS: &str = "What a file is, its ending says. Models: .toml (Seedbed), .json (Keras's to_json). Weights: \
    .safetensors (also PyTorch's, to read), .npz, .weights.h5 (Keras). Both: .keras.";

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let (from, to) = (Format::of(&options.r#in)?, Format::of(&options.out)?);
    let model_file = match &options.model {
        Some(_) if from.holds_model() => return usage("IN holds a model already; leave out --model"),
        Some(model) => model,
        None if from.holds_model() => &options.r#in,
        None => return usage("IN holds weights alone; add --model FILE"),
    };
    if to.holds_weights() && !from.holds_weights() {
        return usage(
            "OUT holds weights and IN has none; name the file with the weights as IN, this one with --model",
        );
    }
    let (recipe, model) = if from.holds_weights() {
        formats::read_trained(model_file, &options.r#in, NonZeroUsize::MIN)?
    } else {
        let recipe = formats::read_recipe(model_file)?;
        let model = recipe.compile(0, NonZeroUsize::MIN)?;
        (recipe, model)
    };
    formats::write(&options.out, &recipe, &model)?;
    Ok(Exit::Done)
}

fn usage(problem: &str) -> anyhow::Result<Exit> {
    Err(UsageError(problem.to_owned()).into())
}
