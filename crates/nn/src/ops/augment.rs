//! Changes of pictures in training: what is drawn for each sample, and what that does to its numbers.
//!
//! A picture is a row of `height·width` positions of `channels` numbers. What a change draws for sample b comes
//! from word `b·2³²` of the layer's stream on, so it depends on nothing but seed, layer, step and sample. The
//! formulas are in the files below; the oracle and the kernels run the same.

use super::ValueId;
use super::noise::{Draws, WORDS_PER_SAMPLE};
use crate::lane::Lane;
use crate::random::Stream;

pub(crate) mod affine;
pub(crate) mod contrast;
pub(crate) mod erase;
pub(crate) mod flip;
pub(crate) mod mix_up;

pub use affine::{Affine, FillMode, Interpolation, Motion};
pub use contrast::Contrast;
pub use erase::Erase;
pub use flip::Flip;

/// The axes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers of every position.
    pub channels: usize,
}

/// A lower and an upper bound of what is drawn uniformly between them.
pub type Bounds = (f64, f64);

/// A number drawn uniformly from a range.
pub(crate) fn uniform(stream: &mut Stream, (lower, upper): Bounds) -> f64 {
    lower + (upper - lower) * f64::from(stream.uniform())
}

/// What happens to every picture on its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Moved, turned or scaled.
    Affine(Affine),
    /// Mirrored.
    Flip(Flip),
    /// More or less contrast.
    Contrast(Contrast),
    /// A rectangle overwritten.
    Erase(Erase),
}

impl Change {
    /// What becomes of a picture.
    #[inline(always)]
    pub(crate) fn apply<R: Lane + PartialOrd>(
        &self,
        stream: &mut Stream,
        at: Picture,
        x: &[R],
        out: &mut [R],
    ) {
        match self {
            Self::Affine(change) => change.apply(stream, at, x, out),
            Self::Flip(change) => change.apply(stream, at, x, out),
            Self::Contrast(change) => change.apply(stream, at, x, out),
            Self::Erase(change) => change.apply(stream, at, x, out),
        }
    }

    /// The gradient of a picture from that of what became of it; `stream` as for [`Change::apply`].
    #[inline(always)]
    pub(crate) fn gradient<R: Lane + PartialOrd>(
        &self,
        stream: &mut Stream,
        at: Picture,
        x: &[R],
        dy: &[R],
        dx: &mut [R],
    ) {
        match self {
            Self::Affine(change) => change.gradient(stream, at, dy, dx),
            Self::Flip(change) => change.apply(stream, at, dy, dx),
            Self::Contrast(change) => change.gradient(stream, at, (x, dy), dx),
            Self::Erase(change) => change.gradient(stream, at, dy, dx),
        }
    }
}

/// An op of this family.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Augment {
    /// `out[b] = change(x[b])`
    Change { change: Change, picture: Picture, draws: Draws, x: ValueId, out: ValueId },
    /// `dx[b] = (∂change/∂x)ᵀ·dy[b]`, with what was drawn for `change`.
    ChangeGradient { change: Change, picture: Picture, draws: Draws, x: ValueId, dy: ValueId, dx: ValueId },
    /// `mix[b] = (λ, partner)`: λ from Beta(α, α), the partners in random order.
    MixDraws { alpha: f64, draws: Draws, mix: ValueId },
    /// `out[b] = λ·x[b] + (1 − λ)·x[partner]`
    Mix { x: ValueId, mix: ValueId, out: ValueId },
    /// `dx[b] = λ·dy[b] + (1 − λ′)·dy[b′]`, where b is the partner of b′.
    MixGradient { mix: ValueId, dy: ValueId, dx: ValueId },
    /// The same mix of the samples' targets, those of the batch or `from` an earlier mix.
    MixTargets { from: Option<ValueId>, mix: ValueId, out: ValueId },
}

/// Moves a stream to where a sample's draws begin.
pub(crate) fn seek(stream: &mut Stream, sample: usize) {
    stream.seek(sample as u64 * WORDS_PER_SAMPLE);
}

impl Augment {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Change { out, .. } | Self::Mix { out, .. } | Self::MixTargets { out, .. } => vec![out],
            Self::ChangeGradient { dx, .. } | Self::MixGradient { dx, .. } => vec![dx],
            Self::MixDraws { mix, .. } => vec![mix],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Change { x, .. } => vec![x],
            Self::ChangeGradient { x, dy, .. } => vec![x, dy],
            Self::MixDraws { .. } => vec![],
            Self::Mix { x, mix, .. } => vec![x, mix],
            Self::MixGradient { mix, dy, .. } => vec![mix, dy],
            Self::MixTargets { from, mix, .. } => from.into_iter().chain([mix]).collect(),
        }
    }

    /// Whether samples are mixed with each other.
    pub fn is_mix(&self) -> bool {
        !matches!(self, Self::Change { .. } | Self::ChangeGradient { .. })
    }

    /// What its step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Change { change: Change::Affine(_), .. } => "MovePicture",
            Self::Change { change: Change::Flip(_), .. } => "FlipPicture",
            Self::Change { change: Change::Contrast(_), .. } => "ContrastPicture",
            Self::Change { change: Change::Erase(_), .. } => "EraseFromPicture",
            Self::ChangeGradient { .. } => "PictureGradient",
            Self::MixDraws { .. } => "MixDraws",
            Self::Mix { .. } => "Mix",
            Self::MixGradient { .. } => "MixGradient",
            Self::MixTargets { .. } => "MixTargets",
        }
    }
}
