//! `seedbed list KIND`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::recipe::callbacks;
use seedbed::nn::choices::{Choice, Kind};
use serde_json::{Map, Value, json};

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kind of choice; all kinds by default
    #[arg(value_parser = kind)]
    kind: Option<Listed>,

    /// Writes names, parameters and defaults as JSON
    #[arg(long)]
    json: bool,
}

/// What can be listed: the engine's choices, and callbacks, which a model file writes in its own way.
#[derive(Clone, Copy, Debug)]
enum Listed {
    Callbacks,
    Kind(Kind),
}

impl Listed {
    fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Kind::ALL.map(Self::Kind).into();
        all.push(Self::Callbacks);
        all.sort_by_key(|listed| listed.name());
        all
    }

    fn name(self) -> &'static str {
        match self {
            Self::Callbacks => "callbacks",
            Self::Kind(kind) => kind.name(),
        }
    }

    fn choices(self) -> Vec<Choice> {
        match self {
            Self::Callbacks => callbacks::choices(),
            Self::Kind(kind) => kind.choices(),
        }
    }
}

fn kind(name: &str) -> Result<Listed, String> {
    let all = Listed::all();
    let is_named = |kind: &&Listed| kind.name() == name || kind.name().trim_end_matches('s') == name;
    let known = || all.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    all.iter().find(is_named).copied().ok_or_else(|| format!("expected one of {}", known()))
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let kinds = options.kind.map_or_else(Listed::all, |kind| vec![kind]);
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
