//! Pooling: the largest number, or the mean, of every channel under a window.
//!
//! Positions: b sample, o place of the output, k position in the window, i = the pixel under k at o (see
//! [`crate::window`]), c channel. Padding is no part of a window: it is neither the largest nor counted.

use super::ValueId;
use crate::window::Window;

/// One operation of pooling.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum PoolOp {
    /// `out[b,o,c] = maxₖ x[b,i,c]`; `position[b,o,c]` is the k where it was found, of several the first.
    Max { x: ValueId, window: Window, out: ValueId, position: Option<ValueId> },
    /// `dx[b,i,c] = Σ dy[b,o,c]` over the places whose largest number is at i, ascending o.
    MaxGradient { dy: ValueId, position: ValueId, window: Window, dx: ValueId },
    /// `out[b,c] = maxᵢ x[b,i,c]`, the window being the whole picture.
    GlobalMax { x: ValueId, window: Window, out: ValueId },
    /// `dx[b,i,c] = dy[b,c]/n` where x is the largest, n being how often that occurs; else 0.
    GlobalMaxGradient { x: ValueId, out: ValueId, window: Window, dy: ValueId, dx: ValueId },
    /// `out[b,o,c] = (Σ x[b,i,c])/n`, ascending k, n being how many pixels are under the window.
    Average { x: ValueId, window: Window, out: ValueId },
    /// `dx[b,i,c] = Σ dy[b,o,c]/n` over the places with i under the window, ascending o.
    AverageGradient { dy: ValueId, window: Window, dx: ValueId },
}

impl PoolOp {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Max { out, position, .. } => [Some(out), position].into_iter().flatten().collect(),
            Self::GlobalMax { out, .. } | Self::Average { out, .. } => vec![out],
            Self::MaxGradient { dx, .. }
            | Self::GlobalMaxGradient { dx, .. }
            | Self::AverageGradient { dx, .. } => vec![dx],
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Max { .. } => "MaxPool",
            Self::MaxGradient { .. } => "MaxGradient",
            Self::GlobalMax { .. } => "GlobalMaxPool",
            Self::GlobalMaxGradient { .. } => "GlobalMaxGradient",
            Self::Average { .. } => "AveragePool",
            Self::AverageGradient { .. } => "AverageGradient",
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Max { x, .. } | Self::GlobalMax { x, .. } | Self::Average { x, .. } => vec![x],
            Self::MaxGradient { dy, position, .. } => vec![dy, position],
            Self::GlobalMaxGradient { x, out, dy, .. } => vec![x, out, dy],
            Self::AverageGradient { dy, .. } => vec![dy],
        }
    }
}
