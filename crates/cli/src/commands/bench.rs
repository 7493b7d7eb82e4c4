//! `seedbed bench`: our side of the comparison in `benches/peers`, one JSON line per epoch.

use super::model_file::all_threads;
use crate::arguments::{Name, count, penalty, rate};
use crate::exit::Exit;
use crate::load::DataPlace;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use seedbed::data::DataName;
use seedbed::lab::bench::{Bench, Work};
use seedbed::nn::optimizers::Optimizer;
use std::num::NonZeroUsize;

/// What is timed, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The work
    #[arg(long, value_name = "WORK")]
    work: WorkName,

    /// How often all training pictures are seen
    #[arg(long, value_name = "N", value_parser = count, default_value = "5")]
    epochs: usize,

    /// How many threads; all by default
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,

    /// How many models a study trains
    #[arg(long, value_name = "K", default_value_t = 1)]
    seeds: u64,

    /// Pictures in their order and no dropout, to compare losses with other programs
    #[arg(long)]
    check: bool,

    /// How the weights move
    #[arg(long, value_name = "NAME", value_parser = Name::<Optimizer>::of(&Optimizer::NAMES), default_value = "adam")]
    optimizer: Optimizer,

    /// The penalty on every kernel
    #[arg(long, value_name = "X", value_parser = penalty, default_value = "0")]
    l2: f64,

    /// Dropout before every layer but the first, instead of the work's own
    #[arg(long, value_name = "R", value_parser = rate)]
    dropout: Option<f64>,

    /// How many training pictures; all by default
    #[arg(long, value_name = "N", value_parser = count)]
    samples: Option<usize>,

    /// The units of the dense layers before the last, instead of the work's own
    #[arg(long, value_name = "N,N", value_parser = count, value_delimiter = ',')]
    hidden: Option<Vec<usize>>,

    /// How many pictures an update sees, instead of the work's own
    #[arg(long, value_name = "N", value_parser = count)]
    batch_size: Option<usize>,

    #[command(flatten)]
    place: DataPlace,
}

/// A work by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum WorkName {
    /// The lesson's model 1: 784-128-10, batch 32
    Lesson,
    /// Several seeds of it, one model per core
    Study,
    /// 784-1024-1024-1024-10, dropout 0.5, batch 128
    Wide,
    /// The lesson's model on standardised pictures
    Dense,
    /// Scoring all training pictures
    Evaluate,
    /// Conv 32, pool, Conv 64, pool, dropout 0.5, Dense 10, batch 128
    Conv,
}

pub(crate) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, quiet);
    let loaded = options.place.load(&DataName::Mnist, &terminal)?;
    let bench = Bench {
        work: match options.work {
            WorkName::Lesson => Work::Lesson,
            WorkName::Study => Work::Study,
            WorkName::Wide => Work::Wide,
            WorkName::Dense => Work::Dense,
            WorkName::Evaluate => Work::Evaluate,
            WorkName::Conv => Work::Conv,
        },
        epochs: options.epochs,
        threads: options.threads.and_then(NonZeroUsize::new).unwrap_or_else(all_threads),
        seeds: options.seeds,
        check: options.check,
        optimizer: options.optimizer.clone(),
        l2: options.l2,
        dropout: options.dropout,
        samples: options.samples.unwrap_or(usize::MAX),
        hidden: options.hidden.clone(),
        batch_size: options.batch_size,
    };
    let mut result = Ok(());
    bench.run(&loaded.dataset, &mut |lap| {
        if result.is_ok() {
            result = serde_json::to_string(&lap).map_err(Into::into).and_then(|line| terminal.lines(&line));
        }
    })?;
    result?;
    Ok(Exit::Done)
}
