//! `seedbed summary MODEL`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::formats;
use std::path::PathBuf;

/// Which model.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The model file: .toml, or Keras's .json or .keras
    model: PathBuf,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let summary = formats::read_recipe(&options.model)?.model.summary()?;
    Terminal::new(false, false).lines(&summary.to_string())?;
    Ok(Exit::Done)
}
