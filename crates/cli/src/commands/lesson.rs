//! `seedbed lesson`: three networks, twelve steps, one report.
//!
//! | part | what it does |
//! |---|---|
//! | this file | reads the options, runs the lesson, writes what is to be kept |
//! | `steps` | the text of steps 1 to 10: the data, the models, how they are trained |
//! | `progress` | step 11 while it happens |
//! | `outcome` | step 12: the comparison, and what to try next |

mod outcome;
mod progress;
mod steps;

use super::model_file::all_threads;
use crate::arguments::{Name, count, penalty, rate};
use crate::exit::{Exit, UsageError};
use crate::interrupt::Interrupt;
use crate::load::DataOptions;
use crate::terminal::Terminal;
use clap::Args;
use progress::LessonProgress;
use seedbed::data::{DataName, Loaded};
use seedbed::lab::comparison::Comparison;
use seedbed::lab::files::{check_writable, write_atomically};
use seedbed::lab::lesson::{Lesson, LessonModel, LessonOptions};
use seedbed::lab::record::{LessonRecord, TrialStatus};
use seedbed::lab::report;
use seedbed::nn::initializers::Initializer;
use seedbed::nn::losses::Loss;
use seedbed::nn::optimizers::Optimizer;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What can be chosen about a lesson.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How the weights of models 2 and 3 start
    #[arg(long, value_name = "NAME", default_value = "glorot_normal", value_parser = Name::<Initializer>::of(&Initializer::NAMES))]
    init: Initializer,

    /// The dropout rate of model 3
    #[arg(long, allow_negative_numbers = true, value_name = "R", default_value_t = 0.5, value_parser = rate)]
    dropout: f64,

    /// The optimizer of all three models, instead of adam, nadam and adagrad
    #[arg(long, value_name = "NAME", value_parser = Name::<Optimizer>::of(&Optimizer::NAMES))]
    optimizer: Option<Optimizer>,

    /// The loss of all three models, instead of sparse_categorical_crossentropy
    #[arg(long, value_name = "NAME", value_parser = Name::<Loss>::of(&Loss::NAMES))]
    loss: Option<Loss>,

    /// The l1 penalty on the weights of models 2 and 3
    #[arg(long, allow_negative_numbers = true, value_name = "X", default_value_t = 0.0, value_parser = penalty)]
    l1: f64,

    /// The l2 penalty on the weights of models 2 and 3
    #[arg(long, allow_negative_numbers = true, value_name = "X", default_value_t = 0.0, value_parser = penalty)]
    l2: f64,

    /// How often all training pictures are seen
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value_t = 10, value_parser = count)]
    epochs: usize,

    /// How many pictures a training step sees
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value_t = 32, value_parser = count)]
    batch_size: usize,

    /// How many hidden units every model has
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value_t = 128, value_parser = count)]
    hidden: usize,

    /// The first seed
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// How many seeds every model is run with
    #[arg(long, allow_negative_numbers = true, value_name = "K", default_value_t = 1, value_parser = count)]
    seeds: usize,

    /// How many of the first training pictures are used; all by default
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = count)]
    train_size: Option<usize>,

    #[command(flatten)]
    data: DataOptions,

    /// Where the report is written
    #[arg(long, value_name = "FILE", default_value = "seedbed-lesson.html")]
    report: PathBuf,

    /// Writes everything that was measured as JSON; `-` is stdout, and the text then goes to stderr
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
}

/// What `--json` writes.
#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    lesson: &'a LessonRecord,
    comparison: &'a Comparison,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let json_on_stdout = options.json.as_deref() == Some(Path::new("-"));
    let json_file = options.json.as_deref().filter(|_| !json_on_stdout);
    let terminal = Terminal::new(json_on_stdout, quiet);
    check_writable(&options.report)?;
    json_file.map(check_writable).transpose()?;
    let chosen = options.chosen();
    chosen.all_seeds()?;
    let loaded = options.data.load(DataName::Auto, &terminal)?;
    let models = chosen.models(&loaded.dataset).map_err(|error| UsageError(error.to_string()))?;
    let lesson = options.lesson(&chosen, &models, &loaded);
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    if !quiet {
        steps::tell(&lesson, &terminal)?;
    }
    let interrupt = Interrupt::catch()?;
    let record = lesson.run(&mut LessonProgress::new(&lesson, quiet), interrupt.asked())?;
    let comparison = Comparison::of(&record);
    write_atomically(&options.report, report::lesson::render(&record).as_bytes())?;
    let output = Output { lesson: &record, comparison: &comparison };
    if let Some(path) = json_file {
        write_atomically(path, format!("{}\n", serde_json::to_string_pretty(&output)?).as_bytes())?;
    }
    if json_on_stdout {
        terminal.json(&output)?;
    }
    if !(json_on_stdout && quiet) {
        outcome::tell(&record, &comparison, &options.report, &terminal)?;
    }
    Ok(exit(&record, &interrupt))
}

fn exit(record: &LessonRecord, interrupt: &Interrupt) -> Exit {
    let diverged = |status: &TrialStatus| matches!(status, TrialStatus::Diverged { .. });
    let some_failed =
        record.models.iter().flat_map(|model| &model.trials).any(|trial| diverged(&trial.status));
    interrupt.exit().unwrap_or(if some_failed { Exit::SomeTrialsFailed } else { Exit::Done })
}

impl Options {
    fn chosen(&self) -> LessonOptions {
        LessonOptions {
            initializer: self.init,
            dropout: self.dropout,
            optimizer: self.optimizer.clone(),
            loss: self.loss,
            l1: self.l1,
            l2: self.l2,
            epochs: self.epochs,
            batch_size: self.batch_size,
            hidden: self.hidden,
            seed: self.seed,
            seeds: self.seeds,
            train_size: self.train_size,
        }
    }

    fn lesson<'a>(
        &self,
        chosen: &'a LessonOptions,
        models: &'a [LessonModel; 3],
        loaded: &'a Loaded,
    ) -> Lesson<'a> {
        Lesson {
            options: chosen,
            models,
            loaded,
            threads: all_threads(),
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            command: command(std::env::args().skip(1), self.seed),
        }
    }
}

/// The command line that does the same again, ready to be pasted into a shell; the seed is always in it.
fn command(arguments: impl Iterator<Item = String>, seed: u64) -> String {
    let mut words: Vec<String> = arguments.collect();
    if !words.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) {
        words.extend(["--seed".to_owned(), seed.to_string()]);
    }
    super::command_line(words.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_and_names_its_seed() {
        let of = |words: &[&str]| command(words.iter().map(|&word| word.to_owned()), 7);
        assert_eq!(
            of(&["lesson", "--report", "it's mine.html"]),
            r"seedbed lesson --report 'it'\''s mine.html' --seed 7"
        );
        assert_eq!(of(&["lesson", "--seed=7"]), "seedbed lesson --seed=7");
        assert_eq!(of(&["lesson", "--seeds", "3"]), "seedbed lesson --seeds 3 --seed 7");
    }
}
