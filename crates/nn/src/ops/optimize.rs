//! What an optimizer does with whole gradients and whole variables, between the gradients and the next batch.

use super::ParamId;
use crate::constraints::Constraint;

/// One operation on a variable, its gradient or its average. With gradient accumulation, [`OptimizeOp::Norm`] and the
/// updates are left out in batches that move nothing.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the field is the variable that the equation above speaks of")]
pub enum OptimizeOp {
    /// `a ← a + g`, or in the batch that moves weights `g ← (g + a)/n`, `a ← 0`.
    Accumulate { param: ParamId },
    /// `Σ g²` of every row, for clipping.
    Norm { param: ParamId },
    /// `g` is clipped, `w` decays and moves by the optimizer's rule, as in [`super::Op::Update`].
    Update { param: ParamId },
    /// `a ← μ·a + (1−μ)·w`, and in every so many updates `w ← a`.
    Average { param: ParamId },
    /// `w ← constraint(w)`
    Constrain { param: ParamId, constraint: Constraint },
}

impl OptimizeOp {
    /// The variable.
    pub fn param(&self) -> ParamId {
        match *self {
            Self::Accumulate { param }
            | Self::Norm { param }
            | Self::Update { param }
            | Self::Average { param }
            | Self::Constrain { param, .. } => param,
        }
    }

    /// What the op is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accumulate { .. } => "Accumulate",
            Self::Norm { .. } => "GradientNorm",
            Self::Update { .. } => "Update",
            Self::Average { .. } => "Average",
            Self::Constrain { .. } => "Constrain",
        }
    }
}
