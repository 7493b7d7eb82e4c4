//! The gradients of pooling.

use crate::activations::GradientFrom;
use crate::ops::{Forward, Op, PoolOp, ValueId};

pub(super) fn differentiate(to: &mut Forward, op: PoolOp, dy: ValueId) -> Option<(ValueId, ValueId)> {
    let (PoolOp::Max { x, .. } | PoolOp::GlobalMax { x, .. } | PoolOp::Average { x, .. }) = op else {
        return None;
    };
    let dx = to.gradient_value(x);
    to.push(Op::Pool(match op {
        PoolOp::Max { window, position, .. } => PoolOp::MaxGradient { dy, position: position?, window, dx },
        PoolOp::GlobalMax { x, window, out } => PoolOp::GlobalMaxGradient { x, out, window, dy, dx },
        PoolOp::Average { window, .. } => PoolOp::AverageGradient { dy, window, dx },
        _ => return None,
    }));
    Some((x, dx))
}

/// Takes the gradient of an activation that max pooling follows before that of the pooling: there are fewer numbers, and
/// at the largest the activation's output is the pooling's. Where windows overlap, it stays behind their sum.
///
/// `forward` are the forward ops; what is rewritten are the ops from `start` on.
pub(in crate::plan) fn activate_before_unpooling(to: &mut Forward, forward: &[Op], start: usize) {
    for i in start..to.ops.len().saturating_sub(1) {
        let (
            Op::Pool(PoolOp::MaxGradient { dy, position, window, dx }),
            Op::ActivateGradient { f, v, dy: behind, dx: out },
        ) = (to.ops[i].clone(), to.ops[i + 1].clone())
        else {
            continue;
        };
        let pooled = forward.iter().find_map(|op| match *op {
            Op::Pool(PoolOp::Max { x, out, position: p, .. }) if x == v && p == Some(position) => Some(out),
            _ => None,
        });
        let Some(pooled) = pooled else { continue };
        if behind == dx && window.is_disjoint() && f.gradient_from() == GradientFrom::Output {
            let before = to.gradient_value(dy);
            to.ops[i] = Op::ActivateGradient { f, v: pooled, dy, dx: before };
            to.ops[i + 1] = Op::Pool(PoolOp::MaxGradient { dy: before, position, window, dx: out });
        }
    }
}
