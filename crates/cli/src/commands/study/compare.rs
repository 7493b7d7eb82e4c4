//! `seedbed study compare A B`

use super::StoreOption;
use crate::exit::{Exit, UsageError};
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::analysis::Differences;
use seedbed::lab::record::{StudyRecord, TrialRecord};
use seedbed::lab::statistics::sentence::{self, GAP, TEST, TRAINING};
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
    let Some(effects) = Differences::between(&b.trials(), &a.trials()) else {
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
        let [a, b] =
            if a.record.name == b.record.name { [a.name(), b.name()] } else { [&*a.label, &*b.label] };
        terminal.item(&sentence::effect(b, a, measure, effect, None))?;
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
        let mut side = Self { label: String::new(), record, variant: index };
        side.label = format!("{}: {}", side.record.name, side.name());
        Ok(side)
    }

    /// The variant's name, without its study's.
    fn name(&self) -> &str {
        self.record.variants.get(self.variant).map_or("baseline", |variant| &variant.name)
    }

    fn trials(&self) -> Vec<&TrialRecord> {
        self.record.main(self.variant).map(|trial| &trial.trial).collect()
    }

    fn recipe(&self) -> &str {
        self.record.variants.get(self.variant).map_or("", |variant| &variant.recipe)
    }
}

/// The lines in which the recipes differ, − of the first, + of the second, each under the heading of its part.
fn differences(a: &Side, b: &Side) -> Vec<String> {
    let [one, other] = [a.recipe(), b.recipe()].map(placed);
    let only =
        |lines: &[(String, String)], others: &[(String, String)], mark: &str| -> Vec<(String, String)> {
            let lines = lines.iter().filter(|line| !others.contains(line));
            lines.map(|(place, line)| (place.clone(), format!("{mark} {line}"))).collect()
        };
    let mut all = [only(&one, &other, "−"), only(&other, &one, "+")].concat();
    // Stable: within a part the first recipe's lines stay before the second's.
    let order = |place: &String| one.iter().chain(&other).position(|(of, _)| of == place);
    all.sort_by_key(|(place, _)| order(place));
    let mut lines = Vec::new();
    let mut last = None;
    for (place, line) in all {
        if last.as_ref() != Some(&place) {
            lines.push(place.clone());
        }
        lines.push(format!("  {line}"));
        last = Some(place);
    }
    lines
}

/// A recipe's lines, each with the heading it stands under; layers are counted, so that two of a kind are told apart.
fn placed(recipe: &str) -> Vec<(String, String)> {
    let mut layers = 0;
    let mut place = String::new();
    let mut lines = Vec::new();
    for line in recipe.lines().filter(|line| !line.is_empty()) {
        if line == "[[layers]]" {
            layers += 1;
            place = format!("layer {layers}");
        } else if line.starts_with('[') {
            let inner = line.trim_matches(['[', ']']);
            place =
                inner.strip_prefix("layers.").map_or(inner.to_owned(), |of| format!("layer {layers}, {of}"));
        } else {
            lines.push((place.clone(), line.to_owned()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_their_layer_and_their_part() {
        let recipe = "input_shape = [28]\n\n[[layers]]\nclass_name = \"Dense\"\n\n[[layers]]\nunits = 10\n\n\
                      [layers.kernel_initializer]\nname = \"zeros\"\n\n[fit]\nepochs = 5\n";
        let placed = placed(recipe);
        let places: Vec<&str> = placed.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["", "layer 1", "layer 2", "layer 2, kernel_initializer", "fit"]);
        assert_eq!(placed[4].1, "epochs = 5");
    }
}
