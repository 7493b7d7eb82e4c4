//! `seedbed list KIND`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::nn::choices::{Choice, Kind};
use serde_json::{Map, Value, json};

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kind of choice; all kinds by default
    #[arg(value_parser = kind)]
    kind: Option<Kind>,

    /// Writes names, parameters and defaults as JSON
    #[arg(long)]
    json: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = Kind::ALL.map(Kind::name);
    let found =
        Kind::ALL.into_iter().find(|kind| kind.name() == name || kind.name().trim_end_matches('s') == name);
    found.ok_or_else(|| format!("expected one of {}", known.join(", ")))
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let kinds = options.kind.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    let terminal = Terminal::new(false, false);
    if options.json {
        let all: Map<String, Value> =
            kinds.iter().map(|kind| (kind.name().to_owned(), json!(kind.choices()))).collect();
        terminal.json(&all)?;
        return Ok(Exit::Done);
    }
    for (i, kind) in kinds.iter().enumerate() {
        if i > 0 {
            terminal.lines("")?;
        }
        terminal.title(kind.name())?;
        kind.choices().iter().try_for_each(|choice| terminal.item(&line(choice)))?;
    }
    Ok(Exit::Done)
}

/// A name and its parameters, as Keras's signatures have them.
fn line(choice: &Choice) -> String {
    if choice.parameters.is_empty() {
        return choice.name.to_owned();
    }
    let parameters: Vec<String> = choice.parameters.iter().map(ToString::to_string).collect();
    format!("{}({})", choice.name, parameters.join(", "))
}
