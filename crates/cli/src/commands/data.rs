//! `seedbed data list | fetch NAME | show NAME|PATH`

mod show;

pub(super) use show::shape;

use crate::arguments::Name;
use crate::exit::Exit;
use crate::load::{DATA_NAMES, DataPlace, OwnOptions, with_progress};
use crate::terminal::Terminal;
use clap::{Args, Subcommand};
use seedbed::data::{self, DataName};
use seedbed::lab::format::fixed;

/// What is wanted of the datasets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Lists the datasets and where they are
    List(DataPlace),
    /// Brings a dataset into the cache, verified
    Fetch(Which),
    /// Shows a dataset, or your own data, in numbers and pictures
    Show(Show),
}

/// A dataset.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The dataset
    #[arg(value_parser = Name::<DataName>::of(&DATA_NAMES))]
    name: DataName,

    #[command(flatten)]
    place: DataPlace,
}

/// A dataset or a path, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The dataset, or the path of your own data: a .npz or .csv file, or a folder of pictures in one folder per class
    #[arg(value_name = "NAME|PATH", value_parser = Name::<DataName>::of(&DATA_NAMES))]
    name: DataName,

    #[command(flatten)]
    own: OwnOptions,

    #[command(flatten)]
    place: DataPlace,

    /// Writes the numbers as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &DataCommand, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, quiet);
    match command {
        DataCommand::List(place) => list(place, &terminal)?,
        DataCommand::Fetch(which) => fetch(which, &terminal)?,
        DataCommand::Show(asked) => {
            let loaded = asked.place.load(&asked.own.apply(asked.name.clone())?, &terminal)?;
            if asked.json { show::json(&loaded, &terminal)? } else { show::tell(&loaded, &terminal)? }
        }
    }
    Ok(Exit::Done)
}

fn list(place: &DataPlace, terminal: &Terminal) -> anyhow::Result<()> {
    let finder = place.finder();
    for name in DataName::ALL.iter().filter(|&name| *name != DataName::Auto) {
        let (shows, size, licence) = match name.entry() {
            Some(entry) => (entry.shows, megabytes(entry.download_bytes()), entry.licence),
            None => ("digits drawn by Seedbed", "0 MB".to_owned(), "MIT OR Apache-2.0"),
        };
        let at = data::locate(name, &finder)?
            .map_or_else(|| "not here yet".to_owned(), |source| source.to_string());
        terminal.lines(&format!(
            "{:<14}  {shows:<24}  {size:>8}  {licence}\n{:<14}  {at}",
            name.to_string(),
            ""
        ))?;
    }
    Ok(())
}

fn fetch(which: &Which, terminal: &Terminal) -> anyhow::Result<()> {
    let source =
        with_progress(terminal, |progress| data::fetch(&which.name, &which.place.finder(), progress))?;
    terminal.lines(&format!("verified: {source}"))
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", fixed(bytes as f64 / 1e6, 1))
}
