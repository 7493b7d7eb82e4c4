//! Gradients of channel ops.

use super::update;
use crate::layers::inverse;
use crate::ops::{Channel, ChannelForm, Forward, Op, ValueId};

/// As [`super::differentiate`].
pub(super) fn differentiate(
    to: &mut Forward,
    op: &Channel,
    dy: ValueId,
    wants_dx: bool,
) -> Option<(ValueId, ValueId)> {
    match *op {
        Channel::Permute { ref from, x, .. } => {
            let dx = to.gradient_value(x);
            to.push(Op::Channel(Channel::Permute { from: inverse(from), x: dy, out: dx }));
            Some((x, dx))
        }
        Channel::Apply { form, x, w, .. } => {
            let mut dx = dy;
            if wants_dx && form != ChannelForm::Shift {
                dx = to.gradient_value(x);
                to.push(Op::Channel(Channel::InputGradient { form, x, w, dy, dx }));
            }
            if to.trains(w) {
                to.push(Op::Channel(Channel::Gradient { form, x, dy, w }));
                update(to, w);
            }
            Some((x, dx))
        }
        Channel::InputGradient { .. } | Channel::Gradient { .. } => None,
    }
}
