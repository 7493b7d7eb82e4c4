//! `seedbed evaluate MODEL --weights FILE`

use super::model_file::TrainedModel;
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use clap::Args;
use seedbed::lab::format::{fixed, percent};
use seedbed::lab::prepared::Prepared;
use seedbed::nn::history::Logs;
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
    let (training, test) = (model.measured(data.train())?, model.measured(data.test())?);
    let number = |measured: &Logs, name: &str| measured.get(name).unwrap_or(f64::NAN);
    let gap = number(&training, "accuracy") - number(&test, "accuracy");
    if options.json {
        let score = |pictures: usize, measured: &Logs| {
            let mut score = json!({ "pictures": pictures });
            measured.iter().for_each(|(name, value)| score[name] = json!(value));
            score
        };
        terminal.json(&json!({
            "dataset": loaded.dataset.name.to_string(),
            "notice": loaded.notice,
            "training": score(data.train().len(), &training),
            "test": score(data.test().len(), &test),
            "gap": gap,
        }))?;
        return Ok(Exit::Done);
    }
    let metrics = recipe.compile.metric_names();
    let row = |name: &str, pictures: usize, measured: &Logs| {
        let accuracy = percent(number(measured, "accuracy"));
        let others = std::iter::once("loss").chain(metrics.iter().map(String::as_str));
        let others = others.map(|name| format!("{:.4}", number(measured, name)));
        [name.to_owned(), pictures.to_string(), accuracy].into_iter().chain(others).collect()
    };
    let rows = [row("training", data.train().len(), &training), row("test", data.test().len(), &test)];
    let columns = [loaded.dataset.title.as_str(), "pictures", "accuracy", "loss"].into_iter();
    let columns: Vec<&str> = columns.chain(metrics.iter().map(String::as_str)).collect();
    terminal.lines(&table(&columns, &rows))?;
    terminal.lines(&format!("gap: {} points", fixed(100.0 * gap, 2)))?;
    Ok(Exit::Done)
}
