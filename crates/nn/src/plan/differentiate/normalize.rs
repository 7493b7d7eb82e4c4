//! Gradients of normalising ops.

use crate::ops::{Forward, Normalize, Op, ValueId};

/// As [`super::differentiate`]; these ops have no trained variables.
pub(super) fn differentiate(to: &mut Forward, op: &Normalize, dy: ValueId) -> Option<(ValueId, ValueId)> {
    match *op {
        Normalize::Runs { form, size, x, y, scale } => {
            let dx = to.gradient_value(x);
            to.push(Op::Normalize(Normalize::RunsGradient { form, size, y, scale, dy, dx }));
            Some((x, dx))
        }
        Normalize::Softmax { size, x, y } => {
            let dx = to.gradient_value(x);
            to.push(Op::Normalize(Normalize::SoftmaxGradient { size, y, dy, dx }));
            Some((x, dx))
        }
        Normalize::Batch { epsilon, x, mean, variance, y } => {
            let [mean_dy, mean_dy_y] = [mean, variance].map(|like| to.gradient_value(like));
            let dx = to.gradient_value(x);
            to.push(Op::Normalize(Normalize::BatchGradientMeans { y, dy, mean_dy, mean_dy_y }));
            let gradient = Normalize::BatchGradient { epsilon, y, dy, variance, mean_dy, mean_dy_y, dx };
            to.push(Op::Normalize(gradient));
            Some((x, dx))
        }
        Normalize::Fixed { form, ref statistics, x, .. } => {
            let dx = to.gradient_value(x);
            let statistics = statistics.clone();
            to.push(Op::Normalize(Normalize::FixedGradient { form, statistics, dy, dx }));
            Some((x, dx))
        }
        _ => None,
    }
}
