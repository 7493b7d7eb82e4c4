//! Cosine similarity: the mean over samples of `t·p / (|t|·|p|)`, from −1 to 1 (same direction).
//!
//! The loss of this name is minus it. Source: Keras `keras/src/metrics/regression_metrics.py`.

use super::accuracy::MeanBy;
use super::{Accumulator, Mean, MetricRule, Outputs};
use crate::losses::{self, LossRule, Target, Whole};
use serde::Deserialize;

/// The cosine of the angle between target and prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineSimilarity {}

impl MetricRule for CosineSimilarity {
    const NAME: &'static str = losses::CosineSimilarity::NAME;

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        let cosine = |target: Target<'_, f32>, prediction: &[f32]| {
            let whole = Whole { binary: false, sums: [0.0; 3] };
            -f64::from(losses::CosineSimilarity::default().row(&whole, target, prediction, None))
        };
        Box::new(MeanBy { value: cosine, mean: Mean::default() })
    }
}
