//! Every training choice gives Keras's numbers: `benches/peers/fixtures/parity`.
//!
//! A record is checked if our readers understand Keras's names in it; the others are counted and
//! listed with the reason, so that a new optimizer or loss is checked from the day it has a name.
//! The oracle in float64 must agree with Keras's float64 to 1e-12; the engine with its float32 to
//! 2e-6, relative for losses and absolute for weights.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod keras;
#[path = "keras/tables.rs"]
mod tables;

use keras::{
    Choice, absolute, fixture, kernel, labels, oracle_weights, read, relative, start, unit, weights,
};
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::schedules::Schedule;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use tables::Function;

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
    dtype: String,
    activation: Function,
    output_activation: String,
    loss: Choice,
    optimizer: Choice,
    targets: String,
    sample_weights: Option<String>,
    exclude_from_weight_decay: Vec<String>,
    first_layer: BTreeMap<String, Choice>,
    losses: Vec<f64>,
    weights: BTreeMap<String, Vec<f64>>,
    /// The same after the end of training, where averages of the weights are kept.
    weights_finalized: Option<BTreeMap<String, Vec<f64>>>,
}

/// A record in our words.
struct Ready {
    model: Sequential,
    optimizer: Optimizer,
    loss: Loss,
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
    let mut first =
        json!({"class_name": "Dense", "units": sizes.hidden, "activation": run.activation.read()});
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

fn data(run: &Run, sizes: Sizes) -> Data {
    let (count, classes) = (sizes.steps * sizes.batch_size, sizes.classes);
    let inputs = (0..count * sizes.inputs).map(|i| (2.0 * unit(200, i) - 1.0) as f32).collect();
    let labels = labels(count, classes as u64);
    let target = |i: usize| match run.targets.as_str() {
        "one_hot" => f64::from(u8::from(usize::from(labels[i / classes]) == i % classes)),
        "dense" => 2.0 * unit(400, i) - 1.0,
        "positive" => unit(400, i) + 0.1,
        "share" => {
            let row = i / classes * classes;
            unit(400, i) / (row..row + classes).map(|i| unit(400, i)).sum::<f64>()
        }
        other => panic!("unknown targets {other}"),
    };
    let rows = (run.targets != "class").then(|| (0..count * classes).map(|i| target(i) as f32).collect());
    let weight = |(sample, &label): (usize, &u16)| match run.sample_weights.as_deref() {
        Some("sample") => Some((0.5 + unit(300, sample)) as f32),
        Some("class") => Some(0.5 * f32::from(label + 1)),
        _ => None,
    };
    let weights = labels.iter().enumerate().map(weight).collect();
    Data { inputs, labels, rows, weights }
}

/// What training gave: losses, final weights, and those that the end of training puts in their place.
type Outcome = (Vec<f64>, BTreeMap<String, Vec<f64>>, BTreeMap<String, Vec<f64>>);

/// The engine's.
fn engine(ready: &Ready, data: &Data, sizes: Sizes) -> Outcome {
    let (mut model, _) = start(&ready.model, Compile::new(ready.optimizer.clone(), ready.loss));
    let all = match &data.rows {
        Some(rows) => Examples::rows([sizes.inputs], &data.inputs, sizes.classes, rows),
        None => Examples::classes([sizes.inputs], &data.inputs, &data.labels),
    };
    let all = match &data.weights {
        Some(weights) => all.unwrap().sample_weights(weights).unwrap(),
        None => all.unwrap(),
    };
    let losses = (0..sizes.steps).map(|step| {
        let from = step * sizes.batch_size;
        model.train_on_batch(&all.slice(from, from + sizes.batch_size)).unwrap()
    });
    let (losses, end) = (losses.collect(), weights(&model));
    model.finalize_variable_values();
    (losses, end, weights(&model))
}

/// The oracle's in float64.
fn oracle(ready: &Ready, data: &Data, sizes: Sizes) -> Outcome {
    let (model, mut oracle) = start(&ready.model, Compile::new(ready.optimizer.clone(), ready.loss));
    let widened = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
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
    (losses, end, oracle_weights(&model, &oracle))
}

/// How far the furthest weight of a variable came.
fn change(name: &str, end: &[f64], sizes: Sizes) -> f64 {
    let start = match name {
        "dense/kernel" => kernel(0, sizes.inputs, sizes.hidden),
        "dense_1/kernel" => kernel(1, sizes.hidden, sizes.classes),
        _ => vec![0.0; end.len()],
    };
    end.iter().zip(start).map(|(w, s)| (w - f64::from(s)).abs()).fold(0.0, f64::max)
}

/// What is allowed: (losses, relative; weights, absolute; weights, as a share of how far the
/// variable's fastest weight came). Found are at most a tenth of these.
fn tolerance(run: &Run) -> (f64, f64, f64) {
    match (run.dtype.as_str(), run.name.as_str()) {
        ("float64", _) => (1e-12, 1e-12, 1e-12),
        // The losses of this run swing between 1 and 7, and rounding swings with them: Keras's own float32 is
        // further from its float64 than in any other row.
        (_, "log_softmax") => (2e-5, 5e-6, 2e-4),
        _ => (1e-5, 2e-6, 2e-4),
    }
}

/// What differs by more than is allowed.
fn check(run: &Run, ready: &Ready, sizes: Sizes) -> Vec<String> {
    let place = format!("{} in {}", run.name, run.dtype);
    let (loss_bound, weight_bound, share_bound) = tolerance(run);
    let data = data(run, sizes);
    let single = run.dtype == "float32";
    let (losses, weights, finalized) =
        if single { engine(ready, &data, sizes) } else { oracle(ready, &data, sizes) };
    let error = relative(&losses, &run.losses, 1e-3);
    let mut wrong = Vec::new();
    if error.is_nan() || error > loss_bound {
        wrong.push(format!("{place}: losses differ by {error:e}"));
    }
    assert_eq!(run.weights.len(), 4, "{place}");
    let pairs = run.weights.iter().map(|(name, expected)| (name, expected, &weights[name]));
    let ends =
        run.weights_finalized.iter().flatten().map(|(name, expected)| (name, expected, &finalized[name]));
    for (name, expected, found) in pairs.chain(ends) {
        let change = change(name, expected, sizes);
        let error = absolute(found, expected);
        // What a variable that hardly moved lost to rounding is a unit in the last place.
        if error.is_nan() || error > weight_bound || error > (share_bound * change).max(1e-7) {
            wrong.push(format!("{place}: {name} differs by {error:e}, having moved {change:e}"));
        }
    }
    wrong
}

/// Checks a file; says what was left out, and how many records were checked.
fn check_file(name: &str, at_least: usize) {
    let file: File = fixture(&format!("parity/{name}.json"));
    let (mut checked, mut wrong, mut left_out) = (0, Vec::new(), BTreeMap::<String, Vec<&str>>::new());
    for run in &file.runs {
        match ready(run, file.model) {
            Ok(ready) => {
                wrong.extend(check(run, &ready, file.model));
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
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= at_least, "{name}: {checked} records were understood, once it was {at_least}");
}

#[test]
fn optimizers() {
    check_file("optimizers", 120);
}

#[test]
fn losses() {
    check_file("losses", 98);
}

#[test]
fn activations() {
    check_file("activations", 74);
}

#[test]
fn regularizers() {
    check_file("regularizers", 18);
}

#[test]
fn constraints() {
    check_file("constraints", 16);
}

#[derive(Deserialize)]
struct Schedules {
    steps: Vec<u64>,
    schedules: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    #[serde(flatten)]
    choice: Choice,
    float32: Vec<f64>,
    float64: Vec<f64>,
}

/// In float64 to 1e-12; Keras's float32 is its own rounding of the same, and only has to be near.
#[test]
fn schedules() {
    let tables: Schedules = fixture("parity/schedules.json");
    assert_eq!(tables.schedules.len(), 14);
    for table in &tables.schedules {
        let schedule: Schedule = read(table.choice.table(&[])).unwrap();
        let rates: Vec<f64> = tables.steps.iter().map(|&step| schedule.at(step)).collect();
        let error = relative(&rates, &table.float64, 1e-3);
        assert!(error <= 1e-12, "{}: {error:e} from float64: {rates:?}", table.name);
        let error = absolute(&rates, &table.float32);
        assert!(error <= 1e-6, "{}: {error:e} from float32", table.name);
    }
}
