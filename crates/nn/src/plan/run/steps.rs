//! The steps of one training batch, each to be done again as often as wanted.

use super::Batch;
use super::buffers::{Buffers, Shared};
use super::team::scalars;
use crate::examples::Examples;
use crate::kernels::matrix::Part;
use crate::plan::Plan;
use crate::plan::schedule::schedule;
use crate::plan::workspace::{State, Workspace};
use crate::random::Streams;

/// Does the first batch on one thread, then hands every step of it to `each`: its place in the stage, and a way to do
/// it again. Numbers that later steps wrote stay, so every step finds what it found in the batch, but for the weights.
pub(crate) fn each_step(
    plan: &Plan,
    state: &mut State,
    workspace: &mut Workspace,
    examples: &Examples<'_>,
    streams: &Streams,
    each: &mut dyn FnMut(usize, &mut dyn FnMut()),
) {
    let order: Vec<u32> = (0..workspace.batch as u32).collect();
    let (mut memory, stage) = (state.memory, &plan.train);
    let buffers = Buffers::of(state);
    let shared = Shared::new((plan, stage), buffers, workspace, (examples, examples.weights), Some(streams));
    let part = Part { worker: 0, workers: 1 };
    let tick = plan.optimizer.tick(0);
    let scalars = scalars(&plan.optimizer, tick, &mut memory);
    let weighing = shared.weighing(&order);
    let batch =
        Batch { shared: &shared, part, order: &order, next: &order, tick, scalars, weighing, step: 0 };
    let schedule = schedule(&stage.steps, shared.split(part, order.len()));
    schedule.iter().filter_map(|slot| slot.step).for_each(|step| batch.run(step));
    for (i, step) in stage.steps.iter().enumerate() {
        each(i, &mut || batch.run(step));
    }
}
