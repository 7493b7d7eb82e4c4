//! A model whose outputs are its inputs measures what Keras measured. Keras sums in float32: 2e-6, relative.

use super::choice::read;
use super::compare::{Measure, relative};
use super::formula::{both_signs, labels, share, unit};
use super::replay::sensible;
use super::{Precision, Row};
use seedbed_nn::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    sizes: Sizes,
    metrics: Vec<Measured>,
}

#[derive(Deserialize)]
struct Sizes {
    count: usize,
    classes: usize,
}

#[derive(Deserialize)]
struct Measured {
    metric: Value,
    targets: String,
    outputs: String,
    result: f64,
}

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let row = |of: &Measured| Row::new(group, name(of), Precision::Float32, compared(of, &file.sizes));
    Ok(file.metrics.iter().map(row).collect())
}

/// The metric with its parameters, and of what it is taken.
fn name(of: &Measured) -> String {
    let parameters = of.metric.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
    let parameters: Vec<String> = parameters.map(|(key, value)| format!(" {key}={value}")).collect();
    let name = of.metric["name"].as_str().unwrap_or_default();
    format!("{name}{} of {}, {}", parameters.concat(), of.targets, of.outputs)
}

/// Rows that sum to 1, numbers in [0, 1), or in [−1, 1).
fn numbers(kind: &str, stream: u64, count: usize, width: usize) -> Result<Vec<f32>, String> {
    let number: &dyn Fn(usize) -> f64 = match kind {
        "share" => &|i| share(400, i, width),
        "unit" => &|i| unit(600, i),
        "positive" => &|i| unit(400, i) + 0.1,
        "dense" => &|i| both_signs(stream, i),
        other => return Err(format!("unknown numbers {other}")),
    };
    Ok((0..count * width).map(|i| number(i) as f32).collect())
}

fn compared(of: &Measured, sizes: &Sizes) -> Result<Vec<Measure>, String> {
    sensible(&[sizes.count, sizes.classes])?;
    let width = if of.targets == "binary" { 1 } else { sizes.classes };
    let metric: Metric = read(of.metric.clone())?;
    let inputs = numbers(&of.outputs, 601, sizes.count, width)?;
    let rows = match of.targets.as_str() {
        "class" | "one_hot" | "binary" => None,
        kind => Some(numbers(kind, 400, sizes.count, width)?),
    };
    let found = measured(metric, width, &inputs, rows.as_deref()).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| format!("{} was not measured", metric.name()))?;
    Ok(vec![Measure::new("result", relative(&[found], &[of.result], 0.1), 2e-6)])
}

fn measured(
    metric: Metric,
    width: usize,
    inputs: &[f32],
    rows: Option<&[f32]>,
) -> Result<Option<f64>, ModelError> {
    let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into()).metrics([metric]);
    let model = Sequential::new([width]).add(Rescaling::new(1.0, 0.0)).compile(compile)?;
    let classes = labels(inputs.len() / width, width.max(2) as u64);
    let examples = match rows {
        Some(rows) => Examples::rows([width], inputs, width, rows)?,
        None => Examples::classes([width], inputs, &classes)?,
    };
    Ok(model.measured(&examples)?.get(metric.name()))
}
