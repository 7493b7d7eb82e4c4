//! Ops with one number of a variable per channel, and the op that brings an axis to where channels are.
//!
//! A variable of C numbers in one row gives number i of a value's row its channel `c = i mod C`: channels are
//! the last axis, as Keras has them by default. Where they are not, [`Channel::Permute`] puts them
//! there and back.

use super::{ParamId, ValueId};
use std::sync::Arc;

/// What the number of a channel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelForm {
    /// `x·w`
    Scale,
    /// `x + w`
    Shift,
    /// `x` where x > 0, `w·x` where x < 0.
    Prelu,
}

/// An op of this family.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Channel {
    /// `out[b,i] = x[b, from[i]]`, every number of `x` once.
    Permute { from: Arc<[u32]>, x: ValueId, out: ValueId },
    /// `out[b,i] = form(x[b,i], w[c])`
    Apply { form: ChannelForm, x: ValueId, w: ParamId, out: ValueId },
    /// `dx[b,i] = ∂form/∂x·dy[b,i]`, for the forms whose slope is not 1.
    InputGradient { form: ChannelForm, x: ValueId, w: ParamId, dy: ValueId, dx: ValueId },
    /// `g[c] = Σ ∂form/∂w·dy[b,i]` over the batch, and within a sample over the numbers of the channel: one
    /// chain, ascending.
    Gradient { form: ChannelForm, x: ValueId, dy: ValueId, w: ParamId },
}

impl Channel {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Permute { out, .. } | Self::Apply { out, .. } => vec![out],
            Self::InputGradient { dx, .. } => vec![dx],
            Self::Gradient { .. } => vec![],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Permute { x, .. } | Self::Apply { x, .. } => vec![x],
            Self::InputGradient { x, dy, .. } | Self::Gradient { x, dy, .. } => vec![x, dy],
        }
    }

    /// The variable that it uses.
    pub fn param(&self) -> Option<ParamId> {
        match *self {
            Self::Permute { .. } => None,
            Self::Apply { w, .. } | Self::InputGradient { w, .. } | Self::Gradient { w, .. } => Some(w),
        }
    }

    /// What its step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Permute { .. } => "Permute",
            Self::Apply { form: ChannelForm::Scale, .. } => "Scale",
            Self::Apply { form: ChannelForm::Shift, .. } => "Shift",
            Self::Apply { form: ChannelForm::Prelu, .. } => "Prelu",
            Self::InputGradient { .. } => "ChannelInputGradient",
            Self::Gradient { .. } => "ChannelUpdate",
        }
    }
}
