//! Steps that treat a sample's whole row.

use super::Batch;
use crate::kernels::rowwise::{RowGradient, RowValue};
use crate::ops::Rowwise;

impl Batch<'_> {
    pub(super) fn rowwise(&self, op: Rowwise) {
        let (s, rows) = (self.shared, self.samples());
        match op {
            Rowwise::Value { f, x, out } => {
                let widths = (s.width(x), s.width(out));
                s.plan.simd.run(RowValue { f, x: s.value(x), out: s.value(out), widths, rows });
            }
            Rowwise::Gradient { f, v, dy, dx } => {
                let widths = (s.width(v), s.width(dy), s.width(dx));
                let (v, dy, dx) = (s.value(v), s.value(dy), s.value(dx));
                s.plan.simd.run(RowGradient { f, v, dy, dx, widths, rows });
            }
        }
    }
}
