//! `seedbed study export STUDY`

use super::StoreOption;
use crate::exit::Exit;
use crate::terminal;
use clap::{Args, ValueEnum};
use seedbed::lab::files::write_atomically;
use seedbed::lab::study::export::{self, Format};
use std::path::PathBuf;

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

    /// Writes to this file instead of stdout
    #[arg(long, short, value_name = "FILE")]
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
}

impl From<Form> for Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Csv => Self::Csv,
            Form::Json => Self::Json,
            Form::VegaLite => Self::VegaLite,
        }
    }
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let record = options.store.open_existing()?.record(&super::name(&options.study)?)?;
    let text = export::export(&record, options.format.into())?;
    match &options.output {
        Some(path) => write_atomically(path, text.as_bytes())?,
        None => terminal::bytes(text.as_bytes())?,
    }
    Ok(Exit::Done)
}
