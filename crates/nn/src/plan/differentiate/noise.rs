//! Gradients of noise ops: noise is no variable, what it is added to passes its gradient on.

use crate::ops::{Noise, ValueId};

/// As [`super::differentiate`].
pub(super) fn differentiate(op: &Noise, dy: ValueId) -> Option<(ValueId, ValueId)> {
    match *op {
        Noise::Add { x, .. } => Some((x, dy)),
        _ => None,
    }
}
