//! Plain functions give Keras's numbers: activations with their derivatives, and initializers.

use crate::keras::{absolute, fixture, read};
use seedbed_nn::activations::{Elementwise, ElementwiseVisitor, GradientFrom};
use seedbed_nn::lane::Lane;
use seedbed_nn::plan::reference::{Reference, ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Purpose, Seed, Streams};
use serde::Deserialize;
use serde_json::{Map, Value};

/// An activation as Keras names it.
#[derive(Deserialize)]
pub(crate) struct Function {
    name: String,
    params: Map<String, Value>,
}

impl Function {
    /// As a model file has it.
    pub(crate) fn read(&self) -> Value {
        let mut table = self.params.clone();
        table.insert("name".into(), self.name.clone().into());
        Value::Object(table)
    }
}

#[derive(Deserialize)]
struct Activations {
    x: Vec<f64>,
    elementwise: Vec<Elements>,
    rowwise: Vec<Rows>,
}

#[derive(Deserialize)]
struct Elements {
    #[serde(flatten)]
    function: Function,
    y: Vec<f64>,
    dy: Vec<f64>,
}

#[derive(Deserialize)]
struct Rows {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    cotangent: Vec<f64>,
    dx: Vec<f64>,
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

/// Float64 against Keras's, and float32 against float64 at the same, rounded x, in units of
/// float32's last place. Where numbers near 1 or x are subtracted on the way to a small result, the
/// unit is theirs. Every lane has the bits of a single float32: the activations' own tests say so.
#[test]
fn elementwise_activations() {
    let table: Activations = fixture("parity/activation_tables.json");
    assert_eq!(table.elementwise.len(), 34);
    for row in &table.elementwise {
        let name = &row.function.name;
        let f = read::<Activation>(row.function.read()).unwrap();
        for ((&x, &y), &dy) in table.x.iter().zip(&row.y).zip(&row.dy) {
            let (value, slope) = f.visit(At(x)).unwrap();
            assert!((value - y).abs() <= 4e-15 * y.abs().max(1.0), "{name} at {x}: {value:e}, not {y:e}");
            // Keras on TensorFlow adds up both branches there, and finds the slope 2.
            if name != "celu" || x != 0.0 {
                let error = (slope - dy).abs() / dy.abs().max(1.0);
                assert!(error <= 2e-14, "{name}' at {x}: {slope:e}, not {dy:e}");
            }

            // At its own threshold a function jumps, and the rounded x may be on the other side.
            if row.function.params.values().any(|parameter| parameter.as_f64() == Some(x.abs())) {
                continue;
            }
            let single = x as f32;
            let (value, slope) = f.visit(At(f64::from(single))).unwrap();
            let (found, found_slope) = f.visit(At(single)).unwrap();
            let error = (f64::from(found) - value).abs() / ulp(value.abs().max(x.abs().min(1.0)));
            assert!(error <= 2.0, "{name} at {x}: {error} units from {value:e}");
            let error = (f64::from(found_slope) - slope).abs() / ulp(slope.abs().max(x.abs()).max(1.0));
            assert!(error <= 2.0, "{name}' at {x}: {error} units from {slope:e}");
        }
    }
}

/// The distance of float32 numbers at this size.
fn ulp(size: f64) -> f64 {
    let size = size.max(f64::from(f32::MIN_POSITIVE)) as f32;
    f64::from(size.next_up()) - f64::from(size)
}

/// A function of a kernel's only row, and its gradient: the target is placed so that mean squared
/// error sends the cotangent back.
#[test]
fn rowwise_activations() {
    let table: Activations = fixture("parity/activation_tables.json");
    assert_eq!(table.rowwise.len(), 4);
    for rows in &table.rowwise {
        let f: Activation = rows.name.parse().unwrap();
        let dense = Dense::new(6).use_bias(false).activation(f);
        let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into());
        let model = Sequential::new([1]).add(dense).compile(compile).unwrap();
        let width = rows.y.len() / 4;
        for row in 0..4 {
            let (of_x, of_y) = (row * 6..row * 6 + 6, row * width..(row + 1) * width);
            let mut oracle = Reference::<f64>::new(model.plan(), &Streams::new(Seed(0)));
            oracle.weights[0] = rows.x[of_x.clone()].to_vec();
            let target = |(y, cotangent): (&f64, &f64)| y - width as f64 / 2.0 * cotangent;
            let (y, cotangents) = (&rows.y[of_y.clone()], &rows.cotangent[of_y]);
            let targets = ReferenceTargets::Rows(y.iter().zip(cotangents).map(target).collect());
            let batch = ReferenceBatch { inputs: vec![1.0], targets, samples: 1 };
            let outputs = oracle.train(&batch).outputs;
            assert!(absolute(&outputs, y) < 4e-15, "{f}");
            assert!(absolute(&oracle.gradients[0], &rows.dx[of_x]) < 1e-14, "{f}");
        }
    }
}

#[derive(Deserialize)]
struct Initializers {
    draws: u64,
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

/// Kernels of `draws` seeds, or one where nothing is drawn.
fn drawn(initializer: &Initializer, shape: &[usize], draws: u64) -> Vec<f32> {
    let size: usize = shape.iter().product::<usize>();
    let mut all = vec![f32::NAN; size * draws as usize];
    for (seed, kernel) in all.chunks_mut(size).enumerate() {
        let mut stream = Streams::new(Seed(seed as u64)).open(Purpose::Init, "dense/kernel", 0);
        initializer.fill(&mut stream, shape, kernel);
    }
    all
}

/// Two-sample Kolmogorov-Smirnov at Keras's 99 percentiles, mean and spread within 5 standard
/// errors, and, where the distribution has an end, the same ends.
#[test]
fn initializers() {
    let table: Initializers = fixture("parity/initializers.json");
    assert_eq!(table.initializers.len(), 29);
    for keras in &table.initializers {
        let place = format!("{} {:?}", keras.name, keras.shape);
        let config = keras.config.iter().filter(|(_, value)| !value.is_null());
        let mut config: Map<String, Value> = config.map(|(k, v)| (k.clone(), v.clone())).collect();
        config.insert("name".into(), keras.name.clone().into());
        let initializer: Initializer = read(Value::Object(config)).unwrap();
        let fixed = keras.count == keras.shape.iter().product::<usize>();
        let values = drawn(&initializer, &keras.shape, if fixed { 1 } else { table.draws });
        assert_eq!(values.len(), keras.count, "{place}");

        let n = values.len() as f64;
        let mean = values.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
        let std = (values.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n).sqrt();
        // The difference of two samples of this size: √2 standard errors.
        assert!(
            (mean - keras.mean).abs() <= 5.0 * keras.std * (2.0 / n).sqrt() + 1e-15,
            "{place}: mean {mean}"
        );
        assert!((std - keras.std).abs() <= 5.0 * keras.std / n.sqrt() + 1e-15, "{place}: deviation {std}");

        let (min, max) = values.iter().fold((f32::MAX, f32::MIN), |(a, b), &w| (a.min(w), b.max(w)));
        let normal = matches!(initializer, Initializer::RandomNormal { .. } | Initializer::Orthogonal { .. });
        let slack = if fixed { 0.0 } else { 2e-3 * (keras.max - keras.min) };
        let ends = (f64::from(min) - keras.min).abs().max((f64::from(max) - keras.max).abs());
        assert!(normal || ends <= slack, "{place}: from {min} to {max}");
        if !fixed {
            let distance = distance(&values, &keras.quantiles);
            assert!(
                distance * (n / 2.0).sqrt() < 1.95,
                "{place}: distribution functions differ by {distance}"
            );
        }
    }
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
