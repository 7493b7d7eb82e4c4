//! `seedbed plan MODEL`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::formats;
use serde_json::json;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Which model, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The model file: .toml, or Keras's .json or .keras
    model: PathBuf,

    /// Writes the steps as JSON, for the model file's batch size
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let recipe = formats::read_recipe(&options.model)?;
    let model = recipe.compile(0, NonZeroUsize::MIN)?;
    let (plan, batch) = (model.plan(), recipe.fit.batch_size);
    let terminal = Terminal::new(options.json, false);
    if !options.json {
        terminal.lines(&plan.to_string())?;
        return Ok(Exit::Done);
    }
    let steps = plan.describe(&plan.train, batch).into_iter().map(|step| {
        json!({
            "step": step.step, "layer": step.layer, "writes": step.writes, "bytes": step.bytes, "flops": step.flops,
        })
    });
    terminal.json(&json!({
        "batch_size": batch,
        "optimizer": plan.optimizer.name(),
        "loss": plan.loss.name(),
        "simd": plan.simd,
        "steps": steps.collect::<Vec<_>>(),
    }))?;
    Ok(Exit::Done)
}
