//! What Keras's fixtures are read with: numbers by formula, choices by Keras's names, comparison.
//!
//! `benches/peers/README.md` describes the files and the formulas.

use seedbed_nn::prelude::*;
use seedbed_nn::random::{Seed, Streams};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reads a file of `benches/peers/fixtures`.
pub(crate) fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/../../benches/peers/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// SplitMix64's output for the state `x`.
fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 64 bits for a stream and an index.
pub(crate) fn word(stream: u64, index: usize) -> u64 {
    mix((stream << 32).wrapping_add(index as u64))
}

/// A multiple of 2⁻²⁴ in [0, 1).
pub(crate) fn unit(stream: u64, index: usize) -> f64 {
    (word(stream, index) >> 40) as f64 / 16_777_216.0
}

/// The kernel of the `layer`-th dense layer.
pub(crate) fn kernel(layer: u64, inputs: usize, outputs: usize) -> Vec<f32> {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    (0..inputs * outputs).map(|i| ((2.0 * unit(100 + layer, i) - 1.0) * limit) as f32).collect()
}

/// The class of every sample.
pub(crate) fn labels(count: usize, classes: u64) -> Vec<u16> {
    (0..count).map(|n| (word(7, n) % classes) as u16).collect()
}

/// An optimizer, loss or regularizer as Keras describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    pub(crate) class_name: String,
    config: Map<String, Value>,
}

impl Choice {
    /// Our word for it, by Keras's names alone; what stands at its neutral value is left out. An
    /// error says what is not supported.
    pub(crate) fn read<T: DeserializeOwned>(&self, neutral: &[(&str, Value)]) -> Result<T, String> {
        read(self.table(neutral))
    }

    /// The same as a model file has it.
    pub(crate) fn table(&self, neutral: &[(&str, Value)]) -> Value {
        let matters = |key: &str, value: &Value| {
            !value.is_null() && !neutral.iter().any(|(name, neutral)| *name == key && value == neutral)
        };
        let config = self.config.iter().filter(|(key, value)| matters(key, value));
        let mut table: Map<String, Value> = config.map(|(k, v)| (k.clone(), v.clone())).collect();
        table.insert("name".into(), Value::from(self.class_name.clone()));
        Value::Object(table)
    }

    /// The optimizer.
    pub(crate) fn optimizer(&self, exclude_from_weight_decay: &[String]) -> Result<Optimizer, String> {
        let mut choice = Self { class_name: self.class_name.clone(), config: self.config.clone() };
        let rate = choice.config.get_mut("learning_rate").unwrap();
        if let Ok(schedule) = serde_json::from_value::<Self>(rate.clone()) {
            *rate = schedule.table(&[]);
        }
        // A null that says something: no scale, where the default is one.
        if let Some(rms_rate @ Value::Null) = choice.config.get_mut("rms_rate") {
            *rms_rate = 0.0.into();
        }
        choice.config.insert("exclude_from_weight_decay".into(), exclude_from_weight_decay.into());
        choice.read(&[])
    }
}

/// Reads what a model file may hold; an error says why not.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| shortened(&error.to_string()))
}

/// Without the list of what is known.
fn shortened(message: &str) -> String {
    let end = ["; known are", ", expected one of"].iter().filter_map(|list| message.find(list)).min();
    message[..end.unwrap_or(message.len())].to_owned()
}

/// A model that starts with the formula's kernels, in both precisions.
pub(crate) fn start(model: &Sequential, compile: Compile) -> (Model, Oracle) {
    let mut model = model.compile(compile).unwrap();
    let shapes: Vec<(String, Vec<usize>)> =
        model.params().iter().map(|param| (param.name.clone(), param.spec.shape.clone())).collect();
    let mut oracle = Oracle::new(model.plan(), &Streams::new(Seed(0)));
    let mut layer = 0;
    for (index, (name, shape)) in shapes.iter().enumerate() {
        if let [inputs, outputs] = shape[..] {
            let values = kernel(layer, inputs, outputs);
            model.set_weight(name, &values).unwrap();
            oracle.weights[index] = values.into_iter().map(f64::from).collect();
            layer += 1;
        }
    }
    (model, oracle)
}

/// The oracle in the precision of Keras's float64 runs.
pub(crate) type Oracle = seedbed_nn::plan::reference::Reference<f64>;

/// The variables of a model by name, widened.
pub(crate) fn weights(model: &Model) -> BTreeMap<String, Vec<f64>> {
    let values = |name: &str| model.weight(name).unwrap().into_iter().map(f64::from).collect();
    model.params().iter().map(|param| (param.name.clone(), values(&param.name))).collect()
}

/// The variables of an oracle by name.
pub(crate) fn oracle_weights(model: &Model, oracle: &Oracle) -> BTreeMap<String, Vec<f64>> {
    model.params().iter().map(|param| param.name.clone()).zip(oracle.weights.iter().cloned()).collect()
}

/// The greatest difference, each divided by the size of the expected number, but at least `floor`.
pub(crate) fn relative(found: &[f64], expected: &[f64], floor: f64) -> f64 {
    worst(found, expected, |a, b| (a - b).abs() / b.abs().max(floor))
}

/// The greatest difference.
pub(crate) fn absolute(found: &[f64], expected: &[f64]) -> f64 {
    worst(found, expected, |a, b| (a - b).abs())
}

fn worst(found: &[f64], expected: &[f64], error: impl Fn(f64, f64) -> f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let errors = found.iter().zip(expected).map(|(&a, &b)| error(a, b));
    // f64::max would pass over a NaN.
    errors.fold(0.0, |worst, e| if e > worst || e.is_nan() { e } else { worst })
}
