//! `seedbed study status STUDY`

use super::{StoreOption, effects};
use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::format::plural;
use seedbed::lab::study::store::StudyStatus;

/// Which study.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The study's name, or its file
    study: String,

    #[command(flatten)]
    store: StoreOption,

    /// Writes the counts as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, quiet);
    let mut store = options.store.open_existing()?;
    super::sweep(&mut store);
    let record = store.record(&super::name(&options.study)?)?;
    let [_, running] = store.progress(&record.name)?;
    let (stored, diverged) = (record.trials.len(), super::run::diverged(&record));
    if options.json {
        let (name, question, planned) = (record.name, record.question, record.planned);
        terminal.json(&StudyStatus { name, question, planned, stored, diverged, running })?;
        return Ok(Exit::Done);
    }
    terminal.title(&record.name)?;
    if !record.question.is_empty() {
        terminal.paragraph(&record.question)?;
    }
    let left = record.planned.saturating_sub(stored + running);
    terminal.paragraph(&format!(
        "{stored} of {} stored, {running} running, {left} to go, {diverged} failed; {} on the test set.",
        plural(record.planned, "trial"),
        if record.test_looks == 1 {
            "1 recipe was scored".to_owned()
        } else {
            format!("{} were scored", plural(record.test_looks, "recipe"))
        },
    ))?;
    effects::show(&record, &terminal)?;
    Ok(Exit::Done)
}
