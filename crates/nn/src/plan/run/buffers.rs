//! The buffers as the threads share them.

use super::scratch::ScratchMemory;
use crate::examples::Examples;
use crate::examples::lists::Lists;
use crate::kernels::matrix::{Matrix, Panels, Part};
use crate::kernels::sparse::{ByInput, InputBuffers};
use crate::lane::PAD;
use crate::ops::{ParamId, ValueId};
use crate::optimizers::MAX_SLOTS;
use crate::plan::layout::ValueLayout;
use crate::plan::schedule::Split;
use crate::plan::workspace::{State, Workspace};
use crate::plan::{Plan, Stage};
use crate::random::Streams;

/// The buffers as the threads share them.
pub(super) struct Shared<'a> {
    pub(super) plan: &'a Plan,
    pub(super) stage: &'a Stage,
    pub(super) examples: &'a Examples<'a>,
    /// The weight of every example, where they differ.
    pub(super) weights_of: Option<&'a [f32]>,
    pub(super) streams: Option<&'a Streams>,
    pub(super) layout: &'a ValueLayout,
    pub(super) values: *mut f32,
    pub(super) weights: *mut f32,
    pub(super) slots: [*mut f32; MAX_SLOTS],
    pub(super) accumulated: *mut f32,
    pub(super) averages: *mut f32,
    pub(super) gradient: *mut f32,
    pub(super) losses: Matrix,
    pub(super) correct: Matrix,
    pub(super) norms: Vec<Matrix>,
    pub(super) activities: Vec<(ValueId, Matrix)>,
    pub(super) gradient_norms: Vec<Matrix>,
    /// Every thread's room for a whole variable, and how long it is.
    pub(super) rooms: Vec<(*mut f32, usize)>,
    pub(super) labels: *mut u32,
    pub(super) targets: Matrix,
    /// The examples' lists, and by input those of every thread's batch, where the input stands as lists.
    pub(super) sparse: Option<(&'a Lists, Vec<ByInput>)>,
    /// Memory of every thread for itself.
    pub(super) scratch: Vec<ScratchMemory>,
}

// SAFETY: threads write disjoint ranges, and barriers order writing and reading: see the module.
unsafe impl Sync for Shared<'_> {}

/// Where what a run changes begins.
#[derive(Clone, Copy)]
pub(super) struct Buffers {
    weights: *mut f32,
    slots: [*mut f32; MAX_SLOTS],
    accumulated: *mut f32,
    averages: *mut f32,
}

impl Buffers {
    pub(super) fn of(state: &mut State) -> Self {
        Self {
            weights: state.weights.start(),
            slots: state.slots.each_mut().map(|slot| slot.start()),
            accumulated: state.accumulated.start(),
            averages: state.averages.start(),
        }
    }

    /// Weights that are only read, and nothing else.
    pub(super) fn read_only(weights: *mut f32) -> Self {
        let none = std::ptr::null_mut();
        Self { weights, slots: [none; MAX_SLOTS], accumulated: none, averages: none }
    }
}

impl<'a> Shared<'a> {
    /// Pointers into the buffers. They must outlive the run, and be written by nobody else
    /// meanwhile; where no step updates, they are only read.
    pub(super) fn new(
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

    pub(super) fn width(&self, id: ValueId) -> usize {
        self.stage.program.values[id.0].width
    }

    pub(super) fn value(&self, id: ValueId) -> Matrix {
        let place = self.layout.value(id);
        // SAFETY: the layout's places are inside the buffer.
        unsafe { Matrix::new(self.values.add(place.offset), place.stride) }
    }

    pub(super) fn twin(&self, id: ValueId) -> Matrix {
        let place = self.layout.twin(id);
        // SAFETY: as above.
        unsafe { Matrix::new(self.values.add(place.offset), place.stride) }
    }

    pub(super) fn weight(&self, id: ParamId) -> Panels {
        let place = self.plan.layout.place(id);
        // SAFETY: the layout's places are inside the buffer.
        unsafe { Panels::new(self.weights.add(place.offset), place.rows, place.width) }
    }

    /// Where a slot's buffer has the variable. A rule without this slot has an empty buffer, which it
    /// never touches.
    pub(super) fn slot(&self, slot: usize, id: ParamId) -> *mut f32 {
        self.in_buffer(self.slots[slot], id)
    }

    /// Where a buffer that is laid out like the weights has the variable.
    pub(super) fn in_buffer(&self, buffer: *mut f32, id: ParamId) -> *mut f32 {
        buffer.wrapping_add(self.plan.layout.place(id).offset)
    }

    /// How a batch is split, as the thread of this part sees it.
    pub(super) fn split(&self, part: Part, batch: usize) -> Split<'_> {
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

    pub(super) fn rows_wanted(&self) -> bool {
        self.plan.loss.needs_rows() || matches!(self.examples.targets, crate::examples::Targets::Rows { .. })
    }

    pub(super) fn activity_sums(&self, x: ValueId) -> Option<Matrix> {
        self.activities.iter().find(|(watched, _)| *watched == x).map(|(_, sums)| *sums)
    }
}
