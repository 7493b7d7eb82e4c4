//! Channel steps.

use super::Batch;
use crate::kernels::channel::{Apply, ChannelUpdate, InputGradient, Positions, permute};
use crate::ops::{Channel, ParamId, ValueId};
use crate::plan::fuse::Step;

impl Batch<'_> {
    /// A value whose rows hold numbers of `channels` channels.
    pub(super) fn positions(&self, x: ValueId, channels: usize) -> Positions {
        Positions { width: self.shared.width(x), channels }
    }

    /// Where the only row of a variable starts.
    pub(super) fn row(&self, param: ParamId) -> *mut f32 {
        // SAFETY: every variable has a column 0.
        unsafe { self.shared.weight(param).column(0) }
    }

    fn channels(&self, param: ParamId) -> usize {
        self.shared.stage.program.params[param.0].count()
    }

    /// Everything but gradients of variables.
    pub(super) fn channel(&self, op: &Channel) {
        let s = self.shared;
        let rows = self.samples();
        match *op {
            // SAFETY: the workspace has these rows, as wide as the list.
            Channel::Permute { ref from, x, out } => unsafe { permute(from, s.value(x), s.value(out), rows) },
            Channel::Apply { form, x, w, out } => s.plan.simd.run(Apply {
                form,
                x: s.value(x),
                w: self.row(w),
                out: s.value(out),
                positions: self.positions(x, self.channels(w)),
                rows,
            }),
            Channel::InputGradient { form, x, w, dy, dx } => s.plan.simd.run(InputGradient {
                form,
                x: s.value(x),
                w: self.row(w),
                dy: s.value(dy),
                dx: s.value(dx),
                positions: self.positions(x, self.channels(w)),
                rows,
            }),
            Channel::Gradient { .. } => {}
        }
    }

    pub(super) fn channel_update(&self, step: &Step) {
        let Step::ChannelUpdate { form, x, dy, w, regularizer } = *step else { return };
        let s = self.shared;
        let channels = self.channels(w);
        s.plan.simd.run(ChannelUpdate {
            form,
            x: s.value(x),
            dy: s.value(dy),
            positions: self.positions(x, channels),
            batch: self.order.len(),
            moving: self.moving(w, regularizer),
            cols: self.split().bias(w),
        });
    }
}
