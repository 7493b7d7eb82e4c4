//! Ops that bring numbers to mean 0 and variance 1, or to length 1.
//!
//! Either the numbers of a *run*, neighbours within a sample, are taken together, or those of a
//! *channel* over the whole batch: number i of a row with C channels belongs to channel
//! `c = i mod C`.

use super::{ParamId, ValueId};
use std::sync::Arc;

/// How a run is brought to its scale: `y = (x − m)·r`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunForm {
    /// `m = Σx/n`, `r = 1/√(Σ(x − m)²/n + ε)`: LayerNormalization, GroupNormalization.
    Variance {
        /// ε
        epsilon: f64,
    },
    /// `m = 0`, `r = 1/√(Σx²/n + ε)`: RMSNormalization.
    MeanSquare {
        /// ε
        epsilon: f64,
    },
    /// `m = 0`, `r = min(1/√Σx², 10¹²)`: UnitNormalization.
    Length,
}

/// How fixed statistics of a channel act: `d = max(√v, 10⁻⁷)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FixedForm {
    /// `y = (x − m)·1/√(v + ε)`: BatchNormalization in inference mode.
    Epsilon {
        /// ε
        epsilon: f64,
    },
    /// `y = (x − m)/d`: Normalization.
    Divide,
    /// `y = m + x·d`: Normalization with `invert`.
    Multiply,
}

/// Where fixed statistics come from: one mean and one variance per channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Statistics {
    /// Variables that are not trained.
    Params {
        /// m
        mean: ParamId,
        /// v
        variance: ParamId,
    },
    /// Numbers from the model's description.
    Given {
        /// m
        mean: Arc<[f64]>,
        /// v
        variance: Arc<[f64]>,
        /// Both as the kernels read them.
        rounded: [Arc<[f32]>; 2],
    },
}

impl Statistics {
    /// One number of each per channel.
    pub(crate) fn given(mean: Vec<f64>, variance: Vec<f64>) -> Self {
        let rounded = [&mean, &variance].map(|numbers| numbers.iter().map(|&x| x as f32).collect());
        Self::Given { mean: mean.into(), variance: variance.into(), rounded }
    }
}

/// An op of this family.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Normalize {
    /// `y = (x − m)·r` of every run of `size` numbers; `scale[b,run] = r`. Sums along a run have 16
    /// interleaved chains.
    Runs { form: RunForm, size: usize, x: ValueId, y: ValueId, scale: ValueId },
    /// `dx = r·(dy − Σdy/n − y·Σ(dy·y)/n)`; without the first sum where m = 0, and for a length `y·Σ(dy·y)`, or
    /// nothing where r is at its limit.
    RunsGradient { form: RunForm, size: usize, y: ValueId, scale: ValueId, dy: ValueId, dx: ValueId },
    /// `y = exp(x − max)/Σ exp(x − max)` of every run of `size` numbers.
    Softmax { size: usize, x: ValueId, y: ValueId },
    /// `dx = y·(dy − Σ(dy·y))`
    SoftmaxGradient { size: usize, y: ValueId, dy: ValueId, dx: ValueId },
    /// Over the n numbers of a channel in the batch, one chain each, samples ascending and numbers ascending
    /// within a sample: `mean[c] = Σx/n`, `variance[c] = Σ(x − mean)²/n`. And the statistics that inference
    /// will use: `moving ← moving·momentum + statistic·(1 − momentum)`.
    BatchMoments { x: ValueId, mean: ValueId, variance: ValueId, moving: [ParamId; 2], momentum: f64 },
    /// `y = (x − mean[c])·1/√(variance[c] + ε)`
    Batch { epsilon: f64, x: ValueId, mean: ValueId, variance: ValueId, y: ValueId },
    /// `mean_dy[c] = Σdy/n`, `mean_dy_y[c] = Σ(dy·y)/n`, chains as for the moments.
    BatchGradientMeans { y: ValueId, dy: ValueId, mean_dy: ValueId, mean_dy_y: ValueId },
    /// `dx = 1/√(variance[c] + ε)·(dy − mean_dy[c] − y·mean_dy_y[c])`
    BatchGradient {
        epsilon: f64,
        y: ValueId,
        dy: ValueId,
        variance: ValueId,
        mean_dy: ValueId,
        mean_dy_y: ValueId,
        dx: ValueId,
    },
    /// `y = form(x)` with statistics that do not depend on the batch.
    Fixed { form: FixedForm, statistics: Statistics, x: ValueId, y: ValueId },
    /// `dx = dy·∂form/∂x`
    FixedGradient { form: FixedForm, statistics: Statistics, dy: ValueId, dx: ValueId },
}

impl Normalize {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Runs { y, scale, .. } => vec![y, scale],
            Self::BatchMoments { mean, variance, .. } => vec![mean, variance],
            Self::Batch { y, .. } | Self::Fixed { y, .. } | Self::Softmax { y, .. } => vec![y],
            Self::BatchGradientMeans { mean_dy, mean_dy_y, .. } => vec![mean_dy, mean_dy_y],
            Self::RunsGradient { dx, .. }
            | Self::SoftmaxGradient { dx, .. }
            | Self::BatchGradient { dx, .. }
            | Self::FixedGradient { dx, .. } => vec![dx],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Runs { x, .. }
            | Self::Softmax { x, .. }
            | Self::BatchMoments { x, .. }
            | Self::Fixed { x, .. } => vec![x],
            Self::SoftmaxGradient { y, dy, .. } => vec![y, dy],
            Self::RunsGradient { y, scale, dy, .. } => vec![y, scale, dy],
            Self::Batch { x, mean, variance, .. } => vec![x, mean, variance],
            Self::BatchGradientMeans { y, dy, .. } => vec![y, dy],
            Self::BatchGradient { y, dy, variance, mean_dy, mean_dy_y, .. } => {
                vec![y, dy, variance, mean_dy, mean_dy_y]
            }
            Self::FixedGradient { dy, .. } => vec![dy],
        }
    }

    /// The variables that it reads, or where it is over the batch, moves.
    pub fn params(&self) -> Vec<ParamId> {
        match self {
            Self::BatchMoments { moving, .. } => moving.to_vec(),
            Self::Fixed { statistics: Statistics::Params { mean, variance }, .. }
            | Self::FixedGradient { statistics: Statistics::Params { mean, variance }, .. } => {
                vec![*mean, *variance]
            }
            _ => vec![],
        }
    }

    /// Whether every sample needs all samples of the batch.
    pub fn is_over_batch(&self) -> bool {
        matches!(self, Self::BatchMoments { .. } | Self::BatchGradientMeans { .. })
    }

    /// What its step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Runs { .. } => "NormalizeRuns",
            Self::RunsGradient { .. } => "NormalizeRunsGradient",
            Self::Softmax { .. } => "SoftmaxRuns",
            Self::SoftmaxGradient { .. } => "SoftmaxRunsGradient",
            Self::BatchMoments { .. } => "BatchMoments",
            Self::Batch { .. } => "NormalizeBatch",
            Self::BatchGradientMeans { .. } => "BatchGradientMeans",
            Self::BatchGradient { .. } => "NormalizeBatchGradient",
            Self::Fixed { .. } => "Normalize",
            Self::FixedGradient { .. } => "NormalizeGradient",
        }
    }
}
