//! Root mean squared error: √ of the mean of `(t − p)²` over all outputs of all samples.
//!
//! Source: Keras `keras/src/metrics/regression_metrics.py`.

use super::{Accumulator, Mean, MetricRule, Outputs};
use crate::losses::Target;
use serde::Deserialize;

/// √ of the mean squared error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootMeanSquaredError {}

impl MetricRule for RootMeanSquaredError {
    const NAME: &'static str = "root_mean_squared_error";

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        Box::new(Squares(Mean::default()))
    }
}

struct Squares(Mean);

impl Accumulator for Squares {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        for (i, &p) in prediction.iter().enumerate() {
            let error = f64::from(target.at(i)) - f64::from(p);
            self.0.add(error * error);
        }
    }

    fn result(&self) -> f64 {
        self.0.result().sqrt()
    }

    fn reset(&mut self) {
        self.0 = Mean::default();
    }
}
