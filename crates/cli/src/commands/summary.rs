//! `seedbed summary MODEL.toml`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::recipe::Recipe;
use std::path::PathBuf;

/// Which model.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The model file (TOML)
    model: PathBuf,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let summary = Recipe::read(&options.model)?.model.summary()?;
    Terminal::new(false, false).lines(&summary.to_string())?;
    Ok(Exit::Done)
}
