//! Mean margin: by how much the right class's output exceeds the largest other, averaged over the samples.
//!
//! Negative for samples that are wrong. Keras has no such metric. Source: Bartlett et al., *Spectrally-normalized
//! margin bounds for neural networks* (2017), without the normalization.

use super::accuracy::MeanBy;
use super::{Accumulator, Mean, MetricRule, Outputs, right_class};
use crate::losses::Target;
use serde::Deserialize;

/// By how much the right output exceeds the largest other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanMargin {}

impl MetricRule for MeanMargin {
    const NAME: &'static str = "mean_margin";

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        outputs.need_classes()
    }

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        let margin = |target: Target<'_, f32>, prediction: &[f32]| {
            let class = right_class(target);
            let others = prediction.iter().enumerate().filter(|(i, _)| *i != class).map(|(_, &p)| p);
            let largest = others.fold(f32::NEG_INFINITY, f32::max);
            f64::from(prediction.get(class).copied().unwrap_or(0.0)) - f64::from(largest)
        };
        Box::new(MeanBy { value: margin, mean: Mean::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_out_by_hand() {
        let mut metric = MeanMargin {}.start(Outputs { width: 3, are_logits: false });
        metric.add(Target::Class(1), &[0.25, 0.5, 0.25]);
        metric.add(Target::Row(&[0.0, 0.0, 1.0]), &[0.75, 0.125, 0.125]);
        assert_eq!(metric.result(), (0.25 - 0.625) / 2.0);
    }
}
