//! Products with a dense kernel.

use super::Batch;
use crate::kernels::dense::Dense;
use crate::kernels::input_gradient::InputGradient;
use crate::ops::ValueId;
use crate::plan::fuse::Step;

impl Batch<'_> {
    pub(super) fn dense(&self, step: &Step) {
        let Step::Dense { x, kernel, bias, matmul, activation, active, factor, out } = *step else { return };
        let s = self.shared;
        let (rows, cols) = self.split().dense(kernel);
        let value = |id: Option<ValueId>| id.map(|id| s.value(id));
        s.plan.simd.run(Dense {
            x: self.input(x),
            inputs: s.width(x),
            kernel: s.weight(kernel),
            bias: bias.map(|id| s.weight(id)),
            matmul: value(matmul),
            activation,
            active: value(active),
            factor: value(factor),
            out: s.value(out),
            rows,
            cols,
            scratch: self.scratch_for(kernel),
        });
    }

    pub(super) fn input_gradient(&self, step: &Step) {
        let Step::InputGradient { dy, kernel, factor, activation, out } = *step else { return };
        let s = self.shared;
        s.plan.simd.run(InputGradient {
            dy: s.value(dy),
            dy_twin: s.twin(dy),
            outputs: s.width(dy),
            kernel: s.weight(kernel),
            factor: factor.map(|id| s.value(id)),
            activation: activation.map(|(f, v)| (f, s.value(v))),
            twin: s.twin(out),
            out: s.value(out),
            batch: self.order.len(),
            inputs: self.split().inputs(out),
            scratch: self.scratch_for(kernel),
        });
    }
}
