//! `seedbed study collect STUDY DIR`

use super::StoreOption;
use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::format::plural;
use seedbed::lab::study::manifest;
use std::path::PathBuf;

/// Which study, and where its result files are.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The study's name, or its file
    study: String,

    /// The folder of result files
    folder: PathBuf,

    #[command(flatten)]
    store: StoreOption,

    /// Writes the counts as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, false);
    let mut store = options.store.open_existing()?;
    let name = super::name(&options.study)?;
    let collected = manifest::collect(&mut store, &name, &options.folder)?;
    if options.json {
        terminal.json(&collected)?;
        return Ok(Exit::Done);
    }
    let header = store.header(&name)?;
    let stored = store.stored_of(&name)?.len();
    terminal.paragraph(&format!(
        "{} collected, {} stored already, {} of other studies left alone; {stored} of {} are there.",
        plural(collected.new, "trial"),
        collected.known,
        collected.foreign,
        header.map_or(0, |header| header.planned),
    ))?;
    Ok(Exit::Done)
}
