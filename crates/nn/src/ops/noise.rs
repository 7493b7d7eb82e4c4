//! Random numbers of a training step.
//!
//! Each op draws from the stream of its layer's name and the step, so its numbers do not depend on other
//! layers, on threads, or on what was drawn before.

use super::ValueId;
use crate::random::{Purpose, Stream, Streams};

/// Which stream numbers are drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    /// What for.
    pub purpose: Purpose,
    /// The layer's name.
    pub name: String,
    /// The layer's own seed, in place of the run's.
    pub seed: Option<u64>,
}

impl Draws {
    /// The stream of a step.
    pub(crate) fn open(&self, streams: &Streams, step: u64) -> Stream {
        streams.seeded(self.seed).open(self.purpose, &self.name, step)
    }
}

/// An op of this family.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Noise {
    /// `out = 0` with probability `rate`, else `1/(1 − rate)`: one draw for all of a sample's numbers `i` with
    /// equal `i mod channels`, from word `b·channels + i mod channels`.
    Mask { rate: f64, channels: usize, draws: Draws, out: ValueId },
    /// What AlphaDropout multiplies by and adds: `0` and `a·α′ + b` with probability `rate`, else `a` and `b`;
    /// number i of sample b from word `b·width + i`.
    AlphaMask { rate: f64, draws: Draws, factor: ValueId, offset: ValueId },
    /// `out = mean + stddev·z`, z normal; sample b from word `b·2³²` on.
    Normal { mean: f64, stddev: f64, draws: Draws, out: ValueId },
    /// `out = x + noise`; `noise` is not trained.
    Add { x: ValueId, noise: ValueId, out: ValueId },
}

/// The words of each sample, for ops that draw a varying number of them.
pub(crate) const WORDS_PER_SAMPLE: u64 = 1 << 32;

/// AlphaDropout's `(a, b, a·α′ + b)`.
pub(crate) fn alpha_dropout(rate: f64) -> (f64, f64, f64) {
    let limit = -1.673_263_242_354_377_2 * 1.050_700_987_355_480_5;
    let a = 1.0 / ((1.0 - rate) * (1.0 + rate * limit * limit)).sqrt();
    let b = -a * limit * rate;
    (a, b, a * limit + b)
}

impl Noise {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::AlphaMask { factor, offset, .. } => vec![factor, offset],
            Self::Mask { out, .. } | Self::Normal { out, .. } | Self::Add { out, .. } => vec![out],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Add { x, noise, .. } => vec![x, noise],
            _ => vec![],
        }
    }

    /// What its step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mask { .. } => "DropoutMask",
            Self::AlphaMask { .. } => "AlphaDropoutMask",
            Self::Normal { .. } => "Normal",
            Self::Add { .. } => "Add",
        }
    }
}
