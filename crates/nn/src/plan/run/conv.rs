//! Convolution and pooling: which kernel does a step, on what.

use super::super::fuse::{ConvStep, OutputGradient};
use super::Batch;
use super::buffers::Shared;
use crate::kernels::conv::forward::{self, Convolve};
use crate::kernels::conv::input_gradient::ConvolveBack;
use crate::kernels::conv::kernel_update::{ConvolutionBiasUpdate, ConvolutionUpdate};
use crate::kernels::conv::{self, Filters};
use crate::kernels::pool::{Pool, Pooling};
use crate::kernels::scratch::Scratch;
use crate::ops::{ParamId, PoolOp, Program, ValueId};

/// Takes what a step needs.
pub(super) fn take_scratch(step: &ConvStep, program: &Program, scratch: &mut Scratch) {
    match *step {
        ConvStep::Forward { of, active, .. } => Convolve::take_scratch(of, active.is_some(), scratch),
        ConvStep::InputGradient { of, dy, .. } => ConvolveBack::take_scratch(of, dy.is_pooled(), scratch),
        ConvStep::KernelUpdate { of, dy, .. } => {
            ConvolutionUpdate::take_scratch(of, dy.is_pooled(), scratch);
        }
        ConvStep::BiasUpdate { dy, bias, .. } => {
            let (width, count) = (gradient_width(dy, program), program.params[bias.0].count());
            ConvolutionBiasUpdate::take_scratch(width, count, scratch);
        }
    }
}

/// Numbers per sample.
fn gradient_width(dy: OutputGradient, program: &Program) -> usize {
    match dy {
        OutputGradient::Plain(dy) => program.values[dy.0].width,
        OutputGradient::Pooled { window, .. } => window.input[0] * window.input[1] * window.channels,
    }
}

impl Shared<'_> {
    fn filters(&self, kernel: ParamId) -> Filters {
        Filters { panels: self.weight(kernel), cols: self.stage.program.params[kernel.0].cols() }
    }

    fn output_gradient(&self, dy: OutputGradient) -> conv::OutputGradient {
        match dy {
            OutputGradient::Plain(dy) => conv::OutputGradient::Plain(self.value(dy)),
            OutputGradient::Pooled { dy, position, window } => {
                conv::OutputGradient::Pooled { dy: self.value(dy), position: self.value(position), window }
            }
        }
    }
}

impl Batch<'_> {
    /// Does this thread's part of a convolution's step.
    pub(super) fn convolution(&self, step: &ConvStep) {
        let s = self.shared;
        let (simd, batch, samples) = (s.plan.simd, self.order.len(), self.samples());
        let scratch = s.scratch[self.part.worker].0;
        let value = |id: Option<ValueId>| id.map(|id| s.value(id));
        match *step {
            ConvStep::Forward { x, kernel, bias, of, convolved, activation, active, pool } => {
                simd.run(Convolve {
                    of,
                    x: s.value(x),
                    kernel: s.filters(kernel),
                    bias: bias.map(|id| s.weight(id)),
                    convolved: value(convolved),
                    activation,
                    active: value(active),
                    pool: pool.map(|pool| forward::MaxPool {
                        window: pool.window,
                        out: s.value(pool.out),
                        position: value(pool.position),
                    }),
                    scratch,
                    samples,
                });
            }
            ConvStep::InputGradient { dy, kernel, of, factor, activation, out } => simd.run(ConvolveBack {
                of,
                dy: s.output_gradient(dy),
                kernel: s.filters(kernel),
                factor: value(factor),
                activation: activation.map(|(f, v)| (f, s.value(v))),
                out: s.value(out),
                scratch,
                samples,
            }),
            ConvStep::KernelUpdate { x, dy, kernel, of, regularizer } => {
                let (taps, filters) = self.split().convolution(kernel, of);
                simd.run(ConvolutionUpdate {
                    of,
                    x: s.value(x),
                    dy: s.output_gradient(dy),
                    batch,
                    moving: self.moving(kernel, regularizer),
                    cols: s.stage.program.params[kernel.0].cols(),
                    scratch,
                    taps,
                    filters,
                });
            }
            ConvStep::BiasUpdate { dy, bias, regularizer } => simd.run(ConvolutionBiasUpdate {
                dy: s.output_gradient(dy),
                width: gradient_width(dy, &s.stage.program),
                count: s.stage.program.params[bias.0].count(),
                batch,
                moving: self.moving(bias, regularizer),
                scratch,
                cols: self.split().bias(bias),
            }),
        }
    }

    /// Does this thread's part of a pooling step.
    pub(super) fn pool(&self, op: PoolOp) {
        let s = self.shared;
        let value = |id: ValueId| s.value(id);
        let (pooling, window) = match op {
            PoolOp::Max { x, window, out, position } => {
                (Pooling::Max { x: value(x), out: value(out), position: position.map(value) }, window)
            }
            PoolOp::GlobalMax { x, window, out } => {
                (Pooling::Max { x: value(x), out: value(out), position: None }, window)
            }
            PoolOp::MaxGradient { dy, position, window, dx } => {
                (Pooling::MaxGradient { dy: value(dy), position: value(position), dx: value(dx) }, window)
            }
            PoolOp::GlobalMaxGradient { x, out, window, dy, dx } => {
                let [x, out, dy, dx] = [x, out, dy, dx].map(value);
                (Pooling::GlobalMaxGradient { x, out, dy, dx }, window)
            }
            PoolOp::Average { x, window, out } => (Pooling::Average { x: value(x), out: value(out) }, window),
            PoolOp::AverageGradient { dy, window, dx } => {
                (Pooling::AverageGradient { dy: value(dy), dx: value(dx) }, window)
            }
        };
        s.plan.simd.run(Pool { pooling, window, samples: self.samples() });
    }
}
