//! `seedbed study report STUDY`

use super::StoreOption;
use crate::exit::Exit;
use crate::load::DataPlace;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::data::{self, Loaded};
use seedbed::lab::analysis::Analysis;
use seedbed::lab::files::{check_writable, write_atomically};
use seedbed::lab::recipe::Recipe;
use seedbed::lab::record::StudyRecord;
use seedbed::lab::report;
use std::path::PathBuf;

/// Which study, and where the report goes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The study's name, or its file
    study: String,

    #[command(flatten)]
    store: StoreOption,

    /// Writes the report here; by default seedbed-STUDY.html
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Writes the report as Markdown too, for a pull request
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Writes everything that was worked out as JSON on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataPlace,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    let record = options.store.open_existing()?.record(&super::name(&options.study)?)?;
    let output = options.output.clone().unwrap_or_else(|| format!("seedbed-{}.html", record.name).into());
    check_writable(&output)?;
    options.markdown.as_deref().map(check_writable).transpose()?;
    let analysis = Analysis::of(&record);
    let loaded = pictures(&record, options);
    if loaded.is_none() && !record.test_labels.is_empty() {
        terminal.log("the data are not at hand: the report names pictures by their number");
    }
    let pictures = loaded.as_ref().map(|loaded| &loaded.dataset.test);
    write_atomically(&output, report::study::render(&record, &analysis, pictures).as_bytes())?;
    if let Some(path) = &options.markdown {
        write_atomically(path, report::markdown::study(&record, &analysis).as_bytes())?;
    }
    if options.json {
        terminal.json(&analysis)?;
    } else {
        terminal.paragraph(&format!("The report is in {}.", output.display()))?;
    }
    Ok(Exit::Done)
}

/// The study's pictures, if they are at hand and the same ones: nothing is fetched for a report.
fn pictures(record: &StudyRecord, options: &Options) -> Option<Loaded> {
    let finder = data::Finder { offline: true, ..options.data.finder() };
    // Its recipe says how the data are read and split, its dataset only where they are.
    let baseline = Recipe::parse("baseline", &record.variants.first()?.recipe).ok()?;
    let loaded = data::load(&baseline.data.dataset, &finder, &mut |_| {}).ok()?;
    let labels = loaded.dataset.test.labels.iter().map(|&label| label as u8);
    labels.eq(record.test_labels.iter().copied()).then_some(loaded)
}
