//! Convolution: a kernel `[rows, columns, channels/groups, filters]` slides over a picture.
//!
//! Positions: b sample, o place of the output, k position in the window, i = the pixel under k at o (see
//! [`crate::window`]), c channel of the filter's group, f filter. Filter f reads the channels of its group
//! `f / (filters/groups)`. Pixels that are padding are 0, so that leaving out their terms changes no bit.
//!
//! A depthwise convolution is one with a group per channel: its kernel `[rows, columns, channels, multiplier]` has
//! the same numbers in the same order.

use super::{ParamId, ValueId};
use crate::window::Window;

/// What is convolved with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// How the kernel slides.
    pub window: Window,
    /// How many filters: numbers per place of the output.
    pub filters: usize,
    /// How many groups of channels and filters.
    pub groups: usize,
}

impl Convolution {
    /// Channels of a group.
    pub fn group_channels(&self) -> usize {
        self.window.channels / self.groups
    }

    /// Filters of a group.
    pub fn group_filters(&self) -> usize {
        self.filters / self.groups
    }

    /// Numbers of the kernel per filter: the products of each number of the output.
    pub fn depth(&self) -> usize {
        self.window.positions() * self.group_channels()
    }

    /// Numbers per sample of the output.
    pub fn output_width(&self) -> usize {
        self.window.places() * self.filters
    }
}

/// One operation of convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum ConvOp {
    /// `out[b,o,f] = Σ x[b,i,c]·kernel[k,c,f]`, ascending k, c.
    Product { x: ValueId, kernel: ParamId, of: Convolution, out: ValueId },
    /// `out[b,o,f] = x[b,o,f] + bias[f]`
    AddBias { x: ValueId, bias: ParamId, out: ValueId },
    /// `dx[b,i,c] = Σ dy[b,o,f]·kernel[k,c,f]`, ascending k, f.
    InputGradient { dy: ValueId, kernel: ParamId, of: Convolution, dx: ValueId },
    /// `g[k,c,f] = Σ x[b,i,c]·dy[b,o,f]`, ascending b, o.
    KernelGradient { x: ValueId, dy: ValueId, kernel: ParamId, of: Convolution },
    /// `g[f] = Σ dy[b,o,f]`, ascending b, o.
    BiasGradient { dy: ValueId, bias: ParamId },
}

impl ConvOp {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Product { out, .. } | Self::AddBias { out, .. } => vec![out],
            Self::InputGradient { dx, .. } => vec![dx],
            Self::KernelGradient { .. } | Self::BiasGradient { .. } => vec![],
        }
    }

    /// The variables whose gradient it gives.
    pub fn params(&self) -> Vec<ParamId> {
        match *self {
            Self::Product { kernel, .. } => vec![kernel],
            Self::AddBias { bias, .. } => vec![bias],
            _ => vec![],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Product { x, .. } | Self::AddBias { x, .. } => vec![x],
            Self::InputGradient { dy, .. } | Self::BiasGradient { dy, .. } => vec![dy],
            Self::KernelGradient { x, dy, .. } => vec![x, dy],
        }
    }
}
