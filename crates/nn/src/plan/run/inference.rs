//! Inference: threads take whole batches by turns.

use super::Batch;
use super::buffers::{Buffers, Shared};
use super::score::BatchScore;
use crate::examples::Examples;
use crate::kernels::matrix::Part;
use crate::optimizers::Scalars;
use crate::plan::schedule::schedule;
use crate::plan::workspace::{State, Workspace};
use crate::plan::{Plan, Stage};

/// How many samples are scored or predicted at a time.
pub(crate) const INFERENCE_BATCH: usize = 128;

/// Runs an inference stage over all examples, in order; `each` gets every batch's first sample, its
/// score and its outputs. Threads take whole batches by turns.
pub(crate) fn infer(
    (plan, stage): (&Plan, &Stage),
    state: &State,
    examples: &Examples<'_>,
    threads: usize,
    each: &(dyn Fn(usize, BatchScore, &[f32]) + Sync),
) {
    let order: Vec<u32> = (0..examples.len() as u32).collect();
    let batches = order.len().div_ceil(INFERENCE_BATCH);
    let threads = threads.clamp(1, batches.max(1));
    // Inference steps only read the weights, so several threads may share them.
    let weights = state.weights.as_slice().as_ptr().cast_mut();
    let view = ReadOnly(weights);
    let work = |worker: usize| {
        let view = &view;
        let mut workspace = Workspace::new((plan, stage), INFERENCE_BATCH.min(order.len()), examples, 1);
        let data = (examples, examples.weights);
        let shared = Shared::new((plan, stage), Buffers::read_only(view.0), &mut workspace, data, None);
        let part = Part { worker: 0, workers: 1 };
        let schedule = schedule(&stage.steps, shared.split(part, INFERENCE_BATCH));
        for (number, order) in order.chunks(INFERENCE_BATCH).enumerate().skip(worker).step_by(threads) {
            let (tick, scalars, weighing) =
                (plan.optimizer.tick(0), Scalars::default(), shared.weighing(order));
            let batch = Batch { shared: &shared, part, order, next: &[], tick, scalars, weighing, step: 0 };
            schedule.iter().filter_map(|slot| slot.step).for_each(|step| batch.run(step));
            let output = shared.value(stage.program.output);
            // SAFETY: this thread alone has the workspace.
            let outputs = unsafe { output.row(0, order.len() * output.stride) };
            each(number * INFERENCE_BATCH, shared.score(order.len(), &weighing), outputs);
        }
    };
    std::thread::scope(|scope| {
        for worker in 1..threads {
            let work = &work;
            scope.spawn(move || work(worker));
        }
        work(0);
    });
}

/// Weights that nobody writes while it lives.
struct ReadOnly(*mut f32);

// SAFETY: only read.
unsafe impl Sync for ReadOnly {}
