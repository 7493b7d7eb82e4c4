//! Normalising steps.

use super::Batch;
use crate::kernels::normalize::Batch as NormalizeBatch;
use crate::kernels::normalize::{
    BatchGradient, BatchGradientMeans, BatchMoments, Fixed, Runs, RunsGradient, SoftmaxRuns,
    SoftmaxRunsGradient,
};
use crate::ops::{FixedForm, Normalize, Statistics, ValueId};
use std::ops::Range;

impl Batch<'_> {
    pub(super) fn normalize(&self, op: &Normalize) {
        let s = self.shared;
        let (simd, batch, rows) = (s.plan.simd, self.order.len(), self.samples());
        match *op {
            Normalize::Runs { form, size, x, y, scale } => {
                let (width, x, y, scale) = (s.width(x), s.value(x), s.value(y), s.value(scale));
                simd.run(Runs { form, size, x, y, scale, width, rows });
            }
            Normalize::RunsGradient { form, size, y, scale, dy, dx } => {
                let (width, y, scale) = (s.width(y), s.value(y), s.value(scale));
                let (dy, dx) = (s.value(dy), s.value(dx));
                simd.run(RunsGradient { form, size, y, scale, dy, dx, width, rows });
            }
            Normalize::Softmax { size, x, y } => {
                let (width, x, y) = (s.width(x), s.value(x), s.value(y));
                simd.run(SoftmaxRuns { size, x, y, width, rows });
            }
            Normalize::SoftmaxGradient { size, y, dy, dx } => {
                let (width, y, dy, dx) = (s.width(y), s.value(y), s.value(dy), s.value(dx));
                simd.run(SoftmaxRunsGradient { size, y, dy, dx, width, rows });
            }
            Normalize::BatchMoments { x, mean, variance, moving, momentum } => simd.run(BatchMoments {
                x: s.value(x),
                mean: s.value(mean),
                variance: s.value(variance),
                moving: moving.map(|param| self.row(param)),
                momentum,
                positions: self.positions(x, s.width(mean)),
                batch,
                channels: self.own_channels(mean),
            }),
            Normalize::Batch { epsilon, x, mean, variance, y } => simd.run(NormalizeBatch {
                epsilon,
                x: s.value(x),
                mean: s.value(mean),
                variance: s.value(variance),
                y: s.value(y),
                positions: self.positions(x, s.width(mean)),
                rows,
            }),
            Normalize::BatchGradientMeans { y, dy, mean_dy, mean_dy_y } => simd.run(BatchGradientMeans {
                y: s.value(y),
                dy: s.value(dy),
                mean_dy: s.value(mean_dy),
                mean_dy_y: s.value(mean_dy_y),
                positions: self.positions(y, s.width(mean_dy)),
                batch,
                channels: self.own_channels(mean_dy),
            }),
            Normalize::BatchGradient { epsilon, y, dy, variance, mean_dy, mean_dy_y, dx } => {
                simd.run(BatchGradient {
                    epsilon,
                    y: s.value(y),
                    dy: s.value(dy),
                    variance: s.value(variance),
                    mean_dy: s.value(mean_dy),
                    mean_dy_y: s.value(mean_dy_y),
                    dx: s.value(dx),
                    positions: self.positions(y, s.width(variance)),
                    rows,
                });
            }
            Normalize::Fixed { form, ref statistics, x, y } => self.fixed(form, statistics, false, x, y),
            Normalize::FixedGradient { form, ref statistics, dy, dx } => {
                self.fixed(form, statistics, true, dy, dx);
            }
        }
    }

    /// This thread's channels of what is summed over the batch.
    fn own_channels(&self, sums: ValueId) -> Range<usize> {
        self.split().channels(self.shared.width(sums))
    }

    fn fixed(&self, form: FixedForm, statistics: &Statistics, backward: bool, x: ValueId, out: ValueId) {
        let s = self.shared;
        let (mean, variance, channels) = match statistics {
            Statistics::Params { mean, variance } => (
                self.row(*mean).cast_const(),
                self.row(*variance).cast_const(),
                s.stage.program.params[mean.0].count(),
            ),
            Statistics::Given { rounded: [mean, variance], .. } => {
                (mean.as_ptr(), variance.as_ptr(), mean.len())
            }
        };
        s.plan.simd.run(Fixed {
            form,
            mean,
            variance,
            backward,
            x: s.value(x),
            out: s.value(out),
            positions: self.positions(x, channels),
            rows: self.samples(),
        });
    }
}
