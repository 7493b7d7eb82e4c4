//! The run loop: every thread walks the same steps and does its part of each.
//!
//! Steps that treat samples one by one are shared by samples; products and updates by columns of
//! the kernel (or by rows, where there are too few columns); barriers stand where [`super::schedule`]
//! says. Every number is made by one thread with one chain of operations, so the number of threads
//! cannot change a bit.

mod augment;
mod channel;
mod noise;
mod normalize;
mod probe;
mod rowwise;

pub(crate) use probe::look;

use super::barrier::Barrier;
use super::fuse::Step;
use super::schedule::{Split, schedule};
use super::workspace::{State, Workspace};
use super::{Plan, Stage};
use crate::examples::Examples;
use crate::examples::lists::Lists;
use crate::kernels::dense::Dense;
use crate::kernels::elementwise::{Formula, Map};
use crate::kernels::gather::{GatherInputs, TargetsTo, gather_targets};
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::matrix::{Matrix, Panels, Part};
use crate::kernels::penalty::{ActivityGradient, RowNorms};
use crate::kernels::score::{
    Accuracy, LossSums, RowLoss, SampleWeights, Softmax, SoftmaxCrossentropy, SoftmaxGradient, TargetsView,
};
use crate::kernels::sparse::{ByInput, Input, InputBuffers, Sparse, TurnLists};
use crate::kernels::transpose::Transpose;
use crate::kernels::update::{BiasUpdate, KernelUpdate};
use crate::lane::PAD;
use crate::losses::Target;
use crate::losses::reduction::Weighing;
use crate::ops::{ParamId, ValueId};
use crate::optimizers::variable::VariableRule;
use crate::optimizers::{MAX_SLOTS, Memory, RuleVisitor, Scalars, Tick, UpdateRule};
use crate::random::Streams;
use crate::regularizers::Regularizer;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) mod conv;
mod optimize;

use conv::ScratchMemory;

/// The buffers as the threads share them.
struct Shared<'a> {
    plan: &'a Plan,
    stage: &'a Stage,
    examples: &'a Examples<'a>,
    /// The weight of every example, where they differ.
    weights_of: Option<&'a [f32]>,
    streams: Option<&'a Streams>,
    layout: &'a super::layout::ValueLayout,
    values: *mut f32,
    weights: *mut f32,
    slots: [*mut f32; MAX_SLOTS],
    accumulated: *mut f32,
    averages: *mut f32,
    gradient: *mut f32,
    losses: Matrix,
    correct: Matrix,
    norms: Vec<Matrix>,
    activities: Vec<(ValueId, Matrix)>,
    gradient_norms: Vec<Matrix>,
    /// Every thread's room for a whole variable, and how long it is.
    rooms: Vec<(*mut f32, usize)>,
    labels: *mut u32,
    targets: Matrix,
    /// The examples' lists, and by input those of every thread's batch, where the input stands as lists.
    sparse: Option<(&'a Lists, Vec<ByInput>)>,
    /// Memory of every thread for itself.
    scratch: Vec<ScratchMemory>,
}

// SAFETY: threads write disjoint ranges, and barriers order writing and reading: see the module.
unsafe impl Sync for Shared<'_> {}

/// Where what a run changes begins.
#[derive(Clone, Copy)]
struct Buffers {
    weights: *mut f32,
    slots: [*mut f32; MAX_SLOTS],
    accumulated: *mut f32,
    averages: *mut f32,
}

impl Buffers {
    fn of(state: &mut State) -> Self {
        Self {
            weights: state.weights.start(),
            slots: state.slots.each_mut().map(|slot| slot.start()),
            accumulated: state.accumulated.start(),
            averages: state.averages.start(),
        }
    }

    /// Weights that are only read, and nothing else.
    fn read_only(weights: *mut f32) -> Self {
        let none = std::ptr::null_mut();
        Self { weights, slots: [none; MAX_SLOTS], accumulated: none, averages: none }
    }
}

/// One batch as one thread sees it.
struct Batch<'a> {
    shared: &'a Shared<'a>,
    part: Part,
    /// Positions of the batch's samples in the examples.
    order: &'a [u32],
    /// Those of the next batch.
    next: &'a [u32],
    tick: Tick,
    scalars: Scalars<f32>,
    weighing: Weighing<f32>,
    step: u64,
}

/// What a batch gave: the means over its samples, before the weights moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BatchScore {
    /// Mean loss with penalties.
    pub loss: f32,
    /// How many samples were right.
    pub correct: usize,
    /// How many samples there were.
    pub samples: usize,
}

/// Means over the batches so far, weighted by their samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    loss: f64,
    correct: usize,
    samples: usize,
}

impl Score {
    pub(crate) fn add(&mut self, batch: BatchScore) {
        self.loss += f64::from(batch.loss) * batch.samples as f64;
        self.correct += batch.correct;
        self.samples += batch.samples;
    }

    /// Mean loss, penalties included.
    pub fn loss(&self) -> f64 {
        self.loss / self.samples.max(1) as f64
    }

    /// Share of samples that were right.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples.max(1) as f64
    }

    /// How many samples.
    pub fn samples(&self) -> usize {
        self.samples
    }
}

impl<'a> Shared<'a> {
    /// Pointers into the buffers. They must outlive the run, and be written by nobody else
    /// meanwhile; where no step updates, they are only read.
    fn new(
        (plan, stage): (&'a Plan, &'a Stage),
        Buffers { weights, slots, accumulated, averages }: Buffers,
        workspace: &'a mut Workspace,
        (examples, weights_of): (&'a Examples<'a>, Option<&'a [f32]>),
        streams: Option<&'a Streams>,
    ) -> Self {
        let values = workspace.values.start();
        let layout = &workspace.layout;
        let by_input = workspace.by_input.as_mut();
        let by_input = by_input.map(|threads| threads.iter_mut().map(InputBuffers::view).collect());
        let sparse = examples.lists().zip(by_input);
        // SAFETY: the buffers were made for this stage, and live as long as the view.
        unsafe {
            Self {
                plan,
                stage,
                examples,
                weights_of,
                streams,
                values,
                weights,
                slots,
                accumulated,
                averages,
                gradient: workspace.gradient.start(),
                activities: workspace
                    .activities
                    .iter_mut()
                    .map(|(x, n)| (*x, Matrix::new(n.start(), PAD)))
                    .collect(),
                gradient_norms: workspace
                    .gradient_norms
                    .iter_mut()
                    .map(|n| Matrix::new(n.start(), PAD))
                    .collect(),
                rooms: workspace.rooms.iter_mut().map(|room| (room.start(), room.as_slice().len())).collect(),
                losses: Matrix::new(workspace.losses.start(), 0),
                correct: Matrix::new(workspace.correct.start(), 0),
                norms: workspace.norms.iter_mut().map(|n| Matrix::new(n.start(), PAD)).collect(),
                labels: workspace.labels.as_mut_ptr(),
                targets: Matrix::new(workspace.targets.start(), stage.outputs().next_multiple_of(PAD)),
                sparse,
                scratch: workspace.scratch.iter_mut().map(|own| ScratchMemory(own.start())).collect(),
                layout,
            }
        }
    }

    fn width(&self, id: ValueId) -> usize {
        self.stage.program.values[id.0].width
    }

    fn value(&self, id: ValueId) -> Matrix {
        let place = self.layout.value(id);
        // SAFETY: the layout's places are inside the buffer.
        unsafe { Matrix::new(self.values.add(place.offset), place.stride) }
    }

    fn twin(&self, id: ValueId) -> Matrix {
        let place = self.layout.twin(id);
        // SAFETY: as above.
        unsafe { Matrix::new(self.values.add(place.offset), place.stride) }
    }

    fn weight(&self, id: ParamId) -> Panels {
        let place = self.plan.layout.place(id);
        // SAFETY: the layout's places are inside the buffer.
        unsafe { Panels::new(self.weights.add(place.offset), place.rows, place.width) }
    }

    /// Where a slot's buffer has the variable. A rule without this slot has an empty buffer, which it
    /// never touches.
    fn slot(&self, slot: usize, id: ParamId) -> *mut f32 {
        self.in_buffer(self.slots[slot], id)
    }

    /// Where a buffer that is laid out like the weights has the variable.
    fn in_buffer(&self, buffer: *mut f32, id: ParamId) -> *mut f32 {
        buffer.wrapping_add(self.plan.layout.place(id).offset)
    }

    /// How a batch is split, as the thread of this part sees it.
    fn split(&self, part: Part, batch: usize) -> Split<'_> {
        Split {
            program: &self.stage.program,
            params: &self.plan.layout,
            movements: &self.plan.movements,
            whole_rule: self.plan.optimizer.rule.is_for_variables(),
            part,
            batch,
            lists: self.sparse.is_some(),
        }
    }

    fn rows_wanted(&self) -> bool {
        self.plan.loss.needs_rows() || matches!(self.examples.targets, crate::examples::Targets::Rows { .. })
    }

    /// What the model gave for a batch.
    fn outputs<'b>(&'b self, order: &'b [u32]) -> BatchOutputs<'b> {
        let output = self.stage.program.output;
        let (outputs, width) = (self.value(output), self.width(output));
        BatchOutputs { outputs, width, examples: self.examples, order }
    }

    /// How much the samples of a batch weigh.
    fn weighing(&self, order: &[u32]) -> Weighing<f32> {
        let loss = &self.plan.loss;
        let ignored = |sample: &&u32| {
            loss.ignore_class().is_some_and(|class| self.examples.is_of_class(**sample as usize, class))
        };
        let counted = match loss.ignore_class() {
            None => order.len(),
            Some(_) => order.iter().filter(|sample| !ignored(sample)).count(),
        };
        let weights = self.weights_of.map(|weights| {
            order.iter().filter(|sample| !ignored(sample)).map(|&sample| weights[sample as usize])
        });
        Weighing::new(loss, order.len(), counted, weights)
    }

    /// Loss and accuracy of the batch, from what the steps left for every sample.
    fn score(&self, samples: usize, weighing: &Weighing<f32>) -> BatchScore {
        // SAFETY: called by one thread after a barrier.
        unsafe {
            let losses = self.losses.row(0, samples);
            let mut loss = weighing.total(losses.iter().fold(0.0, |sum, x| sum + x));
            for step in &self.stage.steps {
                match *step {
                    Step::Penalty { param, regularizer } => loss += self.penalty(param, regularizer),
                    Step::ActivityPenalty { x, regularizer } => {
                        loss += self.activity(x, regularizer, samples);
                    }
                    _ => {}
                }
            }
            let correct = self.correct.row(0, samples).iter().filter(|&&right| right > 0.0).count();
            BatchScore { loss, correct, samples }
        }
    }

    /// # Safety
    /// The row norms must have been written, and nobody may write them meanwhile.
    unsafe fn penalty(&self, param: ParamId, regularizer: Regularizer) -> f32 {
        let (norms, rows) = (self.norms[param.0], self.stage.program.params[param.0].rows());
        if regularizer.is_for_variables() {
            // SAFETY: as the caller promises.
            return unsafe { *norms.at(0, 0) };
        }
        // SAFETY: as the caller promises.
        unsafe { penalty_of_rows(regularizer, norms, rows) }
    }

    /// # Safety
    /// The sums of all samples must have been written, and nobody may write them meanwhile.
    unsafe fn activity(&self, x: ValueId, regularizer: Regularizer, samples: usize) -> f32 {
        // SAFETY: as the caller promises.
        self.activity_sums(x)
            .map_or(0.0, |sums| unsafe { penalty_of_rows(regularizer, sums, samples) } / samples as f32)
    }

    fn activity_sums(&self, x: ValueId) -> Option<Matrix> {
        self.activities.iter().find(|(watched, _)| *watched == x).map(|(_, sums)| *sums)
    }
}

/// # Safety
/// The rows must have been written, and nobody may write them meanwhile.
unsafe fn penalty_of_rows(regularizer: Regularizer, norms: Matrix, rows: usize) -> f32 {
    // SAFETY: as the caller promises.
    let norms = |row| unsafe { (*norms.at(row, 0), *norms.at(row, 1)) };
    let (magnitude, square) = (0..rows).map(norms).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    regularizer.penalty(magnitude, square)
}

impl Batch<'_> {
    fn split(&self) -> Split<'_> {
        self.shared.split(self.part, self.order.len())
    }

    fn samples(&self) -> Range<usize> {
        self.split().samples()
    }

    /// A value as products read it.
    fn input(&self, id: ValueId) -> Input<'_> {
        match &self.shared.sparse {
            Some((lists, by_input)) if id == ValueId(0) => {
                let by_input = by_input[self.part.worker];
                Input::Lists(Sparse { lists, order: self.order, next: self.next, by_input })
            }
            _ => Input::Whole(self.shared.value(id)),
        }
    }

    /// The targets that outputs are compared with.
    fn targets(&self) -> TargetsView {
        let mixed = self.shared.stage.program.targets;
        mixed.map_or_else(|| self.given_targets(), |id| TargetsView::Rows(self.shared.value(id)))
    }

    /// The targets of the batch's samples.
    fn given_targets(&self) -> TargetsView {
        if self.shared.rows_wanted() {
            TargetsView::Rows(self.shared.targets)
        } else {
            TargetsView::Classes(self.shared.labels)
        }
    }

    fn weights(&self) -> SampleWeights<'_> {
        let of_examples = self.shared.weights_of;
        SampleWeights { weighing: self.weighing, order: self.order, of_examples }
    }

    fn gather(&self, out: ValueId) {
        let s = self.shared;
        let to = if s.rows_wanted() { TargetsTo::Rows(s.targets) } else { TargetsTo::Classes(s.labels) };
        let (simd, order, next) = (s.plan.simd, self.order, self.next);
        match self.input(out) {
            Input::Lists(sparse) if s.stage.turns_input() => TurnLists { sparse }.run(),
            Input::Lists(_) => {}
            Input::Whole(to) => {
                simd.run(GatherInputs { examples: s.examples, order, next, to, rows: self.samples() });
            }
        }
        // SAFETY: the workspace has these rows, the labels were checked against the outputs.
        unsafe { gather_targets(s.examples, self.order, to, s.stage.outputs(), self.samples()) }
    }

    fn map(&self, formula: Formula, a: ValueId, out: ValueId) {
        let s = self.shared;
        let cols = 0..s.width(out).next_multiple_of(PAD);
        s.plan.simd.run(Map { formula, a: s.value(a), out: s.value(out), rows: self.samples(), cols });
    }

    /// Does this thread's part of a step.
    fn run(&self, step: &Step) {
        let s = self.shared;
        let (simd, batch) = (s.plan.simd, self.order.len());
        match *step {
            Step::Gather { out } => self.gather(out),
            Step::Transpose { x } => simd.run(Transpose {
                x: s.value(x),
                twin: s.twin(x),
                rows: self.samples(),
                width: s.width(x),
            }),
            Step::Dense { .. } => self.dense(step),
            Step::Activate { f, x, out } => self.map(Formula::Activate(f), x, out),
            Step::Affine { scale, offset, x, out } => self.map(Formula::Affine(scale, offset), x, out),
            Step::Multiply { x, factor, out } => self.map(Formula::Multiply(s.value(factor)), x, out),
            Step::ActivateGradient { f, v, dy, dx } => {
                self.map(Formula::ActivateGradient(f, s.value(dy)), v, dx);
            }
            Step::Penalty { param, regularizer } if regularizer.is_for_variables() => {
                self.whole_penalty(param, regularizer);
            }
            Step::Penalty { param, .. } => {
                let variable = &s.stage.program.params[param.0];
                simd.run(RowNorms {
                    weights: s.weight(param),
                    width: variable.cols(),
                    sums: s.norms[param.0],
                    rows: self.split().norms(param),
                });
            }
            Step::ActivityPenalty { x, .. } => self.activity_norms(x),
            Step::ActivityGradient { regularizer, x, dy, dx } => simd.run(ActivityGradient {
                regularizer,
                samples: batch,
                x: s.value(x),
                dy: s.value(dy),
                dx: s.value(dx),
                width: s.width(x),
                rows: self.samples(),
            }),
            Step::Regularize { param, regularizer } => self.regularize(param, regularizer),
            Step::Optimize(ref op) => self.optimize(op),
            Step::InputGradient { .. } => self.input_gradient(step),
            Step::KernelUpdate { x, dy, kernel, regularizer } => {
                let (rows, cols) = self.split().kernel(kernel);
                simd.run(KernelUpdate {
                    x: self.input(x),
                    dy: s.value(dy),
                    batch,
                    moving: self.moving(kernel, regularizer),
                    rows,
                    cols,
                });
            }
            Step::BiasUpdate { dy, bias, regularizer } => simd.run(BiasUpdate {
                dy: s.value(dy),
                batch,
                moving: self.moving(bias, regularizer),
                cols: self.split().bias(bias),
            }),
            Step::Channel(ref op) => self.channel(op),
            Step::Normalize(ref op) => self.normalize(op),
            Step::Rowwise(op) => self.rowwise(op),
            Step::Noise(ref op) => self.noise(op),
            Step::Augment(ref op) => self.augment(op),
            Step::ChannelUpdate { .. } => self.channel_update(step),
            Step::Conv(ref step) => self.convolution(step),
            Step::Pool(op) => self.pool(op),
            Step::Softmax { .. }
            | Step::SoftmaxGradient { .. }
            | Step::SoftmaxCrossentropy { .. }
            | Step::LossSums { .. }
            | Step::Loss { .. }
            | Step::Accuracy { .. } => self.score_step(step),
        }
    }

    fn activity_norms(&self, x: ValueId) {
        let s = self.shared;
        let (value, Some(sums)) = (s.value(x), s.activity_sums(x)) else { return };
        s.plan.simd.run(RowNorms {
            // SAFETY: a matrix is one panel as wide as its rows are far apart.
            weights: unsafe { Panels::new(value.at(0, 0), self.order.len(), value.stride) },
            width: s.width(x),
            sums,
            rows: self.samples(),
        });
    }

    fn dense(&self, step: &Step) {
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
        });
    }

    fn input_gradient(&self, step: &Step) {
        let Step::InputGradient { dy, kernel, factor, activation, out } = *step else { return };
        let s = self.shared;
        s.plan.simd.run(InputGradient {
            dy_twin: s.twin(dy),
            outputs: s.width(dy),
            kernel: s.weight(kernel),
            factor: factor.map(|id| s.value(id)),
            activation: activation.map(|(f, v)| (f, s.value(v))),
            twin: s.twin(out),
            out: s.value(out),
            batch: self.order.len(),
            inputs: self.split().inputs(out),
        });
    }

    fn score_step(&self, step: &Step) {
        let s = self.shared;
        let (simd, rows) = (s.plan.simd, self.samples());
        match *step {
            Step::Softmax { x, out } => {
                simd.run(Softmax { x: s.value(x), out: s.value(out), width: s.width(x), rows });
            }
            Step::SoftmaxGradient { y, dy, dx } => simd.run(SoftmaxGradient {
                y: s.value(y),
                dy: s.value(dy),
                dx: s.value(dx),
                width: s.width(y),
                rows,
            }),
            Step::SoftmaxCrossentropy { loss, logits, probabilities, dlogits } => {
                simd.run(SoftmaxCrossentropy {
                    loss,
                    logits: s.value(logits),
                    probabilities: s.value(probabilities),
                    dlogits: dlogits.map(|id| s.value(id)),
                    targets: self.targets(),
                    weights: self.weights(),
                    losses: s.losses,
                    width: s.width(logits),
                    rows,
                });
            }
            Step::LossSums { prediction, sums } => simd.run(LossSums {
                prediction: s.value(prediction),
                targets: self.targets(),
                sums: s.value(sums),
                width: s.width(prediction),
                rows,
            }),
            Step::Loss { loss, prediction, sums, dprediction } => simd.run(RowLoss {
                loss,
                prediction: s.value(prediction),
                sums: sums.map(|id| s.value(id)),
                dprediction: dprediction.map(|id| s.value(id)),
                targets: self.targets(),
                binary: loss.asks_if_binary() && s.examples.are_binary(self.order),
                weights: self.weights(),
                losses: s.losses,
                width: s.width(prediction),
                rows,
            }),
            Step::Accuracy { prediction } => simd.run(Accuracy {
                prediction: s.value(prediction),
                targets: self.targets(),
                correct: s.correct,
                width: s.width(prediction),
                rows,
            }),
            _ => {}
        }
    }
}

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
            let mut scalars = Scalars::default();
            if tick.moves {
                let learning_rate = tick.learning_rate as f32;
                let step = NextScalars { learning_rate, step: tick.update, memory: &mut remembered };
                scalars = optimizer.rule.visit(step);
            }
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

/// What the model gave for a batch that was trained on, before the weights moved.
pub(crate) struct BatchOutputs<'a> {
    outputs: Matrix,
    width: usize,
    examples: &'a Examples<'a>,
    order: &'a [u32],
}

impl BatchOutputs<'_> {
    /// Every sample's target and outputs.
    pub(crate) fn for_each(&self, mut f: impl FnMut(Target<'_, f32>, &[f32])) {
        for (row, &sample) in self.order.iter().enumerate() {
            // SAFETY: made for thread 0 where the batch's outputs stand still.
            let outputs = unsafe { self.outputs.row(row, self.width) };
            f(self.examples.target(sample as usize, self.width), outputs);
        }
    }
}

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
