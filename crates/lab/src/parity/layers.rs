//! Small models of every layer, trained for a few steps: losses, weights, and what they give afterwards.
//!
//! The oracle in float64 must agree with Keras's float64 to 1e-9; the engine with its float32 to 1e-5, relative for
//! losses, absolute for weights and outputs.

use super::choice::read;
use super::compare::{Measure, absolute, relative};
use super::formula::{both_signs, labels};
use super::replay::{Oracle, Weights, oracle, oracle_weights, sensible, weights, widened};
use super::{Precision, Row};
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    model: Sizes,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Deserialize)]
struct Sizes {
    classes: usize,
    batch_size: usize,
    steps: usize,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    dtype: Precision,
    shape: Vec<usize>,
    relu: bool,
    layers: Vec<Value>,
    starts: Vec<Start>,
    losses: Vec<f64>,
    weights: BTreeMap<String, Variable>,
    outputs: Vec<f64>,
}

/// What a variable starts from: a kernel where there is no base.
#[derive(Deserialize)]
struct Start {
    name: String,
    base: Option<f64>,
}

#[derive(Deserialize)]
struct Variable {
    shape: Vec<usize>,
    values: Vec<f64>,
}

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    rows_to(group, text, 1e-9)
}

/// With another bound for augmentation: TensorFlow works out in 32 bits where a number comes from, in float64 too.
pub(super) fn rows_in_32_bits(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    rows_to(group, text, 1e-6)
}

fn rows_to(group: &'static str, text: &str, double_bound: f64) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let row = |run: &Run| {
        let bound = if run.dtype == Precision::Float32 { 1e-5 } else { double_bound };
        Row::new(group, &run.name, run.dtype, compared(run, file.model, bound))
    };
    Ok(file.runs.iter().map(row).collect())
}

/// What training gave.
struct Outcome {
    losses: Vec<f64>,
    weights: Weights,
    /// For the first batch, after the last step.
    outputs: Vec<f64>,
}

/// The record's layers in our words, or why they cannot be said in them.
fn ready(run: &Run) -> Result<Sequential, String> {
    let layers = run.layers.iter().map(|layer| read::<Layer>(layer.clone()));
    Ok(Sequential { input_shape: run.shape.clone().into(), layers: layers.collect::<Result<_, _>>()? })
}

/// The starting values of the `index`-th trained variable; `layers.py` says how they are made.
fn start(index: usize, start: &Start, shape: &[usize]) -> Result<Vec<f32>, String> {
    let numbers = (0..shape.iter().product()).map(|i| both_signs(100 + index as u64, i));
    match (start.base, shape) {
        (Some(base), _) => Ok(numbers.map(|x| (base + 0.1 * x) as f32).collect()),
        (None, [field @ .., inputs, outputs]) => {
            let field: usize = field.iter().product();
            let limit = (6.0 / (field * inputs + field * outputs) as f64).sqrt();
            Ok(numbers.map(|x| (x * limit) as f32).collect())
        }
        (None, _) => Err(format!("{}: a kernel has two axes at least", start.name)),
    }
}

/// A model and its oracle with the record's first weights.
fn started(run: &Run) -> Result<(Model, Oracle), String> {
    let loss = SparseCategoricalCrossentropy::default().into();
    let sgd = Optimizer::new(Sgd::default()).learning_rate(0.1);
    let said = |error: ModelError| error.to_string();
    let mut model = ready(run)?.compile(Compile::new(sgd, loss)).map_err(said)?;
    let mut oracle = oracle(&model);
    for (index, of) in run.starts.iter().enumerate() {
        let place = model.params().iter().position(|param| param.name == of.name);
        let (Some(place), Some(variable)) = (place, run.weights.get(&of.name)) else {
            return Err(format!("unknown variable {}", of.name));
        };
        let shape = model.params()[place].spec.shape.clone();
        if shape != variable.shape {
            return Err(format!("{}: expected shape {shape:?}, received {:?}", of.name, variable.shape));
        }
        let values = start(index, of, &shape)?;
        model.set_weight(&of.name, &values).map_err(said)?;
        oracle.weights[place] = widened(&values);
    }
    Ok((model, oracle))
}

fn data(run: &Run, sizes: Sizes) -> (Vec<f32>, Vec<u16>) {
    let count = sizes.steps * sizes.batch_size;
    let numbers = (0..count * run.shape.iter().product::<usize>()).map(|i| both_signs(200, i) as f32);
    let inputs = numbers.map(|x| if run.relu { x.max(0.0) } else { x }).collect();
    (inputs, labels(count, sizes.classes as u64))
}

fn engine(run: &Run, mut model: Model, sizes: Sizes) -> Result<Outcome, ModelError> {
    let (inputs, labels) = data(run, sizes);
    let all = Examples::classes(run.shape.clone(), &inputs, &labels)?;
    let batch = |step: usize| all.slice(step * sizes.batch_size, (step + 1) * sizes.batch_size);
    let losses = (0..sizes.steps).map(|step| model.train_on_batch(&batch(step)));
    let losses = losses.collect::<Result<_, _>>()?;
    let outputs = widened(&model.predict(&batch(0))?);
    Ok(Outcome { losses, weights: weights(&model), outputs })
}

fn in_64_bits(run: &Run, model: &Model, mut oracle: Oracle, sizes: Sizes) -> Outcome {
    let (inputs, labels) = data(run, sizes);
    let width: usize = run.shape.iter().product();
    let batch = |step: usize| {
        let range = step * sizes.batch_size..(step + 1) * sizes.batch_size;
        let classes = labels[range.clone()].iter().map(|&label| label.into()).collect();
        ReferenceBatch {
            inputs: widened(&inputs[range.start * width..range.end * width]),
            targets: ReferenceTargets::Classes(classes),
            samples: range.len(),
        }
    };
    let losses = (0..sizes.steps).map(|step| oracle.train(&batch(step)).loss).collect();
    let outputs = oracle.evaluate(&batch(0)).outputs;
    Outcome { losses, weights: oracle_weights(model, &oracle), outputs }
}

fn compared(run: &Run, sizes: Sizes, bound: f64) -> Result<Vec<Measure>, String> {
    sensible(&[&run.shape[..], &[sizes.steps, sizes.batch_size]].concat())?;
    sensible(&[sizes.classes])?;
    let (model, oracle) = started(run)?;
    let found = match run.dtype {
        Precision::Float32 => engine(run, model, sizes).map_err(|error| error.to_string())?,
        Precision::Float64 => in_64_bits(run, &model, oracle, sizes),
    };
    let weights = run.weights.iter().map(|(name, expected)| {
        let found = found.weights.get(name).ok_or_else(|| format!("unknown variable {name}"))?;
        Ok(Measure::new("weights", absolute(found, &expected.values), bound))
    });
    let weights = Measure::worst(weights.collect::<Result<Vec<_>, String>>()?);
    let losses = Measure::new("losses", relative(&found.losses, &run.losses, 1e-3), bound);
    let outputs = Measure::new("outputs", absolute(&found.outputs, &run.outputs), bound);
    Ok([losses].into_iter().chain(weights).chain([outputs]).collect())
}
