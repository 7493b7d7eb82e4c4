//! Activations as plain functions, with their derivatives.
//!
//! Float64 is compared with Keras's. Float32 is compared with float64 at the same, rounded x, in units of float32's last place.
//! Where numbers near 1 or x are subtracted on the way to a small result, the unit is theirs. Every lane has the bits of a
//! single float32: the activations' own tests say so.

use super::choice::{named, read};
use super::compare::{Measure, absolute, largest};
use super::replay::{oracle, sensible};
use super::{Precision, Row};
use seedbed_nn::activations::{Elementwise, ElementwiseVisitor, GradientFrom};
use seedbed_nn::lane::Lane;
use seedbed_nn::plan::reference::{ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct File {
    x: Vec<f64>,
    elementwise: Vec<Elements>,
    rowwise: Vec<Rows>,
}

/// A function of one number at every x.
#[derive(Deserialize)]
struct Elements {
    name: String,
    params: Map<String, Value>,
    y: Vec<f64>,
    dy: Vec<f64>,
}

/// A function of four rows of six numbers.
#[derive(Deserialize)]
struct Rows {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    cotangent: Vec<f64>,
    dx: Vec<f64>,
}

const ROWS: usize = 4;
const WIDTH: usize = 6;

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let elementwise = file.elementwise.iter().flat_map(|of| {
        let place = std::iter::once(of.name.clone());
        let place: Vec<String> =
            place.chain(of.params.iter().map(|(key, value)| format!("{key}={value}"))).collect();
        let row = |precision, compared| Row::new(group, place.join(" "), precision, compared);
        [row(Precision::Float32, rounded(&file.x, of)), row(Precision::Float64, exact(&file.x, of))]
    });
    let rowwise = file.rowwise.iter().map(|of| Row::new(group, &of.name, Precision::Float64, rowwise(of)));
    Ok(elementwise.chain(rowwise).collect())
}

/// Value and derivative in one precision.
struct At<L>(L);

impl<L: Lane> ElementwiseVisitor for At<L> {
    type Output = (L, L);

    fn visit<E: Elementwise>(self, f: E) -> (L, L) {
        let y = f.value(self.0);
        let v = match E::GRADIENT_FROM {
            GradientFrom::Input => self.0,
            GradientFrom::Output => y,
        };
        (y, f.gradient(v, L::lit(1.0)))
    }
}

fn at<L: Lane>(f: Activation, x: L) -> Result<(L, L), String> {
    f.visit(At(x)).ok_or_else(|| format!("{f} is not a function of one number"))
}

fn function(of: &Elements) -> Result<Activation, String> {
    read(named(&of.name, &of.params))
}

fn exact(xs: &[f64], of: &Elements) -> Result<Vec<Measure>, String> {
    if of.y.len() != xs.len() || of.dy.len() != xs.len() {
        return Err(format!("expected {} values and slopes", xs.len()));
    }
    let f = function(of)?;
    let (mut values, mut slopes) = (Vec::new(), Vec::new());
    for ((&x, &y), &dy) in xs.iter().zip(&of.y).zip(&of.dy) {
        let (value, slope) = at(f, x)?;
        values.push((value - y).abs() / y.abs().max(1.0));
        // Keras on TensorFlow adds up both branches there, and finds the slope 2.
        if of.name != "celu" || x != 0.0 {
            slopes.push((slope - dy).abs() / dy.abs().max(1.0));
        }
    }
    Ok(vec![Measure::new("values", largest(values), 4e-15), Measure::new("slopes", largest(slopes), 2e-14)])
}

fn rounded(xs: &[f64], of: &Elements) -> Result<Vec<Measure>, String> {
    let f = function(of)?;
    let (mut values, mut slopes) = (Vec::new(), Vec::new());
    // At its own threshold a function jumps, and the rounded x may be on the other side.
    let threshold = |x: f64| of.params.values().any(|parameter| parameter.as_f64() == Some(x.abs()));
    for x in xs.iter().copied().filter(|&x| !threshold(x)) {
        let single = x as f32;
        let (value, slope) = at(f, f64::from(single))?;
        let (found, found_slope) = at(f, single)?;
        values.push((f64::from(found) - value).abs() / ulp(value.abs().max(x.abs().min(1.0))));
        slopes.push((f64::from(found_slope) - slope).abs() / ulp(slope.abs().max(x.abs()).max(1.0)));
    }
    Ok(vec![
        Measure::new("last places of values", largest(values), 2.0),
        Measure::new("last places of slopes", largest(slopes), 2.0),
    ])
}

/// The distance of float32 numbers at this size.
fn ulp(size: f64) -> f64 {
    let size = size.max(f64::from(f32::MIN_POSITIVE)) as f32;
    f64::from(size.next_up()) - f64::from(size)
}

/// A function of a kernel's only row, and its gradient: the target is placed so that mean squared
/// error sends the cotangent back.
fn rowwise(of: &Rows) -> Result<Vec<Measure>, String> {
    let width = of.y.len() / ROWS;
    sensible(&[width])?;
    let lengths = [of.x.len(), of.y.len(), of.cotangent.len(), of.dx.len()];
    if lengths != [ROWS * WIDTH, ROWS * width, ROWS * width, ROWS * WIDTH] {
        return Err(format!("expected {ROWS} rows of {WIDTH} numbers, received {lengths:?}"));
    }
    let f: Activation = read(of.name.clone().into())?;
    let dense = Dense::new(WIDTH).use_bias(false).activation(f);
    let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into());
    let model = Sequential::new([1]).add(dense).compile(compile).map_err(|error| error.to_string())?;
    let (mut values, mut gradients) = (Vec::new(), Vec::new());
    for row in 0..ROWS {
        let (of_x, of_y) = (row * WIDTH..(row + 1) * WIDTH, row * width..(row + 1) * width);
        let mut oracle = oracle(&model);
        oracle.weights[0] = of.x[of_x.clone()].to_vec();
        let target = |(y, cotangent): (&f64, &f64)| y - width as f64 / 2.0 * cotangent;
        let (y, cotangents) = (&of.y[of_y.clone()], &of.cotangent[of_y]);
        let targets = ReferenceTargets::Rows(y.iter().zip(cotangents).map(target).collect());
        let outputs = oracle.train(&ReferenceBatch { inputs: vec![1.0], targets, samples: 1 }).outputs;
        values.push(absolute(&outputs, y));
        gradients.push(absolute(&oracle.gradients[0], &of.dx[of_x]));
    }
    Ok(vec![
        Measure::new("values", largest(values), 4e-15),
        Measure::new("gradients", largest(gradients), 1e-14),
    ])
}
