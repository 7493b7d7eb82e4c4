//! Expected calibration error: `Σ n_b/n · |accuracy_b − confidence_b|` over bins of confidence.
//!
//! Confidence is the largest output, and falls into one of `bins` bins of equal width, `(i/bins, (i+1)/bins]`. Keras
//! has no such metric. Source: Guo et al., *On calibration of modern neural networks* (2017).

use super::{Accumulator, MetricRule, Outputs, right_class};
use crate::config::{InvalidParameter, Value, require};
use crate::kernels::score::arg_max;
use crate::losses::Target;
use serde::Deserialize;

/// How far confidence is from accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCalibrationError {
    /// How many bins, from 1 to 65536; 15.
    pub bins: i64,
}

impl Default for ExpectedCalibrationError {
    fn default() -> Self {
        Self { bins: 15 }
    }
}

impl MetricRule for ExpectedCalibrationError {
    const NAME: &'static str = "expected_calibration_error";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("bins", self.bins.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        require((1..=65536).contains(&self.bins), Self::NAME, "bins", "from 1 to 65536", self.bins)
    }

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        outputs.need_classes()?;
        outputs.need_probabilities()
    }

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        Box::new(Bins(vec![[0.0; 3]; usize::try_from(self.bins).unwrap_or(1)]))
    }
}

/// Samples, right samples and summed confidence of every bin.
struct Bins(Vec<[f64; 3]>);

impl Accumulator for Bins {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        let found = arg_max(prediction);
        let confidence = f64::from(prediction[found]);
        let last = self.0.len() - 1;
        let bin = ((confidence * self.0.len() as f64).ceil() - 1.0).max(0.0) as usize;
        let [samples, right, sum] = &mut self.0[bin.min(last)];
        *samples += 1.0;
        *right += f64::from(u8::from(found == right_class(target)));
        *sum += confidence;
    }

    fn result(&self) -> f64 {
        let samples: f64 = self.0.iter().map(|bin| bin[0]).sum();
        let gaps: f64 = self.0.iter().map(|[_, right, sum]| (right - sum).abs()).sum();
        super::share(gaps, samples)
    }

    fn reset(&mut self) {
        self.0.fill([0.0; 3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two samples at 0.9, one of them right, and one right at 0.6, in 10 bins: (|1 − 1.8| + |1 − 0.6|)/3.
    #[test]
    fn worked_out_by_hand() {
        let outputs = Outputs { width: 2, are_logits: false };
        let mut metric = ExpectedCalibrationError { bins: 10 }.start(outputs);
        for (class, p) in [(0, 0.875), (1, 0.875), (0, 0.5625)] {
            metric.add(Target::Class(class), &[p, 1.0 - p]);
        }
        assert!((metric.result() - (0.75 + 0.4375) / 3.0).abs() < 1e-15);
        metric.reset();
        assert_eq!(metric.result(), 0.0);
    }
}
