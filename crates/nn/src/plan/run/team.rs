//! The threads of an epoch: every one walks the schedule, the first one scores.

use super::Batch;
use super::buffers::{Buffers, Shared};
use super::score::{BatchOutputs, BatchScore, Score};
use crate::examples::Examples;
use crate::kernels::matrix::Part;
use crate::optimizers::variable::VariableRule;
use crate::optimizers::{Memory, Optimizer, RuleVisitor, Scalars, Tick, UpdateRule};
use crate::plan::Plan;
use crate::plan::barrier::Barrier;
use crate::plan::schedule::schedule;
use crate::plan::workspace::{State, Workspace};
use crate::random::Streams;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The scalars of the next step.
struct NextScalars<'a> {
    learning_rate: f32,
    step: u64,
    memory: &'a mut Memory<f32>,
}

impl RuleVisitor for NextScalars<'_> {
    type Output = Scalars<f32>;

    fn visit<R: UpdateRule>(self, rule: R) -> Scalars<f32> {
        rule.scalars(self.learning_rate, self.step, self.memory)
    }

    fn visit_variable<R: VariableRule>(self, _: &R) -> Scalars<f32> {
        Scalars::default()
    }
}

/// The numbers of a batch's update; all 0 where the weights rest.
pub(super) fn scalars(optimizer: &Optimizer, tick: Tick, memory: &mut Memory<f32>) -> Scalars<f32> {
    if !tick.moves {
        return Scalars::default();
    }
    let learning_rate = tick.learning_rate as f32;
    optimizer.rule.visit(NextScalars { learning_rate, step: tick.update, memory })
}

/// Hears of a batch: its score, the means so far, and what the model gave. May end the epoch.
pub(crate) type AfterBatch<'a> = dyn FnMut(BatchScore, &Score, BatchOutputs<'_>) -> ControlFlow<()> + 'a;

/// One pass over the samples in `order`, in batches.
pub(crate) struct Epoch<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) examples: &'a Examples<'a>,
    /// The weight of every example, where they differ.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) order: &'a [u32],
    pub(crate) streams: &'a Streams,
    pub(crate) threads: usize,
}

impl Epoch<'_> {
    /// Trains; `after_batch` hears of every batch and may end the epoch. An epoch also ends with
    /// the first batch whose loss is not finite.
    pub(crate) fn train(
        &self,
        state: &mut State,
        workspace: &mut Workspace,
        after_batch: &mut AfterBatch<'_>,
    ) -> Score {
        let threads = self.threads.max(1);
        let size = workspace.batch;
        let buffers = Buffers::of(state);
        let stages = (self.plan, &self.plan.train);
        let shared =
            Shared::new(stages, buffers, workspace, (self.examples, self.weights), Some(self.streams));
        let (barrier, last) = (Barrier::new(threads), AtomicUsize::new(usize::MAX));
        let start = (state.memory, state.steps);
        let team = Team { shared: &shared, barrier: &barrier, last: &last, order: self.order, size };
        let (score, memory, steps) = std::thread::scope(|scope| {
            for worker in 1..threads {
                let team = &team;
                scope.spawn(move || {
                    let mut ignore =
                        |_: BatchScore, _: &Score, _: BatchOutputs<'_>| ControlFlow::Continue(());
                    team.work(Part { worker, workers: threads }, start, &mut ignore)
                });
            }
            team.work(Part { worker: 0, workers: threads }, start, after_batch)
        });
        (state.memory, state.steps) = (memory, steps);
        score
    }
}

/// What the threads of an epoch share.
struct Team<'a> {
    shared: &'a Shared<'a>,
    barrier: &'a Barrier,
    /// The number of the batch after which the epoch ends.
    last: &'a AtomicUsize,
    order: &'a [u32],
    size: usize,
}

impl Team<'_> {
    /// One thread's epoch. Worker 0 scores the batches and decides whether to go on.
    fn work(
        &self,
        part: Part,
        (mut memory, mut steps): (Memory<f32>, u64),
        after_batch: &mut AfterBatch<'_>,
    ) -> (Score, Memory<f32>, u64) {
        let _guard = self.barrier.guard();
        let schedule = schedule(&self.shared.stage.steps, self.shared.split(part, self.size));
        let optimizer = &self.shared.plan.optimizer;
        let mut score = Score::default();
        for (number, order) in self.order.chunks(self.size).enumerate() {
            // A shorter batch is split elsewhere than those before it.
            if order.len() < self.size && number > 0 {
                self.barrier.wait();
            }
            let next = self.order.chunks(self.size).nth(number + 1).unwrap_or_default();
            let (tick, mut remembered) = (optimizer.tick(steps), memory);
            let scalars = scalars(optimizer, tick, &mut remembered);
            let weighing = self.shared.weighing(order);
            let batch =
                Batch { shared: self.shared, part, order, next, tick, scalars, weighing, step: steps };
            for slot in &schedule {
                if slot.barrier {
                    self.barrier.wait();
                    // Thread 0 judges a batch while the others go on: they hear of it in the next one.
                    if self.last.load(Ordering::Relaxed) < number {
                        return (score, memory, steps);
                    }
                }
                if slot.score && part.worker == 0 {
                    let result = self.shared.score(order.len(), &weighing);
                    score.add(result);
                    if after_batch(result, &score, self.shared.outputs(order)).is_break()
                        || !result.loss.is_finite()
                    {
                        self.last.store(number, Ordering::Relaxed);
                    }
                }
                slot.step.into_iter().for_each(|step| batch.run(step));
            }
            (memory, steps) = (remembered, steps + 1);
            if part.workers == 1 && self.last.load(Ordering::Relaxed) == number {
                break;
            }
        }
        (score, memory, steps)
    }
}
