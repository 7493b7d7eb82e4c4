//! `seedbed study export STUDY`

use super::StoreOption;
use crate::exit::{Exit, UsageError};
use crate::terminal;
use clap::{Args, ValueEnum};
use seedbed::lab::files::write_atomically;
use seedbed::lab::record::StudyRecord;
use seedbed::lab::study::export::{self, Format};
use seedbed::lab::tensorboard::write_study;
use std::path::{Path, PathBuf};

/// Which study, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The study's name, or its file
    study: String,

    #[command(flatten)]
    store: StoreOption,

    /// The form
    #[arg(long, value_name = "FORM", default_value = "csv")]
    format: Form,

    /// Writes to this file instead of stdout; for tensorboard the folder that --logdir names, which must be new
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// A form by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// One row per trial
    Csv,
    /// The whole record
    Json,
    /// A plot with its data inside
    VegaLite,
    /// Event files in a folder, one session per trial, for TensorBoard's HParams tab
    #[value(name = "tensorboard")]
    TensorBoard,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let record = options.store.open_existing()?.record(&super::name(&options.study)?)?;
    let format = match options.format {
        Form::Csv => Format::Csv,
        Form::Json => Format::Json,
        Form::VegaLite => Format::VegaLite,
        Form::TensorBoard => return tensorboard(&record, options.output.as_deref()),
    };
    let text = export::export(&record, format)?;
    match &options.output {
        Some(path) => write_atomically(path, text.as_bytes())?,
        None => terminal::bytes(text.as_bytes())?,
    }
    Ok(Exit::Done)
}

/// Old event files would be shown as trials of this study.
fn tensorboard(record: &StudyRecord, folder: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(folder) = folder else {
        return Err(
            UsageError("tensorboard: expected --output DIR, a folder for the event files".into()).into()
        );
    };
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let problem = format!("--output: expected a new or empty folder, received {}", folder.display());
        return Err(UsageError(problem).into());
    }
    write_study(record, folder)?;
    Ok(Exit::Done)
}
