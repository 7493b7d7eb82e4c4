//! The gradients of convolution.

use super::update;
use crate::ops::{ConvOp, Forward, Op, ValueId};

pub(super) fn differentiate(
    to: &mut Forward,
    op: ConvOp,
    dy: ValueId,
    wants_dx: bool,
) -> Option<(ValueId, ValueId)> {
    match op {
        ConvOp::Product { x, kernel, of, .. } => {
            let input = wants_dx.then(|| {
                let dx = to.gradient_value(x);
                to.push(Op::Conv(ConvOp::InputGradient { dy, kernel, of, dx }));
                (x, dx)
            });
            if to.trains(kernel) {
                to.push(Op::Conv(ConvOp::KernelGradient { x, dy, kernel, of }));
                update(to, kernel);
            }
            input
        }
        ConvOp::AddBias { x, bias, .. } => {
            if to.trains(bias) {
                to.push(Op::Conv(ConvOp::BiasGradient { dy, bias }));
                update(to, bias);
            }
            Some((x, dy))
        }
        ConvOp::InputGradient { .. } | ConvOp::KernelGradient { .. } | ConvOp::BiasGradient { .. } => None,
    }
}
