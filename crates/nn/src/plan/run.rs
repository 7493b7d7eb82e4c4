//! The run loop: every thread walks the same steps and does its part of each.
//!
//! Steps that treat samples one by one are shared by samples; products and updates by columns of
//! the kernel (or by rows, where there are too few columns); barriers stand where [`super::schedule`]
//! says. Every number is made by one thread with one chain of operations, so the number of threads
//! cannot change a bit.

mod augment;
mod buffers;
mod channel;
mod conv;
mod dense;
mod inference;
mod noise;
mod normalize;
mod optimize;
mod probe;
mod rowwise;
mod score;
pub(super) mod scratch;
mod steps;
mod team;

pub(crate) use inference::{INFERENCE_BATCH, infer};
pub(crate) use probe::look;
pub use score::Score;
pub(crate) use score::{BatchOutputs, BatchScore};
pub(crate) use steps::each_step;
pub(crate) use team::Epoch;

use super::fuse::Step;
use super::schedule::Split;
use crate::kernels::elementwise::{Formula, Map};
use crate::kernels::gather::{GatherInputs, TargetsTo, gather_targets};
use crate::kernels::matrix::{Panels, Part};
use crate::kernels::penalty::{ActivityGradient, RowNorms};
use crate::kernels::score::{SampleWeights, TargetsView};
use crate::kernels::sparse::{Input, Sparse, TurnLists};
use crate::kernels::transpose::Transpose;
use crate::kernels::update::{BiasUpdate, KernelUpdate};
use crate::lane::PAD;
use crate::losses::reduction::Weighing;
use crate::ops::ValueId;
use crate::optimizers::{Scalars, Tick};
use buffers::Shared;
use std::ops::Range;

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
            _ if id == ValueId(0) => Input::Whole(self.shared.value(id)),
            _ => Input::Hidden(self.shared.value(id)),
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
            Input::Whole(to) | Input::Hidden(to) => {
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
                    scratch: self.scratch_for(kernel),
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
}
