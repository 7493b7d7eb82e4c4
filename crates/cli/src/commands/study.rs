//! `seedbed study`: a baseline, factors, a design, seeds; run, watched, compared, taken elsewhere.

use crate::exit::Exit;
use crate::load::DataOptions;
use crate::terminal::Terminal;
use clap::{Args, Subcommand};
use seedbed::data::{DataName, Loaded};
use seedbed::lab::study::Study;
use seedbed::lab::study::changes::LeftOut;
use seedbed::lab::study::file::StudyFile;
use seedbed::lab::study::run::Runner;
use seedbed::lab::study::store::Store;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

mod collect;
mod compare;
mod effects;
mod export;
mod list;
mod plan;
mod progress;
mod report;
mod run;
mod status;
mod worker;

/// What can be done with studies.
#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Runs what is open of a study, and shows what it shows so far
    Run(run::Options),
    /// Shows how far a study is, and what it shows so far
    Status(status::Options),
    /// Lists the studies of a store
    List(list::Options),
    /// Compares two variants, of one study or of two
    Compare(compare::Options),
    /// Writes what a study shows as one HTML file, and as Markdown
    Report(report::Options),
    /// Writes a study's trials as CSV, JSON, a Vega-Lite plot or for TensorBoard
    Export(export::Options),
    /// Shows what a study would run and how long that takes; writes its open trials for workers
    Plan(plan::Options),
    /// Runs a share of a manifest's trials, one result file each
    Worker(worker::Options),
    /// Brings workers' result files into the store
    Collect(collect::Options),
}

pub(crate) fn run(command: &StudyCommand, quiet: bool) -> anyhow::Result<Exit> {
    match command {
        StudyCommand::Run(options) => run::run(options, quiet),
        StudyCommand::Status(options) => status::run(options, quiet),
        StudyCommand::List(options) => list::run(options),
        StudyCommand::Compare(options) => compare::run(options),
        StudyCommand::Report(options) => report::run(options, quiet),
        StudyCommand::Export(options) => export::run(options),
        StudyCommand::Plan(options) => plan::run(options, quiet),
        StudyCommand::Worker(options) => worker::run(options, quiet),
        StudyCommand::Collect(options) => collect::run(options),
    }
}

/// Where trials are stored.
#[derive(Debug, Args)]
struct StoreOption {
    /// The file that keeps trials; $SEEDBED_STORE, or seedbed.db in this folder
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl StoreOption {
    fn path(&self) -> PathBuf {
        let named = || std::env::var_os("SEEDBED_STORE").filter(|value| !value.is_empty()).map(PathBuf::from);
        self.store.clone().or_else(named).unwrap_or_else(|| PathBuf::from("seedbed.db"))
    }

    fn open_existing(&self) -> anyhow::Result<Store> {
        Ok(Store::open_existing(&self.path())?)
    }
}

/// Drops the claims of processes that are gone, before a store is shown. Where it cannot be written to, as on a full disk, it
/// is shown all the same: what a killed process was at then counts as running.
fn sweep(store: &mut Store) {
    let _ = store.sweep();
}

/// A study file and what to change about it.
#[derive(Debug, Args)]
struct FileOptions {
    /// The study file (TOML)
    file: PathBuf,

    /// How many seeds, instead of those of the file
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = crate::arguments::count)]
    seeds: Option<usize>,

    /// Changes the baseline, by a path or short name: --set epochs=5 --set train_size=10000
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    data: DataOptions,

    /// How many trials run at once; as many as there are cores by default
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = crate::arguments::count)]
    threads: Option<usize>,
}

impl FileOptions {
    /// The study as the options change it, and its data, checked against each other. Everything that can be refused without data
    /// is refused before they are loaded.
    fn study(&self, terminal: &Terminal) -> anyhow::Result<(Study, Loaded)> {
        let mut file = StudyFile::read(&self.file)?;
        if let Some(seeds) = self.seeds {
            file.first_seeds(seeds)?;
        }
        for set in &self.set {
            let Some((path, value)) = set.split_once('=') else {
                return Err(
                    crate::exit::UsageError(format!("--set: expected PATH=VALUE, received {set:?}")).into()
                );
            };
            file.set(path.trim(), value.trim())?;
        }
        Study::new(file.clone())?.planned()?;
        file.baseline.data.dataset = self.data.name(file.baseline.data.dataset)?;
        let loaded = self.data.place.load(&file.baseline.data.dataset, terminal)?;
        // From here on the recipes say what was trained on, not "auto".
        if file.baseline.data.dataset == DataName::Auto {
            file.baseline.data.dataset = loaded.dataset.name.clone();
        }
        self.data.infer_sizes(&mut file.baseline, &loaded, terminal);
        let study = Study::new(file)?;
        study.check(&loaded.dataset)?;
        Ok((study, loaded))
    }

    fn runner<'a>(&self, study: &'a Study, loaded: &'a Loaded) -> Runner<'a> {
        Runner {
            study,
            loaded,
            threads: self.threads(),
            started: now(),
            command: super::command_line(std::env::args().skip(1)),
        }
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads.and_then(NonZeroUsize::new).unwrap_or_else(super::model_file::all_threads)
    }
}

/// How many trials have two places in a plan: one of the variance budget is the baseline's first.
fn twice<'a>(ids: impl ExactSizeIterator<Item = &'a String>) -> String {
    let places = ids.len();
    match places - ids.collect::<HashSet<_>>().len() {
        0 => String::new(),
        1 => " (1 counts twice)".to_owned(),
        more => format!(" ({more} count twice)"),
    }
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// The name of a study: said plainly, or that of a study file.
fn name(said: &str) -> anyhow::Result<String> {
    let path = Path::new(said);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok(StudyFile::read(path)?.name);
    }
    Ok(said.to_owned())
}

/// Says what a changed study file leaves out, and refuses a file none of whose stored trials belong any more unless that is
/// wanted.
fn left_out(left_out: Option<&LeftOut>, replace: bool, terminal: &Terminal) -> anyhow::Result<()> {
    let Some(left_out) = left_out else { return Ok(()) };
    if left_out.all() && !replace {
        let remedy = "Give the study another name, or say --replace to go on without them.";
        anyhow::bail!("{} {remedy}", left_out.sentence());
    }
    terminal.log(&left_out.sentence());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn trials_with_two_places_are_counted() {
        let twice =
            |ids: &[&str]| super::twice(ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>().iter());
        assert_eq!(twice(&["a", "b"]), "");
        assert_eq!(twice(&["a", "b", "a"]), " (1 counts twice)");
        assert_eq!(twice(&["a", "b", "a", "b", "c"]), " (2 count twice)");
    }
}
