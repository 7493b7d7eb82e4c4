//! `seedbed study list`

use super::StoreOption;
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use clap::Args;

/// Of which store.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    store: StoreOption,

    /// Writes the list as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, false);
    let mut store = options.store.open_existing()?;
    super::sweep(&mut store);
    let studies = store.studies()?;
    if options.json {
        terminal.json(&studies)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = studies
        .into_iter()
        .map(|study| {
            let counts =
                [study.planned, study.stored, study.running, study.diverged].map(|count| count.to_string());
            [vec![study.name], counts.to_vec(), vec![study.question]].concat()
        })
        .collect();
    terminal.lines(&table(&["study", "trials", "stored", "running", "failed", "question"], &rows))?;
    Ok(Exit::Done)
}
