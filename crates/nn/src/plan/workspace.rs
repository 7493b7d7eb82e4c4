//! The buffers of a run: what a model learned, and what a batch needs.

use super::buffer::Buffer;
use super::fuse::{Step, input_may_be_sparse};
use super::layout::ValueLayout;
use super::run::scratch::scratch;
use super::{Plan, Stage};
use crate::callbacks::Snapshot;
use crate::error::ModelError;
use crate::examples::Examples;
use crate::initializers::Initializer;
use crate::kernels::optimize::Whole;
use crate::kernels::sparse::InputBuffers;
use crate::lane::PAD;
use crate::ops::{OptimizeOp, Param, ParamId, ValueId};
use crate::optimizers::variable::{VARIABLE_SLOTS, VariableRule};
use crate::optimizers::{MAX_SLOTS, Memory, RuleVisitor, UpdateRule};
use crate::random::Streams;
use std::ops::Range;

/// What training changes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) weights: Buffer,
    /// What the optimizer keeps of every weight; empty where it keeps less.
    pub(crate) slots: [Buffer; MAX_SLOTS],
    pub(crate) memory: Memory<f32>,
    /// Gradients of the batches since the last update, summed up; empty without accumulation.
    pub(crate) accumulated: Buffer,
    /// The moving average of the weights; empty where none is kept.
    pub(crate) averages: Buffer,
    /// Whether weights and averages have changed places.
    pub(crate) swapped: bool,
    /// How many steps were done.
    pub(crate) steps: u64,
}

/// What an optimizer starts with.
struct Start;

impl RuleVisitor for Start {
    /// How many slots, what each starts with, and what the memory does.
    type Output = (usize, [f32; MAX_SLOTS], f32);

    fn visit<R: UpdateRule>(self, rule: R) -> Self::Output {
        let starts = std::array::from_fn(|slot| rule.slot_start(slot) as f32);
        (rule.slots(), starts, rule.memory_start() as f32)
    }

    fn visit_variable<R: VariableRule>(self, _: &R) -> Self::Output {
        (VARIABLE_SLOTS, [0.0; MAX_SLOTS], 0.0)
    }
}

/// Where the variables that are trained lie in a buffer of all.
fn trained(plan: &Plan) -> impl Iterator<Item = Range<usize>> {
    let trained = plan.params().iter().enumerate().filter(|(_, param)| param.spec.trainable);
    trained.map(|(index, _)| {
        let offset = plan.layout.place(ParamId(index)).offset;
        offset..offset + plan.layout.len_of(ParamId(index))
    })
}

impl State {
    /// Initial weights from the seed's streams.
    pub(crate) fn new(plan: &Plan, streams: &Streams) -> Self {
        let optimizer = &plan.optimizer;
        let (slots, slot_starts, memory_start) = optimizer.rule.visit(Start);
        let if_kept = |kept: bool| Buffer::new(if kept { plan.layout.len } else { 0 });
        let slot = |i: usize| {
            let mut buffer = if_kept(i < slots);
            buffer.as_mut_slice().fill(slot_starts[i]);
            buffer
        };
        let mut state = Self {
            weights: Buffer::new(plan.layout.len),
            slots: std::array::from_fn(slot),
            memory: [memory_start],
            accumulated: if_kept(optimizer.gradient_accumulation_steps.is_some()),
            averages: if_kept(optimizer.use_ema),
            swapped: false,
            steps: 0,
        };
        for (index, param) in plan.params().iter().enumerate() {
            state.set_weight(plan, ParamId(index), &initial(param, streams));
        }
        state
    }

    /// Puts the averages in the place of the trained weights, where any are kept.
    pub(crate) fn finalize(&mut self, plan: &Plan) {
        if self.steps == 0 || !plan.optimizer.use_ema {
            return;
        }
        if self.swapped {
            self.swap_averages(plan);
        }
        for range in trained(plan) {
            self.weights.as_mut_slice()[range.clone()].copy_from_slice(&self.averages.as_slice()[range]);
        }
    }

    /// Exchanges the trained weights and their averages, where any are kept.
    pub(crate) fn swap_averages(&mut self, plan: &Plan) {
        if self.steps == 0 || !plan.optimizer.use_ema {
            return;
        }
        for range in trained(plan) {
            let averages = &mut self.averages.as_mut_slice()[range.clone()];
            self.weights.as_mut_slice()[range].swap_with_slice(averages);
        }
        self.swapped = !self.swapped;
    }

    /// Writes a variable, row-major.
    pub(crate) fn set_weight(&mut self, plan: &Plan, id: ParamId, values: &[f32]) {
        write(plan, id, Order::Panels, values, &mut self.weights);
    }

    /// Everything that training changed, in the order of the variables.
    pub(crate) fn snapshot(&self, plan: &Plan, epochs_done: u64) -> Snapshot {
        let of = |kept: Kept<&Buffer>| -> Vec<(String, Vec<f32>)> {
            let tensor = |(index, param): (usize, &Param)| {
                let values = read(plan, ParamId(index), kept.order, kept.buffer);
                (format!("{}{}", kept.prefix, param.name), values)
            };
            plan.params().iter().enumerate().map(tensor).collect()
        };
        let all = kept(plan, &self.weights, &self.slots, [&self.accumulated, &self.averages]);
        let used = all.into_iter().filter(|kept| !kept.buffer.as_slice().is_empty());
        Snapshot {
            epochs_done,
            steps: self.steps,
            memory: self.memory.to_vec(),
            learning_rate: plan.optimizer.learning_rate.clone(),
            tensors: used.flat_map(of).collect(),
        }
    }

    /// The state that a snapshot holds.
    ///
    /// # Errors
    /// Where it is of another model or optimizer.
    pub(crate) fn resumed(&self, plan: &Plan, snapshot: &Snapshot) -> Result<Self, ModelError> {
        let expected = self.snapshot(plan, 0);
        let shape = |snapshot: &Snapshot| -> Vec<(String, usize)> {
            snapshot.tensors.iter().map(|(name, values)| (name.clone(), values.len())).collect()
        };
        let (wanted, found) = (shape(&expected), shape(snapshot));
        if let Some(at) = (0..wanted.len().max(found.len())).find(|&at| wanted.get(at) != found.get(at)) {
            let say = |tensor: Option<&(String, usize)>| {
                tensor.map_or_else(|| "nothing".into(), |(name, count)| format!("{name} of {count} numbers"))
            };
            let (expected, received) = (say(wanted.get(at)), say(found.get(at)));
            return Err(ModelError::Weights { expected, received });
        }
        let mut state = Self { steps: snapshot.steps, swapped: false, ..self.clone() };
        for (to, &from) in state.memory.iter_mut().zip(&snapshot.memory) {
            *to = from;
        }
        let mut tensors = snapshot.tensors.iter();
        let all =
            kept(plan, &mut state.weights, &mut state.slots, [&mut state.accumulated, &mut state.averages]);
        for kept in all.into_iter().filter(|kept| !kept.buffer.as_slice().is_empty()) {
            for (index, (_, values)) in (0..plan.params().len()).zip(&mut tensors) {
                write(plan, ParamId(index), kept.order, values, kept.buffer);
            }
        }
        Ok(state)
    }

    /// Reads a variable, row-major.
    pub(crate) fn weight(&self, plan: &Plan, id: ParamId) -> Vec<f32> {
        read(plan, id, Order::Panels, &self.weights)
    }
}

/// How the numbers of a variable stand in a buffer.
#[derive(Clone, Copy)]
enum Order {
    /// Like the weights.
    Panels,
    /// Row by row without gaps, as rules for whole variables keep them.
    Rows,
}

/// A buffer that holds numbers of every variable.
struct Kept<B> {
    /// What stands before a variable's name.
    prefix: String,
    order: Order,
    buffer: B,
}

/// All such buffers, in the order of a snapshot.
fn kept<B>(
    plan: &Plan,
    weights: B,
    slots: impl IntoIterator<Item = B>,
    [accumulated, averages]: [B; 2],
) -> Vec<Kept<B>> {
    let of_rule = if plan.optimizer.rule.is_for_variables() { Order::Rows } else { Order::Panels };
    let like_weights = |prefix: &str, buffer| Kept { prefix: prefix.into(), order: Order::Panels, buffer };
    let slot = |(i, buffer)| Kept { prefix: format!("slot_{i}/"), order: of_rule, buffer };
    std::iter::once(like_weights("", weights))
        .chain(slots.into_iter().enumerate().map(slot))
        .chain([like_weights("accumulated/", accumulated), like_weights("average/", averages)])
        .collect()
}

/// Where a variable's numbers are in a buffer, row by row.
fn places(plan: &Plan, id: ParamId, order: Order) -> impl Iterator<Item = usize> {
    let (place, param) = (plan.layout.place(id), &plan.params()[id.0]);
    let cols = param.cols();
    (0..param.count()).map(move |i| match order {
        Order::Panels => place.at(i / cols, i % cols),
        Order::Rows => place.offset + i,
    })
}

fn read(plan: &Plan, id: ParamId, order: Order, buffer: &Buffer) -> Vec<f32> {
    places(plan, id, order).map(|at| buffer.as_slice()[at]).collect()
}

fn write(plan: &Plan, id: ParamId, order: Order, values: &[f32], buffer: &mut Buffer) {
    places(plan, id, order).zip(values).for_each(|(at, &value)| buffer.as_mut_slice()[at] = value);
}

/// How a variable starts: drawn from the stream of its name.
pub(crate) fn initial(param: &Param, streams: &Streams) -> Vec<f32> {
    let mut values = vec![0.0; param.count()];
    let initializer: Initializer = param.spec.initializer;
    initializer.fill(&mut initializer.stream(streams, &param.name), &param.spec.shape, &mut values);
    values
}

/// What a batch needs: allocated once, used for every batch.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) layout: ValueLayout,
    pub(crate) batch: usize,
    pub(crate) values: Buffer,
    pub(crate) losses: Buffer,
    pub(crate) correct: Buffer,
    /// Σ|w| and Σw² of every row of every penalised variable.
    pub(crate) norms: Vec<Buffer>,
    /// The same of every sample of every penalised value.
    pub(crate) activities: Vec<(ValueId, Buffer)>,
    /// Gradients of variables that move behind all gradients, laid out like the weights; empty where none does.
    pub(crate) gradient: Buffer,
    /// Σg² of every row of every variable whose gradient is clipped by a norm.
    pub(crate) gradient_norms: Vec<Buffer>,
    /// For every thread, where it puts a variable that a rule or penalty wants to see whole.
    pub(crate) rooms: Vec<Buffer>,
    pub(crate) labels: Vec<u32>,
    pub(crate) targets: Buffer,
    /// The input's non-zero numbers by input for every thread, where the input stands as lists.
    pub(crate) by_input: Option<Vec<InputBuffers>>,
    /// Memory of every thread for itself, as much as the greediest step takes.
    pub(crate) scratch: Vec<Buffer>,
}

impl Workspace {
    /// For batches of up to `batch` samples on `threads` threads.
    pub(crate) fn new(
        (plan, stage): (&Plan, &Stage),
        batch: usize,
        examples: &Examples<'_>,
        threads: usize,
    ) -> Self {
        // A model that gives what it is given has no place for its outputs in lists.
        let gives_input = stage.program.output == ValueId(0);
        let sparse = !gives_input && input_may_be_sparse(&stage.steps) && examples.lists().is_some();
        let layout = stage.layout(batch, sparse);
        let rows = |wants: &dyn Fn(&Step, ParamId) -> bool| -> Vec<Buffer> {
            let buffer = |(index, param): (usize, &Param)| {
                let wanted = stage.steps.iter().any(|step| wants(step, ParamId(index)));
                Buffer::new(if wanted { param.rows() * PAD } else { 0 })
            };
            stage.program.params.iter().enumerate().map(buffer).collect()
        };
        let is_penalty = |step: &Step, id| matches!(step, Step::Penalty { param, .. } if *param == id);
        let is_norm =
            |step: &Step, id| matches!(step, Step::Optimize(OptimizeOp::Norm { param }) if *param == id);
        let is_behind = |step: &Step| matches!(step, Step::Optimize(OptimizeOp::Update { .. }));
        let moves = stage.steps.iter().any(is_behind);
        let room = stage.steps.iter().map(|step| whole_room(plan, stage, step)).max().unwrap_or(0);
        let scratch = stage.steps.iter().map(|step| scratch(step, &stage.program, batch)).max().unwrap_or(0);
        Self {
            batch,
            scratch: (0..threads).map(|_| Buffer::new(scratch)).collect(),
            values: Buffer::new(layout.len),
            layout,
            losses: Buffer::new(batch),
            correct: Buffer::new(batch),
            norms: rows(&is_penalty),
            activities: activities(stage, batch),
            gradient: Buffer::new(if moves { plan.layout.len } else { 0 }),
            gradient_norms: rows(&is_norm),
            rooms: (0..threads).map(|_| Buffer::new(room)).collect(),
            labels: vec![0; batch],
            targets: Buffer::new(batch * stage.outputs().next_multiple_of(PAD)),
            by_input: sparse.then(|| {
                let inputs = stage.program.values[0].width;
                (0..threads).map(|_| InputBuffers::new(batch, inputs)).collect()
            }),
        }
    }

    /// The gradient of the last batch for a variable that moves behind all gradients, row-major.
    pub(crate) fn gradient(&self, plan: &Plan, id: ParamId) -> Vec<f32> {
        read(plan, id, Order::Panels, &self.gradient)
    }
}

/// Room for the sums of every value that a penalty watches.
fn activities(stage: &Stage, batch: usize) -> Vec<(ValueId, Buffer)> {
    let watched = |step: &Step| match *step {
        Step::ActivityPenalty { x, .. } => Some(x),
        _ => None,
    };
    let mut values: Vec<ValueId> = stage.steps.iter().filter_map(watched).collect();
    values.dedup();
    values.into_iter().map(|x| (x, Buffer::new(batch * PAD))).collect()
}

/// How much room a rule wants for a variable of so many rows and columns.
struct RuleRoom(usize, usize);

impl RuleVisitor for RuleRoom {
    type Output = Option<usize>;

    fn visit<R: UpdateRule>(self, _: R) -> Self::Output {
        None
    }

    fn visit_variable<R: VariableRule>(self, rule: &R) -> Self::Output {
        Some(rule.scratch(self.0, self.1))
    }
}

/// How much room a step wants that sees a variable whole.
fn whole_room(plan: &Plan, stage: &Stage, step: &Step) -> usize {
    let (param, wanted): (ParamId, &dyn Fn(usize, usize) -> Option<usize>) = match step {
        Step::Penalty { param, regularizer } | Step::Regularize { param, regularizer } => {
            (*param, &|rows, cols| regularizer.whole_scratch(rows, cols))
        }
        Step::Optimize(OptimizeOp::Update { param }) => {
            (*param, &|rows, cols| plan.optimizer.rule.visit(RuleRoom(rows, cols)))
        }
        _ => return 0,
    };
    let (rows, cols) = (stage.program.params[param.0].rows(), stage.program.params[param.0].cols());
    wanted(rows, cols).map_or(0, |room| Whole::scratch(rows, cols) + room)
}
