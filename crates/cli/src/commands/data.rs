//! `seedbed data list | fetch NAME | show NAME`

use crate::arguments::Name;
use crate::exit::Exit;
use crate::load::{DATA_NAMES, DataPlace, with_progress};
use crate::terminal::Terminal;
use crate::terminal::picture;
use crate::terminal::table::table;
use clap::{Args, Subcommand};
use seedbed::data::{self, DataName, Dataset, Pictures};
use seedbed::lab::format::{count, fixed, percent};

/// What is wanted of the datasets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Lists the datasets and where they are
    List(DataPlace),
    /// Brings a dataset into the cache, verified
    Fetch(Which),
    /// Shows a dataset in numbers and pictures
    Show(Which),
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

pub(super) fn run(command: &DataCommand, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, quiet);
    match command {
        DataCommand::List(place) => list(place, &terminal)?,
        DataCommand::Fetch(which) => fetch(which, &terminal)?,
        DataCommand::Show(which) => show(which, &terminal)?,
    }
    Ok(Exit::Done)
}

fn list(place: &DataPlace, terminal: &Terminal) -> anyhow::Result<()> {
    let finder = place.finder();
    for name in DataName::ALL.into_iter().filter(|&name| name != DataName::Auto) {
        let (shows, size, licence) = match name.entry() {
            Some(entry) => (entry.shows, megabytes(entry.download_bytes()), entry.licence),
            None => ("digits drawn by Seedbed", "0 MB".to_owned(), "MIT OR Apache-2.0"),
        };
        let at = data::locate(name, &finder)?
            .map_or_else(|| "not here yet".to_owned(), |source| source.to_string());
        terminal.lines(&format!(
            "{:<14}  {shows:<24}  {size:>8}  {licence}\n{:<14}  {at}",
            name.as_str(),
            ""
        ))?;
    }
    Ok(())
}

fn fetch(which: &Which, terminal: &Terminal) -> anyhow::Result<()> {
    let source =
        with_progress(terminal, |progress| data::fetch(which.name, &which.place.finder(), progress))?;
    terminal.lines(&format!("verified: {source}"))
}

fn show(which: &Which, terminal: &Terminal) -> anyhow::Result<()> {
    let loaded = which.place.load(which.name, terminal)?;
    let dataset = &loaded.dataset;
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    terminal.paragraph(&format!("{}: the pictures come from {}.", dataset.title, dataset.source))?;
    terminal.lines(&format!("\n{}\n\n{}", parts(dataset), classes(dataset)))?;
    terminal.lines("\nThe first training pictures:\n")?;
    terminal.lines(&picture::first_25(dataset, terminal.color()).join("\n"))
}

/// Shapes, mean, spread and zeros of both parts.
fn parts(dataset: &Dataset) -> String {
    let row = |name: &str, part: &Pictures| {
        let statistics = part.statistics();
        vec![
            name.to_owned(),
            format!("({}, {}, {})", part.count, part.height, part.width),
            fixed(statistics.mean, 2),
            fixed(statistics.std, 2),
            percent(statistics.zeros),
        ]
    };
    let rows = [row("training", &dataset.train), row("test", &dataset.test)];
    table(&["pictures", "shape", "mean", "std", "zeros"], &rows)
}

fn classes(dataset: &Dataset) -> String {
    let [training, test] = [&dataset.train, &dataset.test].map(|part| part.statistics().class_counts);
    let number = |counts: &[usize], class: usize| count(counts.get(class).copied().unwrap_or(0));
    let row =
        |(class, name): (usize, &String)| vec![name.clone(), number(&training, class), number(&test, class)];
    let rows: Vec<Vec<String>> = dataset.class_names.iter().enumerate().map(row).collect();
    table(&["class", "training", "test"], &rows)
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", fixed(bytes as f64 / 1e6, 1))
}
