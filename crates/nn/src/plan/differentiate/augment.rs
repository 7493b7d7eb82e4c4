//! Gradients of changes of pictures.

use crate::ops::{Augment, Forward, Op, ValueId};

/// As [`super::differentiate`].
pub(super) fn differentiate(to: &mut Forward, op: &Augment, dy: ValueId) -> Option<(ValueId, ValueId)> {
    match op {
        Augment::Change { change, picture, draws, x, .. } => {
            let dx = to.gradient_value(*x);
            let (change, draws) = (change.clone(), draws.clone());
            let gradient = Augment::ChangeGradient { change, picture: *picture, draws, x: *x, dy, dx };
            to.push(Op::Augment(gradient));
            Some((*x, dx))
        }
        Augment::Mix { x, mix, .. } => {
            let dx = to.gradient_value(*x);
            to.push(Op::Augment(Augment::MixGradient { mix: *mix, dy, dx }));
            Some((*x, dx))
        }
        _ => None,
    }
}
