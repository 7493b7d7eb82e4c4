//! Fresh kernels have Keras's distribution: two-sample Kolmogorov-Smirnov at Keras's 99 percentiles, mean and spread within
//! 5 standard errors, and, where the distribution has an end, the same ends.

use super::choice::{named, read};
use super::compare::Measure;
use super::replay::sensible;
use super::{Precision, Row};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Purpose, Seed, Streams};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct File {
    draws: usize,
    initializers: Vec<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    name: String,
    shape: Vec<usize>,
    config: Map<String, Value>,
    count: usize,
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
    quantiles: Vec<f64>,
}

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let row = |of: &Distribution| {
        let place = format!("{} {:?}", of.name, of.shape);
        Row::new(group, place, Precision::Float32, compared(of, file.draws))
    };
    Ok(file.initializers.iter().map(row).collect())
}

/// Kernels of `draws` seeds, or one where nothing is drawn.
fn drawn(initializer: &Initializer, shape: &[usize], draws: usize) -> Vec<f32> {
    let size = shape.iter().product::<usize>();
    let mut all = vec![f32::NAN; size * draws];
    for (seed, kernel) in all.chunks_mut(size).enumerate() {
        let mut stream = Streams::new(Seed(seed as u64)).open(Purpose::Init, "dense/kernel", 0);
        initializer.fill(&mut stream, shape, kernel);
    }
    all
}

fn compared(of: &Distribution, draws: usize) -> Result<Vec<Measure>, String> {
    sensible(&[&of.shape[..], &[draws]].concat())?;
    let initializer: Initializer = read(named(&of.name, &of.config))?;
    let fixed = of.count == of.shape.iter().product::<usize>();
    let values = drawn(&initializer, &of.shape, if fixed { 1 } else { draws });
    if values.len() != of.count {
        return Err(format!("count: expected {}, received {}", values.len(), of.count));
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
    let std = (values.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n).sqrt();
    // The difference of two samples of this size: √2 standard errors.
    let mean_bound = 5.0 * of.std * (2.0 / n).sqrt() + 1e-15;
    let mut measures = vec![
        Measure::new("mean", (mean - of.mean).abs(), mean_bound),
        Measure::new("spread", (std - of.std).abs(), 5.0 * of.std / n.sqrt() + 1e-15),
    ];
    let endless = matches!(initializer, Initializer::RandomNormal { .. } | Initializer::Orthogonal { .. });
    if !endless {
        let (min, max) = values.iter().fold((f32::MAX, f32::MIN), |(a, b), &w| (a.min(w), b.max(w)));
        let ends = (f64::from(min) - of.min).abs().max((f64::from(max) - of.max).abs());
        measures.push(Measure::new("ends", ends, if fixed { 0.0 } else { 2e-3 * (of.max - of.min) }));
    }
    if !fixed {
        let scaled = distance(&values, &of.quantiles) * (n / 2.0).sqrt();
        measures.push(Measure::new("Kolmogorov-Smirnov", scaled, 1.95));
    }
    Ok(measures)
}

/// The greatest difference of our distribution function to Keras's at Keras's percentiles. Times
/// √(n/2) it passes 1.95 with probability 0.001.
fn distance(values: &[f32], quantiles: &[f64]) -> f64 {
    let mut counts = vec![0_usize; quantiles.len() + 1];
    for &w in values {
        counts[quantiles.partition_point(|&q| q < f64::from(w))] += 1;
    }
    let mut below = 0;
    let difference = |(i, count): (usize, &usize)| {
        below += count;
        (below as f64 / values.len() as f64 - (i + 1) as f64 / 100.0).abs()
    };
    counts[..quantiles.len()].iter().enumerate().map(difference).fold(0.0, f64::max)
}
