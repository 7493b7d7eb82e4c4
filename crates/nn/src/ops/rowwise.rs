//! Functions of a sample's whole row, and their gradients.

use super::ValueId;
use crate::activations::RowFunction;

/// An op of this family.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Rowwise {
    /// `out[b,·] = f(x[b,·])`
    Value { f: RowFunction, x: ValueId, out: ValueId },
    /// `dx[b,·] = f′·dy[b,·]`; `v` is f's input or output, as f wants.
    Gradient { f: RowFunction, v: ValueId, dy: ValueId, dx: ValueId },
}

impl Rowwise {
    /// The values that it reads.
    pub(crate) fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::Value { x, .. } => vec![x],
            Self::Gradient { v, dy, .. } => vec![v, dy],
        }
    }

    /// The values that it writes.
    pub(crate) fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Value { out, .. } => vec![out],
            Self::Gradient { dx, .. } => vec![dx],
        }
    }

    /// What the step is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Value { .. } => "RowFunction",
            Self::Gradient { .. } => "RowFunctionGradient",
        }
    }
}
