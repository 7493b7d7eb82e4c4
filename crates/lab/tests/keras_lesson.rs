//! The lesson's three models give Keras's numbers: the loss of every batch and the final weights of
//! `benches/peers/fixtures/lesson.json`.
//!
//! Keras's own float32 drifts 3e-5 away from its float64 within the 120 steps, so the engine
//! is held to 1e-4; the oracle in float64, where only the formulas count, to 1e-11.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod keras;

use flate2::read::GzDecoder;
use keras::fixture;
use seedbed_lab::parity::choice::{Choice, read};
use seedbed_lab::parity::compare::{absolute, relative};
use seedbed_lab::parity::formula::{kernel, labels, unit, word};
use seedbed_lab::parity::replay::{oracle_weights, start, weights};
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

const PIXELS: usize = 784;

#[derive(Deserialize)]
struct File {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    data: String,
    dtype: String,
    dropout_layer: bool,
    batch_size: usize,
    steps: usize,
    optimizer: Choice,
    regularizers: BTreeMap<String, Choice>,
    losses: Vec<f64>,
    weights: BTreeMap<String, Digest>,
}

#[derive(Deserialize)]
struct Digest {
    shape: Vec<usize>,
    abs_sum: f64,
    indices: Vec<usize>,
    values: Vec<f64>,
}

struct Pictures {
    pixels: Vec<u8>,
    labels: Vec<u16>,
}

/// Pictures that can be learned: one template per class, 3% of the pixels flipped.
fn synthetic(count: usize) -> Pictures {
    let labels = labels(count, 10);
    let pixel = |i: usize| {
        let (label, pixel) = (u64::from(labels[i / PIXELS]), i % PIXELS);
        let lit = (unit(8 + label, pixel) < 0.2) ^ (unit(1000, i) < 0.03);
        if lit { (1 + word(9, i) % 255) as u8 } else { 0 }
    };
    Pictures { pixels: (0..count * PIXELS).map(pixel).collect(), labels }
}

/// The first `count` training pictures in the file's order.
fn mnist(folder: &Path, count: usize) -> Pictures {
    let unpack = |name: &str, header: usize, size: usize| {
        let path = folder.join("mnist").join(name);
        let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut bytes = vec![0; header + count * size];
        GzDecoder::new(file).read_exact(&mut bytes).unwrap();
        bytes.split_off(header)
    };
    let labels = unpack("train-labels-idx1-ubyte.gz", 8, 1);
    let pixels = unpack("train-images-idx3-ubyte.gz", 16, PIXELS);
    Pictures { pixels, labels: labels.into_iter().map(u16::from).collect() }
}

fn model(run: &Run) -> Sequential {
    let dense = |name: &str, units: usize, activation: &str| {
        let mut layer = serde_json::json!({"class_name": "Dense", "units": units, "activation": activation});
        for role in ["kernel", "bias"] {
            if let Some(choice) = run.regularizers.get(&format!("{name}/{role}")) {
                layer[format!("{role}_regularizer")] = choice.table(&[]);
            }
        }
        read::<Layer>(layer).unwrap()
    };
    let model = Sequential::new([28, 28]).add(Flatten::new()).add(dense("dense", 128, "relu"));
    let model = if run.dropout_layer { model.add(Dropout::new(0.0)) } else { model };
    model.add(dense("dense_1", 10, "softmax"))
}

/// Losses per batch and final weights: of the engine for a float32 run, of the oracle for float64.
fn train(run: &Run, pictures: &Pictures) -> (Vec<f64>, BTreeMap<String, Vec<f64>>) {
    let loss = "sparse_categorical_crossentropy".parse().unwrap();
    let (mut model, mut oracle) =
        start(&model(run), Compile::new(run.optimizer.optimizer(&[]).unwrap(), loss)).unwrap();
    let batches = (0..run.steps).map(|step| step * run.batch_size..(step + 1) * run.batch_size);
    if run.dtype == "float32" {
        let table = Normalization::Unit.table(&[]);
        let all = Examples::pictures([28, 28], &pictures.pixels, table, &pictures.labels).unwrap();
        let train = |b: std::ops::Range<usize>| model.train_on_batch(&all.slice(b.start, b.end)).unwrap();
        return (batches.map(train).collect(), weights(&model));
    }
    let batch = |range: std::ops::Range<usize>| {
        // Keras's float64 runs take the float32 inputs, widened.
        let bytes = &pictures.pixels[range.start * PIXELS..range.end * PIXELS];
        let inputs = bytes.iter().map(|&byte| f64::from(f32::from(byte) / 255.0)).collect();
        let classes = pictures.labels[range.clone()].iter().map(|&label| usize::from(label)).collect();
        ReferenceBatch { inputs, targets: ReferenceTargets::Classes(classes), samples: range.len() }
    };
    let losses = batches.map(|range| oracle.train(&batch(range)).loss).collect();
    (losses, oracle_weights(&model, &oracle))
}

/// What is allowed: (losses, relative; weights, as a share of how far the variable's fastest
/// sampled weight came).
fn tolerance(run: &Run) -> (f64, f64) {
    if run.dtype == "float64" { (1e-11, 1e-11) } else { (1e-4, 1e-4) }
}

fn check(run: &Run, pictures: &Pictures) {
    let place = format!("{} on {} in {}", run.name, run.data, run.dtype);
    let (loss_bound, weight_bound) = tolerance(run);
    let (losses, weights) = train(run, pictures);
    assert_eq!(losses.len(), run.steps, "{place}");
    let error = relative(&losses, &run.losses, 0.0);
    assert!(error <= loss_bound, "{place}: losses differ by {error:e}");
    assert_eq!(run.weights.len(), 4, "{place}");
    for (name, digest) in &run.weights {
        let (error, change) = weight_error(name, digest, &weights[name]);
        assert!(
            error <= weight_bound * change,
            "{place}: {name} differs by {error:e}, having moved {change:e}"
        );
        let sum: f64 = weights[name].iter().map(|w| w.abs()).sum();
        let error = relative(&[sum], &[digest.abs_sum], 0.0);
        assert!(
            error <= 1e-6 && error <= loss_bound,
            "{place}: the magnitudes of {name} differ by {error:e}"
        );
    }
}

/// The greatest difference of the sampled weights, and the furthest that one of them came.
fn weight_error(name: &str, digest: &Digest, values: &[f64]) -> (f64, f64) {
    assert_eq!(values.len(), digest.shape.iter().product::<usize>(), "{name}");
    let start: Vec<f64> = match digest.shape[..] {
        [inputs, outputs] => {
            kernel(u64::from(name == "dense_1/kernel"), inputs, outputs).into_iter().map(f64::from).collect()
        }
        _ => vec![0.0; values.len()],
    };
    let sampled = |from: &[f64]| digest.indices.iter().map(|&i| from[i]).collect::<Vec<f64>>();
    (absolute(&sampled(values), &digest.values), absolute(&sampled(&start), &digest.values))
}

fn runs(wanted: impl Fn(&Run) -> bool) -> Vec<Run> {
    let runs: Vec<Run> = fixture::<File>("lesson.json").runs.into_iter().filter(wanted).collect();
    assert!(!runs.is_empty());
    runs
}

#[test]
fn the_engine_gives_kerass_losses_and_weights() {
    for run in runs(|run| run.data == "synthetic" && run.dtype == "float32") {
        check(&run, &synthetic(run.steps * run.batch_size));
    }
}

#[test]
fn the_oracle_gives_kerass_losses_and_weights() {
    for run in runs(|run| run.data == "synthetic" && run.dtype == "float64") {
        check(&run, &synthetic(run.steps * run.batch_size));
    }
}

#[test]
fn the_engine_gives_kerass_losses_and_weights_on_mnist() {
    let Some(folder) = std::env::var_os("SEEDBED_DATA") else {
        eprintln!("skipped: SEEDBED_DATA names no folder with mnist/train-images-idx3-ubyte.gz");
        return;
    };
    for run in runs(|run| run.data == "mnist") {
        check(&run, &mnist(Path::new(&folder), run.steps * run.batch_size));
    }
}
