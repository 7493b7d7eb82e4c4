//! A closer look at one trial: where it errs and what its weights became.

use super::{bytes, number};
use crate::statistics::histogram::Histogram;
use crate::statistics::symmetry::distinct_units;
use serde::{Deserialize, Serialize};

/// A closer look at one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The trial's seed.
    pub seed: u64,
    /// How often a test picture of class `row` was taken for class `column`: `[classes, classes]`.
    pub confusion: Vec<Vec<u64>>,
    /// How many test pictures were taken for the wrong class; `mistakes` may hold fewer.
    pub mistake_count: usize,
    /// Misclassified test pictures, the most confident mistake first.
    pub mistakes: Vec<Mistake>,
    /// The weights of every layer that has a kernel, in the model's order.
    pub layers: Vec<LayerWeights>,
    /// The first layer's kernel as it was and as it became; `None` where the layer does not see the picture itself.
    /// Not in the JSON: weights belong into a weights file.
    #[serde(skip)]
    pub first_kernel: Option<KernelPictures>,
}

/// A test picture that was taken for the wrong class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its index in the test set, from 0.
    pub index: usize,
    /// Its true class.
    pub label: usize,
    /// The class the model gave it.
    pub predicted: usize,
    /// The probability the model gave the wrong class, 0 to 1.
    #[serde(with = "number")]
    pub probability: f64,
    /// Its pixels, row by row, 0 to 255.
    #[serde(with = "bytes")]
    pub pixels: Vec<u8>,
}

/// How the weights of one layer were spread before and after training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerWeights {
    /// The layer's name, as in "dense".
    pub layer: String,
    /// Inputs and units of its kernel.
    pub shape: [usize; 2],
    /// Its kernel before training.
    pub before: Histogram,
    /// Its kernel after training, over the same bins.
    pub after: Histogram,
    /// How many of its units have weights of their own before training.
    pub distinct_before: usize,
    /// How many of its units have weights of their own after training.
    pub distinct_after: usize,
}

impl LayerWeights {
    /// Sums up a kernel `[inputs, units]` before and after training in 61 bins, so that one is centred on zero where
    /// weights are spread evenly around it.
    pub fn of(layer: &str, units: usize, before: &[f32], after: &[f32]) -> Self {
        let inputs = before.len().checked_div(units).unwrap_or(0);
        let [before_histogram, after_histogram] = Histogram::shared([before, after], 61);
        Self {
            layer: layer.to_owned(),
            shape: [inputs, units],
            before: before_histogram,
            after: after_histogram,
            distinct_before: distinct_units(before, units),
            distinct_after: distinct_units(after, units),
        }
    }
}

/// A kernel `[inputs, units]`, row by row, before and after training, kept to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelPictures {
    /// The layer's name, as in "dense".
    pub layer: String,
    /// How many units it has.
    pub units: usize,
    /// The weights before training.
    pub before: Vec<f32>,
    /// The weights after training.
    pub after: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_weights_count_what_they_are_given() {
        let weights = LayerWeights::of("dense", 2, &[0.0; 6], &[0.5, 0.25, 0.5, 0.5, 0.5, 0.75]);
        assert_eq!((weights.shape, weights.distinct_before, weights.distinct_after), ([3, 2], 1, 2));
        assert_eq!(weights.before.counts.iter().sum::<u64>(), 6);
        assert_eq!((weights.before.low, weights.before.high), (weights.after.low, weights.after.high));
        assert_eq!(LayerWeights::of("empty", 0, &[], &[]).shape, [0, 0]);
    }
}
