//! A look inside one forward pass: the values that the steps leave.

use super::Batch;
use super::buffers::{Buffers, Shared};
use super::inference::INFERENCE_BATCH;
use crate::examples::Examples;
use crate::kernels::matrix::Part;
use crate::ops::ValueId;
use crate::plan::schedule::schedule;
use crate::plan::workspace::{State, Workspace};
use crate::plan::{Plan, Stage};
use std::collections::BTreeSet;

/// Runs an inference stage over the first samples, at most one batch of them; `see` gets every value that a step leaves but the input, with its
/// numbers row by row and the distance between rows.
pub(crate) fn look(
    (plan, stage): (&Plan, &Stage),
    state: &State,
    examples: &Examples<'_>,
    see: &mut dyn FnMut(ValueId, &[f32], usize),
) {
    let samples = examples.len().min(INFERENCE_BATCH);
    let order: Vec<u32> = (0..samples as u32).collect();
    let mut workspace = Workspace::new((plan, stage), samples, examples, 1);
    // Inference steps only read the weights.
    let weights = state.weights.as_slice().as_ptr().cast_mut();
    let buffers = Buffers::read_only(weights);
    let shared = Shared::new((plan, stage), buffers, &mut workspace, (examples, None), None);
    let part = Part { worker: 0, workers: 1 };
    let (tick, scalars, weighing) = (plan.optimizer.tick(0), [0.0; 6], shared.weighing(&order));
    let batch = Batch { shared: &shared, part, order: &order, next: &[], tick, scalars, weighing, step: 0 };
    let schedule = schedule(&stage.steps, shared.split(part, INFERENCE_BATCH));
    schedule.iter().filter_map(|slot| slot.step).for_each(|step| batch.run(step));
    let left: BTreeSet<ValueId> = stage.steps.iter().flat_map(|step| step.values()).collect();
    for id in left.into_iter().filter(|id| id.0 != 0) {
        let value = shared.value(id);
        let rows = if stage.program.values[id.0].per_batch { 1 } else { samples };
        // SAFETY: this thread alone has the workspace, and the layout has these rows.
        see(id, unsafe { value.row(0, rows * value.stride) }, value.stride);
    }
}
