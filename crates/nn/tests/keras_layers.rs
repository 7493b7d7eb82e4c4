//! Every layer gives Keras's numbers: `benches/peers/fixtures/layers`.
//!
//! A record is checked if our readers understand its layers; the others are counted and listed with the
//! reason, so that a new layer is checked from the day it has a name. The oracle in float64 must agree with
//! Keras's float64 to 1e-9; the engine with its float32 to 1e-5, relative for losses, absolute for weights and outputs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "shared with the other tests against Keras")]
mod keras;

use keras::{Oracle, absolute, fixture, labels, oracle_weights, read, relative, unit, weights};
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Seed, Streams};
use serde::Deserialize;
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
    dtype: String,
    shape: Vec<usize>,
    relu: bool,
    layers: Vec<serde_json::Value>,
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

/// Losses, weights and outputs after the last step.
type Found = (Vec<f64>, BTreeMap<String, Vec<f64>>, Vec<f64>);

/// The record's layers in our words, or why they cannot be said in them.
fn ready(run: &Run) -> Result<Sequential, String> {
    let layers = run.layers.iter().map(|layer| read::<Layer>(layer.clone()));
    let layers = layers.collect::<Result<_, _>>()?;
    Ok(Sequential { input_shape: run.shape.clone().into(), layers })
}

/// The starting values of the `index`-th trained variable; `layers.py` says how they are made.
fn start(index: usize, start: &Start, shape: &[usize]) -> Vec<f32> {
    let numbers = (0..shape.iter().product()).map(|i| 2.0 * unit(100 + index as u64, i) - 1.0);
    match (start.base, shape) {
        (Some(base), _) => numbers.map(|x| (base + 0.1 * x) as f32).collect(),
        (None, [field @ .., inputs, outputs]) => {
            let field: usize = field.iter().product();
            let limit = (6.0 / (field * inputs + field * outputs) as f64).sqrt();
            numbers.map(|x| (x * limit) as f32).collect()
        }
        (None, _) => panic!("{}: a kernel has two axes at least", start.name),
    }
}

/// A model and its oracle with the record's first weights.
fn started(run: &Run, sequential: &Sequential) -> (Model, Oracle) {
    let loss = SparseCategoricalCrossentropy::default().into();
    let sgd = Optimizer::new(Sgd::default()).learning_rate(0.1);
    let mut model = sequential.compile(Compile::new(sgd, loss)).unwrap();
    let mut oracle = Oracle::new(model.plan(), &Streams::new(Seed(0)));
    for (index, of) in run.starts.iter().enumerate() {
        let values = start(index, of, &run.weights[&of.name].shape);
        model.set_weight(&of.name, &values).unwrap();
        let place = model.params().iter().position(|param| param.name == of.name).unwrap();
        assert_eq!(model.params()[place].spec.shape, run.weights[&of.name].shape, "{}", of.name);
        oracle.weights[place] = values.into_iter().map(f64::from).collect();
    }
    (model, oracle)
}

fn data(run: &Run, sizes: Sizes) -> (Vec<f32>, Vec<u16>) {
    let count = sizes.steps * sizes.batch_size;
    let numbers = (0..count * run.shape.iter().product::<usize>()).map(|i| (2.0 * unit(200, i) - 1.0) as f32);
    let inputs = numbers.map(|x| if run.relu { x.max(0.0) } else { x }).collect();
    (inputs, labels(count, sizes.classes as u64))
}

fn engine(run: &Run, sequential: &Sequential, sizes: Sizes) -> Found {
    let (mut model, _) = started(run, sequential);
    let (inputs, labels) = data(run, sizes);
    let all = Examples::classes(run.shape.clone(), &inputs, &labels).unwrap();
    let batch = |step: usize| all.slice(step * sizes.batch_size, (step + 1) * sizes.batch_size);
    let losses = (0..sizes.steps).map(|step| model.train_on_batch(&batch(step)).unwrap()).collect();
    let outputs = model.predict(&batch(0)).unwrap().into_iter().map(f64::from).collect();
    (losses, weights(&model), outputs)
}

fn oracle(run: &Run, sequential: &Sequential, sizes: Sizes) -> Found {
    let (model, mut oracle) = started(run, sequential);
    let (inputs, labels) = data(run, sizes);
    let width: usize = run.shape.iter().product();
    let batch = |step: usize| {
        let range = step * sizes.batch_size..(step + 1) * sizes.batch_size;
        let numbers = &inputs[range.start * width..range.end * width];
        let classes = labels[range.clone()].iter().map(|&label| label.into()).collect();
        ReferenceBatch {
            inputs: numbers.iter().map(|&x| f64::from(x)).collect(),
            targets: ReferenceTargets::Classes(classes),
            samples: range.len(),
        }
    };
    let losses = (0..sizes.steps).map(|step| oracle.train(&batch(step)).loss).collect();
    let outputs = oracle.evaluate(&batch(0)).outputs;
    (losses, oracle_weights(&model, &oracle), outputs)
}

fn check(run: &Run, sequential: &Sequential, sizes: Sizes, double_bound: f64) {
    let place = format!("{} in {}", run.name, run.dtype);
    let single = run.dtype == "float32";
    let bound = if single { 1e-5 } else { double_bound };
    let (losses, weights, outputs) =
        if single { engine(run, sequential, sizes) } else { oracle(run, sequential, sizes) };
    let error = relative(&losses, &run.losses, 1e-3);
    assert!(error <= bound, "{place}: losses differ by {error:e}");
    for (name, expected) in &run.weights {
        let error = absolute(&weights[name], &expected.values);
        assert!(error <= bound, "{place}: {name} differs by {error:e}");
    }
    let error = absolute(&outputs, &run.outputs);
    assert!(error <= bound, "{place}: outputs differ by {error:e}");
}

/// Checks a file; says what was left out, and how many records were checked.
fn check_file(name: &str, at_least: usize) {
    check_file_to(name, at_least, 1e-9);
}

/// With another bound where Keras's own float64 is not exact.
fn check_file_to(name: &str, at_least: usize, double_bound: f64) {
    let file: File = fixture(&format!("layers/{name}.json"));
    let (mut checked, mut left_out) = (0, BTreeMap::<String, Vec<&str>>::new());
    for run in &file.runs {
        match ready(run) {
            Ok(sequential) => {
                check(run, &sequential, file.model, double_bound);
                checked += 1;
            }
            Err(why) => left_out.entry(why).or_default().push(&run.name),
        }
    }
    println!("{name}: {checked} of {} records checked; not yet supported:", file.runs.len());
    for (why, mut names) in left_out {
        names.dedup();
        println!("  {}: {why}", names.join(", "));
    }
    assert!(checked >= at_least, "{name}: {checked} records were understood, once it was {at_least}");
}

#[test]
fn convolution() {
    check_file("convolution", 44);
}

#[test]
fn normalization() {
    check_file("normalization", 44);
}

#[test]
fn activation() {
    check_file("activation", 14);
}

/// TensorFlow works out in 32 bits where a number comes from, in float64 too.
#[test]
fn augmentation() {
    check_file_to("augmentation", 18, 1e-6);
}

#[test]
fn noise() {
    check_file("noise", 10);
}

#[test]
fn pooling() {
    check_file("pooling", 28);
}
