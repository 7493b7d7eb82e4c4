//! `seedbed study run FILE`

use super::progress::Watch;
use super::{FileOptions, StoreOption, effects};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::format::{plural, seconds};
use seedbed::lab::record::{StudyRecord, TrialStatus};
use seedbed::lab::study::changes::LeftOut;
use seedbed::lab::study::store::Store;
use std::time::Instant;

/// Which study, and where its trials are stored.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    file: FileOptions,

    #[command(flatten)]
    store: StoreOption,

    /// Goes on where a changed file leaves out all trials that were stored for the study; they stay in the store
    #[arg(long)]
    replace: bool,

    /// Writes the study's record as JSON on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    let (study, loaded) = options.file.study(&terminal)?;
    let mut store = Store::open(&options.store.path())?;
    let runner = options.file.runner(&study, &loaded);
    let (plan, _) = runner.plan(&store)?;
    super::left_out(LeftOut::of(&study, &plan, &store)?.as_ref(), options.replace, &terminal)?;
    drop(plan);
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    if study.file.seeds.len() < 2 {
        terminal.log("one seed gives differences without intervals; two or more tell an effect from noise");
    }
    let interrupt = Interrupt::catch()?;
    let began = Instant::now();
    let mut watch = Watch::new(runner.threads, quiet);
    let outcome = runner.run(&mut store, &mut watch, interrupt.asked());
    watch.end();
    let outcome = outcome?;
    let record = store.record(&study.file.name)?;
    if options.json {
        terminal.json(&record)?;
    } else {
        let took = if outcome.run > 0 {
            format!(", {}", seconds(began.elapsed().as_secs_f64()))
        } else {
            String::new()
        };
        terminal.paragraph(&format!(
            "{}: {} of {} stored{}, {} of them now{took}.",
            record.name,
            record.trials.len(),
            plural(record.planned, "trial"),
            super::twice(record.trials.iter().map(|trial| &trial.id)),
            outcome.run,
        ))?;
        effects::show(&record, &terminal)?;
        if outcome.interrupted {
            terminal.paragraph("Interrupted. The same command goes on where it stopped.")?;
        }
    }
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let stopped = interrupt.exit().filter(|_| outcome.interrupted);
    Ok(stopped.unwrap_or_else(|| if diverged(&record) > 0 { Exit::SomeTrialsFailed } else { Exit::Done }))
}

/// How many trials diverged.
pub(super) fn diverged(record: &StudyRecord) -> usize {
    let diverged = |status: &TrialStatus| matches!(status, TrialStatus::Diverged { .. });
    record.trials.iter().filter(|trial| diverged(&trial.trial.status)).count()
}
