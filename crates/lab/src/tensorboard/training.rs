//! Writes event files while a model is trained.

use super::event::{Status, Summary};
use super::file::{EventFile, now};
use super::{RUNS, scores};
use crate::error::LabError;
use crate::recipe::Recipe;
use crate::record::{EpochRecord, TrialRecord, TrialStatus};
use seedbed_nn::callbacks::Training;
use seedbed_nn::examples::Examples;
use seedbed_nn::losses::MeanSquaredError;
use seedbed_nn::model::{Compile, Model};
use seedbed_nn::optimizers::Sgd;
use seedbed_nn::schedules::LearningRate;
use seedbed_nn::sequential::Sequential;
use seedbed_nn::summary::SummaryRow;
use serde_json::{Value, json};
use std::path::Path;

/// How many samples the outputs of layers are taken from.
const SAMPLES: usize = 256;

/// The metrics that the HParams tab shows of a training, whose session is its run `validation`: TensorBoard finds no run
/// below a session that is the folder itself.
const METRICS: [(&str, &str, &str); 2] =
    [("", "epoch_accuracy", "test accuracy"), ("", "epoch_loss", "test loss")];

/// The run that is the session.
const SESSION: usize = 1;

/// The event files of one training, in the layout and under the names of Keras's `TensorBoard` callback: `epoch_loss` and
/// `epoch_accuracy` in the runs `train` and `validation`, the learning rate and histograms of weights in `train`. Beyond
/// Keras: histograms of what layers give for the first 256 test samples, and hyperparameters for the HParams tab.
///
/// Nothing stops a training because its log cannot be written; [`TrainingLog::finish`] says so afterwards.
#[derive(Debug)]
pub struct TrainingLog<'a> {
    runs: Vec<EventFile>,
    /// Where no callback changes it; `None` with a schedule, whose steps are not known here.
    learning_rate: Option<f64>,
    /// Holds the weights of the moment.
    model: Model,
    /// What the model's first layers give, up to each layer that is looked at.
    layers: Vec<(String, Model)>,
    samples: Examples<'a>,
    failed: Option<LabError>,
}

impl<'a> TrainingLog<'a> {
    /// Begins the files in `folder`. `model` is the model as it is before training; `samples` are test samples.
    ///
    /// # Errors
    /// [`LabError::Io`] where a folder or file cannot be made.
    pub fn begin(
        folder: &Path,
        recipe: &Recipe,
        seed: u64,
        model: &Model,
        samples: &Examples<'a>,
    ) -> Result<Self, LabError> {
        let began = now();
        let values = hyperparameters(recipe, seed);
        let start = Summary::default().experiment(&[], &METRICS, began).session_start(&values, "", began);
        let new = |(run, _): &(&str, super::Scores)| EventFile::new(&folder.join(run), began);
        let mut runs = RUNS.iter().map(new).collect::<Result<Vec<_>, _>>()?;
        runs[SESSION].add(&start, 0, began)?;
        Ok(Self {
            runs,
            learning_rate: match recipe.compile.optimizer.learning_rate {
                LearningRate::Constant(rate) => Some(rate),
                LearningRate::Schedule(_) => None,
            },
            model: model.clone(),
            layers: layers(model)?,
            samples: samples.slice(0, SAMPLES),
            failed: None,
        })
    }

    /// Writes an epoch's measurements.
    pub fn epoch(&mut self, record: &EpochRecord) {
        let step = step(record);
        let rate = record.metrics.get("learning_rate").copied().or(self.learning_rate);
        let with_rate = |summary: Summary| match rate {
            Some(rate) => summary.scalar("epoch_learning_rate", rate),
            None => summary,
        };
        for (file, (run, of)) in self.runs.iter_mut().zip(RUNS) {
            let summary = scores(of(record));
            let summary = if run == "train" { with_rate(summary) } else { summary };
            keep(&mut self.failed, file.add(&summary, step, now()));
        }
    }

    /// Writes how weights, and what layers give, are spread after an epoch.
    pub fn weights(&mut self, record: &EpochRecord, weights: &mut dyn Training) {
        let step = step(record);
        self.model.restore(&weights.weights());
        let written = self.histograms().and_then(|summary| match self.runs.first_mut() {
            Some(train) => train.add(&summary, step, now()),
            None => Ok(()),
        });
        keep(&mut self.failed, written);
    }

    fn histograms(&mut self) -> Result<Summary, LabError> {
        let mut summary = Summary::default();
        for param in self.model.params() {
            let values = self.model.weight(&param.name).unwrap_or_default();
            summary = summary.histogram(&format!("{}/histogram", param.name), &values);
            for (_, layer) in &mut self.layers {
                if layer.params().iter().any(|own| own.name == param.name) {
                    layer.set_weight(&param.name, &values)?;
                }
            }
        }
        for (name, layer) in &self.layers {
            summary = summary.histogram(&format!("{name}/output/histogram"), &layer.predict(&self.samples)?);
        }
        Ok(summary)
    }

    /// Ends the files.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn finish(mut self, record: &TrialRecord) -> Result<(), LabError> {
        let status = if record.status == TrialStatus::Finished { Status::Success } else { Status::Failure };
        let end = Summary::default().session_end(status, now());
        keep(&mut self.failed, self.runs[SESSION].add(&end, 0, now()));
        self.failed.map_or(Ok(()), Err)
    }
}

/// Keras counts epochs from 0.
pub(super) fn step(record: &EpochRecord) -> u64 {
    record.epoch.saturating_sub(1) as u64
}

fn keep(failed: &mut Option<LabError>, result: Result<(), LabError>) {
    if let Err(error) = result {
        failed.get_or_insert(error);
    }
}

/// What the HParams tab shows of a training.
fn hyperparameters(recipe: &Recipe, seed: u64) -> Vec<(&'static str, Value)> {
    let optimizer = &recipe.compile.optimizer;
    vec![
        ("optimizer", json!(optimizer.name())),
        ("learning_rate", json!(optimizer.learning_rate.at(0))),
        ("loss", json!(recipe.compile.loss.name())),
        ("batch_size", json!(recipe.fit.batch_size)),
        ("epochs", json!(recipe.fit.epochs)),
        ("dataset", json!(recipe.data.dataset.to_string())),
        ("seed", json!(seed)),
    ]
}

/// The beginnings of a model that end with a layer of interest: one that has weights or is an activation.
fn layers(model: &Model) -> Result<Vec<(String, Model)>, LabError> {
    let whole = model.sequential();
    let rows = whole.summary()?.rows;
    let interesting =
        rows.iter().enumerate().filter(|(_, row)| row.params > 0 || row.class_name == "Activation");
    let beginning = |(last, row): (usize, &SummaryRow)| {
        let layers = whole.layers[..=last].to_vec();
        let part = Sequential { input_shape: whole.input_shape.clone(), layers };
        let options = Compile::new(Sgd::default(), MeanSquaredError::default().into());
        Ok((row.name.clone(), part.compile(options)?))
    };
    interesting.map(beginning).collect()
}
