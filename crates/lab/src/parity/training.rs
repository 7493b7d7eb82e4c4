//! Small models trained for 20 steps, one choice of Keras each: losses and weights.
//!
//! The oracle in float64 must agree with Keras's float64 to 1e-12. The engine must agree with its float32 to 1e-5, relative, in
//! losses, and to 2e-6 and 1/5000 of how far the variable's fastest weight came, whichever is smaller, in weights.

use super::choice::{Choice, named, read};
use super::compare::{Measure, absolute, relative};
use super::formula::{both_signs, kernel, labels, share, unit};
use super::replay::{Weights, oracle_weights, sensible, start, weights, widened};
use super::{Precision, Row};
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    model: Sizes,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Deserialize)]
struct Sizes {
    inputs: usize,
    hidden: usize,
    classes: usize,
    batch_size: usize,
    steps: usize,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    dtype: Precision,
    activation: Function,
    output_activation: String,
    loss: Choice,
    optimizer: Choice,
    targets: String,
    sample_weights: Option<String>,
    exclude_from_weight_decay: Vec<String>,
    first_layer: BTreeMap<String, Choice>,
    losses: Vec<f64>,
    weights: Weights,
    /// The same after the end of training, where averages of the weights are kept.
    weights_finalized: Option<Weights>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    params: Map<String, Value>,
}

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let row = |run: &Run| Row::new(group, &run.name, run.dtype, compared(run, file.model));
    Ok(file.runs.iter().map(row).collect())
}

/// A record in our words.
struct Ready {
    model: Sequential,
    optimizer: Optimizer,
    loss: Loss,
}

impl Ready {
    fn compile(&self) -> Compile {
        Compile::new(self.optimizer.clone(), self.loss)
    }
}

/// The record in our words, or why it cannot be said in them.
fn ready(run: &Run, sizes: Sizes) -> Result<Ready, String> {
    // For all but these two, Keras's axis is that of the outputs.
    let of_batch = matches!(run.loss.class_name.as_str(), "Dice" | "Tversky");
    let neutral = [("axis", if of_batch { json!(null) } else { json!(-1) })];
    let optimizer = run.optimizer.optimizer(&run.exclude_from_weight_decay)?;
    Ok(Ready { model: model(run, sizes)?, optimizer, loss: run.loss.read(&neutral)? })
}

fn model(run: &Run, sizes: Sizes) -> Result<Sequential, String> {
    let activation = named(&run.activation.name, &run.activation.params);
    let mut first = json!({"class_name": "Dense", "units": sizes.hidden, "activation": activation});
    for (role, choice) in &run.first_layer {
        first[role] = choice.table(&[]);
    }
    let model = Sequential::new([sizes.inputs]).add(read::<Layer>(first)?);
    let last = json!({"class_name": "Dense", "units": sizes.classes, "activation": run.output_activation});
    Ok(model.add(read::<Layer>(last)?))
}

/// Inputs and targets of all steps.
struct Data {
    inputs: Vec<f32>,
    labels: Vec<u16>,
    /// One number per output, where the targets are not class numbers.
    rows: Option<Vec<f32>>,
    /// One weight per sample.
    weights: Option<Vec<f32>>,
}

impl Data {
    fn new(run: &Run, sizes: Sizes) -> Result<Self, String> {
        let (count, classes) = (sizes.steps * sizes.batch_size, sizes.classes);
        let inputs = (0..count * sizes.inputs).map(|i| both_signs(200, i) as f32).collect();
        let labels = labels(count, classes as u64);
        let rows =
            |target: &dyn Fn(usize) -> f64| Some((0..count * classes).map(|i| target(i) as f32).collect());
        let rows = match run.targets.as_str() {
            "class" => None,
            "one_hot" => rows(&|i| f64::from(u8::from(usize::from(labels[i / classes]) == i % classes))),
            "dense" => rows(&|i| both_signs(400, i)),
            "positive" => rows(&|i| unit(400, i) + 0.1),
            "share" => rows(&|i| share(400, i, classes)),
            other => return Err(format!("unknown targets {other}")),
        };
        let weights: Option<Vec<f32>> = match run.sample_weights.as_deref() {
            None => None,
            Some("sample") => Some((0..count).map(|sample| (0.5 + unit(300, sample)) as f32).collect()),
            Some("class") => Some(labels.iter().map(|&label| 0.5 * f32::from(label + 1)).collect()),
            Some(other) => return Err(format!("unknown sample_weights {other}")),
        };
        Ok(Self { inputs, labels, rows, weights })
    }
}

/// What training gave.
struct Outcome {
    losses: Vec<f64>,
    weights: Weights,
    /// The weights that the end of training puts in their place.
    finalized: Weights,
}

fn engine(ready: &Ready, data: &Data, sizes: Sizes) -> Result<Outcome, ModelError> {
    let (mut model, _) = start(&ready.model, ready.compile())?;
    let mut all = match &data.rows {
        Some(rows) => Examples::rows([sizes.inputs], &data.inputs, sizes.classes, rows)?,
        None => Examples::classes([sizes.inputs], &data.inputs, &data.labels)?,
    };
    if let Some(weights) = &data.weights {
        all = all.sample_weights(weights)?;
    }
    let losses = (0..sizes.steps).map(|step| {
        let from = step * sizes.batch_size;
        model.train_on_batch(&all.slice(from, from + sizes.batch_size))
    });
    let (losses, end) = (losses.collect::<Result<_, _>>()?, weights(&model));
    model.finalize_variable_values();
    Ok(Outcome { losses, weights: end, finalized: weights(&model) })
}

fn oracle(ready: &Ready, data: &Data, sizes: Sizes) -> Result<Outcome, ModelError> {
    let (model, mut oracle) = start(&ready.model, ready.compile())?;
    let losses = (0..sizes.steps).map(|step| {
        let (from, to) = (step * sizes.batch_size, (step + 1) * sizes.batch_size);
        let targets = match &data.rows {
            Some(rows) => ReferenceTargets::Rows(widened(&rows[from * sizes.classes..to * sizes.classes])),
            None => ReferenceTargets::Classes(data.labels[from..to].iter().map(|&l| l.into()).collect()),
        };
        let inputs = widened(&data.inputs[from * sizes.inputs..to * sizes.inputs]);
        let weights = data.weights.as_ref().map(|weights| widened(&weights[from..to]));
        let batch = ReferenceBatch { inputs, targets, samples: sizes.batch_size };
        oracle.train_weighted(&batch, weights.as_deref()).loss
    });
    let (losses, end) = (losses.collect(), oracle_weights(&model, &oracle));
    oracle.finalize_variable_values();
    Ok(Outcome { losses, weights: end, finalized: oracle_weights(&model, &oracle) })
}

/// How far the furthest weight of a variable came.
fn change(name: &str, end: &[f64], sizes: Sizes) -> f64 {
    let start = match name {
        "dense/kernel" => widened(&kernel(0, sizes.inputs, sizes.hidden)),
        "dense_1/kernel" => widened(&kernel(1, sizes.hidden, sizes.classes)),
        _ => vec![0.0; end.len()],
    };
    absolute(end, &start)
}

/// What is allowed: (losses, relative; weights, absolute; weights, as a share of how far the
/// variable's fastest weight came). Found are at most a tenth of these.
fn tolerance(run: &Run) -> (f64, f64, f64) {
    match (run.dtype, run.name.as_str()) {
        (Precision::Float64, _) => (1e-12, 1e-12, 1e-12),
        // The losses of this run swing between 1 and 7, and rounding swings with them: Keras's own float32 is
        // further from its float64 than in any other row.
        (_, "log_softmax") => (2e-5, 5e-6, 2e-4),
        _ => (1e-5, 2e-6, 2e-4),
    }
}

fn compared(run: &Run, sizes: Sizes) -> Result<Vec<Measure>, String> {
    sensible(&[sizes.steps, sizes.batch_size, sizes.inputs.max(sizes.classes).max(1)])?;
    sensible(&[sizes.hidden, sizes.inputs.max(sizes.classes)])?;
    let (ready, data) = (ready(run, sizes)?, Data::new(run, sizes)?);
    let found = match run.dtype {
        Precision::Float32 => engine(&ready, &data, sizes),
        Precision::Float64 => oracle(&ready, &data, sizes),
    };
    let found = found.map_err(|error| error.to_string())?;
    let (loss_bound, weight_bound, share_bound) = tolerance(run);
    let none = Weights::new();
    let ends = run.weights_finalized.as_ref().unwrap_or(&none);
    let pairs = run.weights.iter().map(|of| (of, &found.weights));
    let pairs = pairs.chain(ends.iter().map(|of| (of, &found.finalized)));
    let measures = pairs.map(|((name, expected), found)| {
        let found = found.get(name).ok_or_else(|| format!("unknown variable {name}"))?;
        // What a variable that hardly moved lost to rounding is a unit in the last place.
        let share = (share_bound * change(name, expected, sizes)).max(1e-7);
        Ok(Measure::new("weights", absolute(found, expected), weight_bound.min(share)))
    });
    let measures = measures.collect::<Result<Vec<_>, String>>()?;
    if run.weights.len() != found.weights.len() {
        return Err(format!(
            "weights: expected {} variables, received {}",
            found.weights.len(),
            run.weights.len()
        ));
    }
    let losses = Measure::new("losses", relative(&found.losses, &run.losses, 1e-3), loss_bound);
    Ok([losses].into_iter().chain(Measure::worst(measures)).collect())
}
