//! The buffers of a run: what a model learned, and what a batch needs.

use super::buffer::Buffer;
use super::fuse::{Step, input_may_be_sparse};
use super::layout::ValueLayout;
use super::run::conv;
use super::{Plan, Stage};
use crate::examples::Examples;
use crate::initializers::Initializer;
use crate::kernels::sparse::InputBuffers;
use crate::lane::PAD;
use crate::ops::{Param, ParamId};
use crate::optimizers::{MAX_SLOTS, Memory, RuleVisitor, UpdateRule};
use crate::random::{Purpose, Streams};

/// What training changes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) weights: Buffer,
    /// What the optimizer keeps of every weight; empty where it keeps less.
    pub(crate) slots: [Buffer; MAX_SLOTS],
    pub(crate) memory: Memory<f32>,
    /// How many steps were done.
    pub(crate) steps: u64,
}

/// What an optimizer starts with.
struct Start;

impl RuleVisitor for Start {
    type Output = (usize, f32, f32);

    fn visit<R: UpdateRule>(self, rule: R) -> Self::Output {
        (rule.slots(), rule.slot_start() as f32, rule.memory_start() as f32)
    }
}

impl State {
    /// Initial weights from the seed's streams.
    pub(crate) fn new(plan: &Plan, streams: &Streams) -> Self {
        let (slots, slot_start, memory_start) = plan.optimizer.rule.visit(Start);
        let slot = |i| {
            let mut buffer = Buffer::new(if i < slots { plan.layout.len } else { 0 });
            buffer.as_mut_slice().fill(slot_start);
            buffer
        };
        let mut state = Self {
            weights: Buffer::new(plan.layout.len),
            slots: std::array::from_fn(slot),
            memory: [memory_start],
            steps: 0,
        };
        for (index, param) in plan.params().iter().enumerate() {
            state.set_weight(plan, ParamId(index), &initial(param, streams));
        }
        state
    }

    /// Writes a variable, row-major.
    pub(crate) fn set_weight(&mut self, plan: &Plan, id: ParamId, values: &[f32]) {
        let (place, cols) = (plan.layout.place(id), plan.params()[id.0].cols());
        for (row, values) in values.chunks(cols).enumerate() {
            for (col, &value) in values.iter().enumerate() {
                self.weights.as_mut_slice()[place.at(row, col)] = value;
            }
        }
    }

    /// Reads a variable, row-major.
    pub(crate) fn weight(&self, plan: &Plan, id: ParamId) -> Vec<f32> {
        let (place, param) = (plan.layout.place(id), &plan.params()[id.0]);
        let places = (0..param.rows()).flat_map(|row| (0..param.cols()).map(move |col| place.at(row, col)));
        places.map(|at| self.weights.as_slice()[at]).collect()
    }
}

/// How a variable starts: drawn from the stream of its name.
pub(crate) fn initial(param: &Param, streams: &Streams) -> Vec<f32> {
    let mut values = vec![0.0; param.count()];
    let initializer: Initializer = param.spec.initializer;
    initializer.fill(&mut streams.open(Purpose::Init, &param.name, 0), &param.spec.shape, &mut values);
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
    pub(crate) labels: Vec<u32>,
    pub(crate) targets: Buffer,
    /// The input's non-zero numbers by input for every thread, where the input stands as lists.
    pub(crate) by_input: Option<Vec<InputBuffers>>,
    /// Memory of every thread for itself, as much as the greediest step takes.
    pub(crate) scratch: Vec<Buffer>,
}

impl Workspace {
    /// For batches of up to `batch` samples on `threads` threads.
    pub(crate) fn new(stage: &Stage, batch: usize, examples: &Examples<'_>, threads: usize) -> Self {
        let sparse = input_may_be_sparse(&stage.steps) && examples.lists().is_some();
        let layout = stage.layout(batch, sparse);
        let penalised = |index| {
            let is_penalty = |s: &Step| matches!(s, Step::Penalty { param, .. } if param.0 == index);
            stage.steps.iter().any(is_penalty)
        };
        let norms = stage
            .program
            .params
            .iter()
            .enumerate()
            .map(|(index, param)| Buffer::new(if penalised(index) { param.rows() * PAD } else { 0 }));
        let scratch = stage.steps.iter().map(|step| conv::scratch(step, &stage.program)).max().unwrap_or(0);
        Self {
            batch,
            scratch: (0..threads).map(|_| Buffer::new(scratch)).collect(),
            values: Buffer::new(layout.len),
            layout,
            losses: Buffer::new(batch),
            correct: Buffer::new(batch),
            norms: norms.collect(),
            labels: vec![0; batch],
            targets: Buffer::new(batch * stage.outputs().next_multiple_of(PAD)),
            by_input: sparse.then(|| {
                let inputs = stage.program.values[0].width;
                (0..threads).map(|_| InputBuffers::new(batch, inputs)).collect()
            }),
        }
    }
}
