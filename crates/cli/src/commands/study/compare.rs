//! `seedbed study compare A B`

use super::StoreOption;
use crate::exit::{Exit, UsageError};
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::record::{StudyRecord, StudyTrial};
use seedbed::lab::statistics::sentence::{self, GAP, TEST, TRAINING};
use seedbed::lab::study::effects::Effects;
use seedbed::lab::study::store::Store;
use serde_json::json;

/// Which variants.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// STUDY for a study's baseline, or STUDY:VARIANT, as in "dropout:dropout 0.5"
    a: String,

    /// The same for what is compared with it
    b: String,

    #[command(flatten)]
    store: StoreOption,

    /// Writes the differences as JSON
    #[arg(long)]
    json: bool,
}

/// One side of the comparison.
struct Side {
    label: String,
    record: StudyRecord,
    variant: usize,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, false);
    let store = options.store.open_existing()?;
    let [a, b] = [Side::of(&options.a, &store)?, Side::of(&options.b, &store)?];
    let trials = |side: &Side| -> Vec<StudyTrial> { side.record.main(side.variant).cloned().collect() };
    let Some(effects) = Effects::between(trials(&b).iter(), trials(&a).iter()) else {
        anyhow::bail!("{} and {} have no seed that both have finished", a.label, b.label);
    };
    let measures = [(TRAINING, &effects.training), (TEST, &effects.test), (GAP, &effects.gap)];
    if options.json {
        let effects: serde_json::Map<String, _> =
            measures.iter().map(|(measure, effect)| (measure.name.to_owned(), json!(effect))).collect();
        terminal.json(&json!({ "a": a.label, "b": b.label, "b_minus_a": effects }))?;
        return Ok(Exit::Done);
    }
    for line in differences(&a, &b) {
        terminal.lines(&line)?;
    }
    terminal.lines("")?;
    for (measure, effect) in measures {
        terminal.item(&sentence::effect(&b.label, &a.label, measure, effect, None))?;
    }
    Ok(Exit::Done)
}

impl Side {
    fn of(said: &str, store: &Store) -> anyhow::Result<Self> {
        let (study, variant) =
            said.split_once(':').map_or((said, None), |(study, variant)| (study, Some(variant)));
        let record = store.record(&super::name(study)?)?;
        let index = match variant {
            None => 0,
            Some(name) => {
                let found =
                    record.variants.iter().position(|variant| variant.name == name || variant.id == name);
                let names = || {
                    record.variants.iter().map(|variant| variant.name.clone()).collect::<Vec<_>>().join("; ")
                };
                found.ok_or_else(|| {
                    UsageError(format!("study {study} has no variant {name:?}; it has {}", names()))
                })?
            }
        };
        let name = record.variants.get(index).map_or("baseline", |variant| &variant.name);
        Ok(Self { label: format!("{}: {name}", record.name), record, variant: index })
    }

    fn recipe(&self) -> &str {
        self.record.variants.get(self.variant).map_or("", |variant| &variant.recipe)
    }
}

/// The lines in which the recipes differ: − of the first, + of the second.
fn differences(a: &Side, b: &Side) -> Vec<String> {
    let [one, other]: [Vec<&str>; 2] = [a.recipe().lines().collect(), b.recipe().lines().collect()];
    if one.len() == other.len() {
        let pairs = one.iter().zip(&other).filter(|(one, other)| one != other);
        return pairs.flat_map(|(one, other)| [format!("− {one}"), format!("+ {other}")]).collect();
    }
    let only = |lines: &[&str], others: &[&str], mark: &str| {
        let lines = lines.iter().filter(|line| !line.is_empty() && !others.contains(line));
        lines.map(|line| format!("{mark} {line}")).collect::<Vec<_>>()
    };
    [only(&one, &other, "−"), only(&other, &one, "+")].concat()
}
