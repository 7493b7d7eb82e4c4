//! `seedbed evaluate MODEL --weights FILE`

use super::model_file::TrainedModel;
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use clap::Args;
use seedbed::lab::format::{fixed, percent};
use seedbed::lab::prepared::Prepared;
use serde_json::json;

/// Which model, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    trained: TrainedModel,

    /// Writes the scores as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    let (recipe, model, loaded) = options.trained.load(&terminal)?;
    let data = Prepared::new(&loaded.dataset, &recipe.data)?;
    data.check(&model)?;
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let (training, test) = (model.evaluate(data.train())?, model.evaluate(data.test())?);
    let gap = training.accuracy() - test.accuracy();
    if options.json {
        let score = |pictures: usize, score: &seedbed::nn::Score| json!({ "pictures": pictures, "accuracy": score.accuracy(), "loss": score.loss() });
        terminal.json(&json!({
            "dataset": loaded.dataset.name.to_string(),
            "notice": loaded.notice,
            "training": score(data.train().len(), &training),
            "test": score(data.test().len(), &test),
            "gap": gap,
        }))?;
        return Ok(Exit::Done);
    }
    let row = |name: &str, pictures: usize, score: &seedbed::nn::Score| {
        vec![name.to_owned(), pictures.to_string(), percent(score.accuracy()), format!("{:.4}", score.loss())]
    };
    let rows = [row("training", data.train().len(), &training), row("test", data.test().len(), &test)];
    terminal.lines(&table(&[&loaded.dataset.title, "pictures", "accuracy", "loss"], &rows))?;
    terminal.lines(&format!("gap: {} points", fixed(100.0 * gap, 2)))?;
    Ok(Exit::Done)
}
