//! `seedbed man [COMMAND]`

use crate::arguments::Arguments;
use crate::exit::{Exit, UsageError};
use crate::terminal;
use clap::{Args, CommandFactory};
use clap_mangen::Man;

/// Which page.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The subcommand whose page to write, as in `man lesson`; the program's own page without one
    command: Option<String>,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut program = Arguments::command();
    program.build();
    let page = match &options.command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
            UsageError(format!("unknown command `{name}`; known are {}", known.join(", ")))
        })?,
    };
    let mut roff = Vec::new();
    Man::new(page).render(&mut roff)?;
    terminal::bytes(&roff)?;
    Ok(Exit::Done)
}
