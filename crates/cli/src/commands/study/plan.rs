//! `seedbed study plan FILE`

use super::{FileOptions, StoreOption};
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use clap::Args;
use seedbed::lab::analysis::leading;
use seedbed::lab::files::check_writable;
use seedbed::lab::format::{fixed, plural, seconds};
use seedbed::lab::record::StudyRecord;
use seedbed::lab::statistics::power::{seeds_needed, smallest_effect};
use seedbed::lab::study::changes::LeftOut;
use seedbed::lab::study::estimate::{Estimate, estimate};
use seedbed::lab::study::manifest::Manifest;
use seedbed::lab::study::run::DataViews;
use seedbed::lab::study::store::Store;
use serde_json::json;
use std::path::PathBuf;

/// Fewer pairs than these say little about how much differences scatter.
const PILOT: usize = 3;

/// Which study, and what to know.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    file: FileOptions,

    #[command(flatten)]
    store: StoreOption,

    /// The difference in test accuracy that must not be missed, in percentage points
    #[arg(long, value_name = "POINTS", default_value_t = 0.1, value_parser = points)]
    effect: f64,

    /// Writes the open trials to this file, for workers, and the plan to the store
    #[arg(long, value_name = "OUT.json")]
    manifest: Option<PathBuf>,

    /// Writes the plan as JSON
    #[arg(long)]
    json: bool,
}

fn points(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..100.0).contains(number) && *number > 0.0);
    number.ok_or_else(|| "expected a number of percentage points above 0".to_owned())
}

/// How well some seeds can tell: for the variant whose differences scatter most, as stored so far.
struct Power {
    pairs: usize,
    deviation: f64,
    seeds: usize,
    seen: Option<f64>,
    needed: Option<usize>,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    options.manifest.as_deref().map(check_writable).transpose()?;
    let (study, loaded) = options.file.study(&terminal)?;
    let path = options.store.path();
    // Looking at a plan leaves no file behind; a manifest's results need a store to be collected in.
    let mut store =
        if options.manifest.is_some() || path.exists() { Store::open(&path)? } else { Store::in_memory()? };
    let runner = options.file.runner(&study, &loaded);
    let (plan, header) = runner.plan(&store)?;
    super::left_out(LeftOut::of(&study, &plan, &store)?.as_ref(), options.manifest.is_none(), &terminal)?;
    let stored = store.measured(&plan.trials)?;
    let estimate = estimate(&plan, &stored, &DataViews::of(&study, &loaded)?, runner.threads)?;
    let power = power(&store, &header, options.effect)?;
    if let Some(out) = &options.manifest {
        store.register(&header, &plan)?;
        Manifest::of(&plan, &loaded.dataset.name.to_string(), &store)?.write(out)?;
    }
    if options.json {
        let power = power.map(|power| {
            json!({ "pairs": power.pairs, "standard_deviation": power.deviation, "effect": options.effect / 100.0,
                    "seeds_needed": power.needed, "smallest_effect": power.seen })
        });
        terminal.json(&json!({
            "study": header.name, "variants": header.variants.len(), "seeds": header.seeds.len(), "trials": header.planned,
            "open": estimate.open, "seconds": estimate.seconds, "power": power,
        }))?;
    } else {
        let twice = super::twice(plan.trials.iter().map(|trial| &trial.id));
        show(&header, &estimate, &twice, power.as_ref(), options, &terminal)?;
    }
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    Ok(Exit::Done)
}

fn show(
    header: &StudyRecord,
    estimate: &Estimate,
    twice: &str,
    power: Option<&Power>,
    options: &Options,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    terminal.title(&header.name)?;
    let factor = |factor: &seedbed::lab::record::FactorRecord| {
        let levels = factor.levels.iter().enumerate().map(|(index, level)| {
            if index == factor.baseline { format!("{} (baseline)", level.label) } else { level.label.clone() }
        });
        let levels = match factor.range {
            Some(range) => {
                format!("{} to {}{}", range.low, range.high, if range.log { ", by ratio" } else { "" })
            }
            None => levels.collect::<Vec<_>>().join(", "),
        };
        vec![factor.name.clone(), levels, factor.path.clone()]
    };
    let rows: Vec<Vec<String>> = header.factors.iter().map(factor).collect();
    terminal.lines(&table(&["factor", "levels", "path"], &rows))?;
    terminal.lines("")?;
    terminal.paragraph(&format!(
        "{} and {}: {}{twice}, of which {} open; about {} on {}.",
        plural(header.variants.len(), "variant"),
        plural(header.seeds.len(), "seed"),
        plural(header.planned, "trial"),
        estimate.open,
        seconds(estimate.seconds),
        plural(options.file.threads().get(), "core"),
    ))?;
    if header.seeds.len() < 2 {
        terminal.paragraph(
            "One seed gives differences without intervals; two or more tell an effect from noise.",
        )?;
    }
    let Some(power) = power else {
        return terminal.paragraph(&format!(
            "How many seeds a difference of {} points in test accuracy needs is known once {PILOT} seeds have been run.",
            options.effect
        ));
    };
    let seen = power.seen.map_or("nothing".to_owned(), |seen| format!("{} points", fixed(100.0 * seen, 2)));
    let needed =
        power.needed.map_or("more seeds than can be run".to_owned(), |needed| plural(needed, "seed"));
    terminal.paragraph(&format!(
        "Differences in test accuracy between {} so far scatter by up to {} points. {} would show {seen} in four of five \
         studies; {} points need {needed}.",
        plural(power.pairs, "pair"),
        fixed(100.0 * power.deviation, 2),
        plural(power.seeds, "seed"),
        options.effect,
    ))
}

/// The power of a stored pilot; `None` if no variant has enough pairs.
fn power(store: &Store, header: &StudyRecord, effect: f64) -> anyhow::Result<Option<Power>> {
    if store.header(&header.name)?.is_none() {
        return Ok(None);
    }
    let pilot = store.record(&header.name)?;
    let effects =
        leading(&pilot).into_iter().map(|(_, effects)| effects.test).filter(|test| test.seeds() >= PILOT);
    let spread = effects.filter_map(|test| Some((test.seeds(), test.spread?.standard_deviation)));
    let Some((pairs, deviation)) = spread.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, sd)| *sd > 0.0)
    else {
        return Ok(None);
    };
    let seeds = header.seeds.len();
    Ok(Some(Power {
        pairs,
        deviation,
        seeds,
        seen: smallest_effect(seeds).map(|smallest| smallest * deviation),
        needed: seeds_needed(effect / 100.0 / deviation),
    }))
}
