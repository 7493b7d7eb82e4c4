//! `seedbed completions SHELL`

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::terminal;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The shell to write for
    shell: Shell,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "seedbed", &mut script);
    terminal::bytes(&script)?;
    Ok(Exit::Done)
}
