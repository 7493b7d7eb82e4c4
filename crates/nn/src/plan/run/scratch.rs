//! Which steps take scratch memory, and how much.

use super::{Batch, conv};
use crate::kernels::dense::Dense;
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::listed::is_worth_listing;
use crate::kernels::scratch::scratch_len;
use crate::kernels::update::KernelUpdate;
use crate::ops::{ParamId, Program};
use crate::plan::fuse::Step;

/// How many numbers of scratch memory a step takes from every thread for batches of up to `batch` samples.
pub(in crate::plan) fn scratch(step: &Step, program: &Program, batch: usize) -> usize {
    let worth = |kernel: ParamId| lists(program, kernel);
    let inputs = |kernel: ParamId| program.params[kernel.0].rows();
    scratch_len(|scratch| match *step {
        Step::Conv(ref step) => conv::take_scratch(step, program, scratch),
        Step::Dense { kernel, .. } if worth(kernel) => Dense::take_scratch(batch, inputs(kernel), scratch),
        Step::KernelUpdate { kernel, .. } if worth(kernel) => {
            KernelUpdate::take_scratch(batch, inputs(kernel), scratch);
        }
        Step::InputGradient { kernel, .. } if worth(kernel) => {
            InputGradient::take_scratch(batch, program.params[kernel.0].cols(), scratch);
        }
        _ => {}
    })
}

fn lists(program: &Program, kernel: ParamId) -> bool {
    let kernel = &program.params[kernel.0];
    is_worth_listing(kernel.rows(), kernel.cols())
}

/// A thread's scratch memory.
#[derive(Clone, Copy)]
pub(super) struct ScratchMemory(pub(super) *mut f32);

// SAFETY: every thread uses its own.
unsafe impl Send for ScratchMemory {}
// SAFETY: as above.
unsafe impl Sync for ScratchMemory {}

impl Batch<'_> {
    /// This thread's scratch memory for products with a kernel, where it is large enough for lists.
    pub(super) fn scratch_for(&self, kernel: ParamId) -> Option<*mut f32> {
        let s = self.shared;
        lists(&s.stage.program, kernel).then(|| s.scratch[self.part.worker].0)
    }
}
