//! `seedbed predict MODEL --weights FILE`

use super::model_file::TrainedModel;
use crate::exit::{Exit, UsageError};
use crate::terminal::Terminal;
use crate::terminal::picture;
use crate::terminal::table::table;
use clap::Args;
use seedbed::data::Dataset;
use seedbed::lab::prepared::Prepared;
use serde_json::json;

/// How many pictures are shown where none are named.
const FIRST: usize = 10;

/// Which model, which pictures, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    trained: TrainedModel,

    /// Test pictures, counted from 0; the first ten by default
    #[arg(long, value_name = "N", num_args = 1..)]
    index: Vec<usize>,

    /// Writes the outputs as JSON
    #[arg(long)]
    json: bool,
}

/// What the model says of one picture.
struct Prediction {
    index: usize,
    label: usize,
    class: usize,
    outputs: Vec<f32>,
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    let (recipe, model, loaded) = options.trained.load(&terminal)?;
    let dataset = &loaded.dataset;
    let data = Prepared::new(dataset, &recipe.data)?;
    data.check(&model)?;
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let predict = |&index: &usize| -> anyhow::Result<Prediction> {
        if index >= dataset.test.count {
            let last = dataset.test.count - 1;
            return Err(UsageError(format!("--index: expected 0 to {last}, received {index}")).into());
        }
        let outputs = model.predict(&data.test().slice(index, index + 1))?;
        let class = (0..outputs.len()).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b])).unwrap_or(0);
        Ok(Prediction { index, label: dataset.test.labels[index].into(), class, outputs })
    };
    let first: Vec<usize> = (0..FIRST.min(dataset.test.count)).collect();
    let asked = if options.index.is_empty() { &first } else { &options.index };
    let predictions: Vec<Prediction> = asked.iter().map(predict).collect::<Result<_, _>>()?;
    if options.json {
        json(&terminal, &predictions, dataset)?
    } else {
        show(&terminal, &predictions, dataset)?
    }
    Ok(Exit::Done)
}

fn json(terminal: &Terminal, predictions: &[Prediction], dataset: &Dataset) -> anyhow::Result<()> {
    let rows = predictions.iter().map(|prediction| {
        json!({
            "index": prediction.index,
            "label": prediction.label,
            "class": prediction.class,
            "class_name": dataset.class_names[prediction.class],
            "outputs": prediction.outputs,
        })
    });
    terminal.json(&rows.collect::<Vec<_>>())
}

fn show(terminal: &Terminal, predictions: &[Prediction], dataset: &Dataset) -> anyhow::Result<()> {
    if terminal.is_terminal() {
        let label = |prediction: &Prediction| {
            format!("{} is {}", prediction.index, dataset.class_names[prediction.class])
        };
        let labels: Vec<String> = predictions.iter().map(label).collect();
        let indices: Vec<usize> = predictions.iter().map(|prediction| prediction.index).collect();
        terminal.lines(&picture::grid(&dataset.test, &indices, &labels, terminal.color()).join("\n"))?;
    }
    let row = |prediction: &Prediction| {
        let wrong = if prediction.class == prediction.label { "" } else { "wrong" };
        vec![
            prediction.index.to_string(),
            dataset.class_names[prediction.label].clone(),
            dataset.class_names[prediction.class].clone(),
            format!("{:.4}", prediction.outputs[prediction.class]),
            wrong.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = predictions.iter().map(row).collect();
    terminal.lines(&table(&["picture", "label", "predicted", "output", ""], &rows))
}
