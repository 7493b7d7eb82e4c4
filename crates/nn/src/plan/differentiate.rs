//! The gradient of every forward op, in one place.

mod augment;
mod channel;
mod noise;
mod normalize;

use crate::activations::GradientFrom;
use crate::ops::{Forward, Op, ParamId, Rowwise, ValueId};

mod conv;
pub(super) mod pool;

/// Writes the ops that give, from the gradient `dy` of what `op` wrote, the gradients of its
/// variables and, where `wants_dx`, of its input. Returns the input and its gradient.
pub(super) fn differentiate(
    to: &mut Forward,
    op: &Op,
    dy: ValueId,
    wants_dx: bool,
) -> Option<(ValueId, ValueId)> {
    match *op {
        Op::MatMul { x, kernel, .. } => {
            let input = wants_dx.then(|| {
                let dx = to.gradient_value(x);
                to.push(Op::MatMulInputGradient { dy, kernel, dx });
                (x, dx)
            });
            if to.trains(kernel) {
                to.push(Op::MatMulKernelGradient { x, dy, kernel });
                update(to, kernel);
            }
            input
        }
        Op::AddBias { x, bias, .. } => {
            if to.trains(bias) {
                to.push(Op::BiasGradient { dy, bias });
                update(to, bias);
            }
            Some((x, dy))
        }
        Op::Activate { f, x, out } => {
            let v = match f.gradient_from() {
                GradientFrom::Input => x,
                GradientFrom::Output => out,
            };
            let dx = to.gradient_value(x);
            to.push(Op::ActivateGradient { f, v, dy, dx });
            Some((x, dx))
        }
        Op::Softmax { x, out } => {
            let dx = to.gradient_value(x);
            to.push(Op::SoftmaxGradient { y: out, dy, dx });
            Some((x, dx))
        }
        Op::Rowwise(Rowwise::Value { f, x, out }) => {
            let v = if f.gradient_from() == GradientFrom::Input { x } else { out };
            let dx = to.gradient_value(x);
            to.push(Op::Rowwise(Rowwise::Gradient { f, v, dy, dx }));
            Some((x, dx))
        }
        Op::Affine { scale, x, .. } => {
            let dx = to.gradient_value(x);
            to.push(Op::AffineGradient { scale, dy, dx });
            Some((x, dx))
        }
        Op::ActivityPenalty { regularizer, x } => {
            let dx = to.gradient_value(x);
            to.push(Op::ActivityGradient { regularizer, x, dy, dx });
            Some((x, dx))
        }
        Op::Multiply { x, factor, .. } => {
            let dx = to.gradient_value(x);
            to.push(Op::Multiply { x: dy, factor, out: dx });
            Some((x, dx))
        }
        Op::Channel(ref op) => channel::differentiate(to, op, dy, wants_dx),
        Op::Normalize(ref op) => normalize::differentiate(to, op, dy),
        Op::Noise(ref op) => noise::differentiate(op, dy),
        Op::Augment(ref op) => augment::differentiate(to, op, dy),
        Op::Conv(op) => conv::differentiate(to, op, dy, wants_dx),
        Op::Pool(op) => pool::differentiate(to, op, dy),
        _ => None,
    }
}

fn update(to: &mut Forward, param: ParamId) {
    if let Some(regularizer) = to.params[param.0].penalty() {
        to.push(Op::Regularize { param, regularizer });
    }
    to.push(Op::Update { param });
}
