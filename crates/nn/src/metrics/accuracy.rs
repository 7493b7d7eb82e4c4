//! Accuracies: the share of outputs, or samples, that are right.
//!
//! Source: Keras `keras/src/metrics/accuracy_metrics.py`. `accuracy` itself is always measured: with one
//! output it is the binary one, otherwise the categorical one of rows or class numbers.

use super::{Accumulator, Mean, MetricRule, Outputs, right_class};
use crate::config::{InvalidParameter, Value, require};
use crate::kernels::score::arg_max;
use crate::losses::Target;
use serde::Deserialize;

/// Share of outputs with target 1 above the threshold, or target 0 not above it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryAccuracy {
    /// From 0 to 1; 0.5.
    pub threshold: f64,
}

impl Default for BinaryAccuracy {
    fn default() -> Self {
        Self { threshold: 0.5 }
    }
}

impl MetricRule for BinaryAccuracy {
    const NAME: &'static str = "binary_accuracy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("threshold", self.threshold.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        require((0.0..=1.0).contains(&self.threshold), Self::NAME, "threshold", "from 0 to 1", self.threshold)
    }

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        let threshold = self.threshold as f32;
        let right = move |target: Target<'_, f32>, prediction: &[f32]| {
            let is_right = |(i, p): (usize, &f32)| target.at(i) == f32::from(u8::from(*p > threshold));
            let right = prediction.iter().enumerate().filter(|&at| is_right(at)).count();
            right as f64 / prediction.len() as f64
        };
        Box::new(MeanBy { value: right, mean: Mean::default() })
    }
}

/// Share of samples whose largest output is the right one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalAccuracy {}

impl MetricRule for CategoricalAccuracy {
    const NAME: &'static str = "categorical_accuracy";

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        outputs.need_classes()
    }

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        let right = |target: Target<'_, f32>, prediction: &[f32]| {
            f64::from(u8::from(arg_max(prediction) == right_class(target)))
        };
        Box::new(MeanBy { value: right, mean: Mean::default() })
    }
}

/// Share of samples whose largest output is that of their class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseCategoricalAccuracy {}

impl MetricRule for SparseCategoricalAccuracy {
    const NAME: &'static str = "sparse_categorical_accuracy";

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        outputs.need_classes()
    }

    fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send> {
        CategoricalAccuracy {}.start(outputs)
    }
}

/// The mean of a number per sample.
pub(super) struct MeanBy<F> {
    pub(super) value: F,
    pub(super) mean: Mean,
}

impl<F: Fn(Target<'_, f32>, &[f32]) -> f64> Accumulator for MeanBy<F> {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        self.mean.add((self.value)(target, prediction));
    }

    fn result(&self) -> f64 {
        self.mean.result()
    }

    fn reset(&mut self) {
        self.mean = Mean::default();
    }
}
