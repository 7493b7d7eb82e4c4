//! The subcommands: one file each.

mod bench;
mod completions;
mod convert;
mod data;
mod evaluate;
mod lesson;
mod list;
mod man;
mod model_file;
mod parity;
mod plan;
mod predict;
mod study;
mod summary;
mod train;

use crate::arguments::Arguments;
use crate::exit::Exit;
use clap::Subcommand;

/// What can be done.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, read once")]
pub(crate) enum Command {
    /// Teaches what initialization, dropout and optimizer do, with three networks and a report
    Lesson(lesson::Options),
    /// Trains a model file
    Train(train::Options),
    /// Scores a trained model on training and test pictures
    Evaluate(evaluate::Options),
    /// Asks a trained model what test pictures show
    Predict(predict::Options),
    /// Shows a model's layers, shapes and parameters
    Summary(summary::Options),
    /// Lists layers, optimizers, losses, … with their parameters and defaults
    List(list::Options),
    /// Shows the steps in which a model is trained
    Plan(plan::Options),
    /// Turns a model or weights into another program's file
    Convert(convert::Options),
    /// Finds out what a training choice really does: variants of a model, many seeds, effects with intervals
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Replays Keras's records and shows how far every choice is from Keras
    Parity(parity::Options),
    /// Times training and scoring; one JSON line per epoch
    Bench(bench::Options),
    /// Lists, fetches and shows datasets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Writes a completion script for a shell
    Completions(completions::Options),
    /// Writes a man page
    Man(man::Options),
}

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let quiet = arguments.quiet;
    match &arguments.command {
        Command::Lesson(options) => lesson::run(options, quiet),
        Command::Train(options) => train::run(options, quiet),
        Command::Evaluate(options) => evaluate::run(options, quiet),
        Command::Predict(options) => predict::run(options, quiet),
        Command::Summary(options) => summary::run(options),
        Command::List(options) => list::run(options),
        Command::Plan(options) => plan::run(options),
        Command::Convert(options) => convert::run(options),
        Command::Study(command) => study::run(command, quiet),
        Command::Parity(options) => parity::run(options),
        Command::Bench(options) => bench::run(options, quiet),
        Command::Data(command) => data::run(command, quiet),
        Command::Completions(options) => completions::run(options),
        Command::Man(options) => man::run(options),
    }
}

/// The command line of these arguments, ready to be pasted into a shell.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = arguments.map(|word| quoted(&word)).collect();
    format!("seedbed {}", words.join(" "))
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=./,:+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
