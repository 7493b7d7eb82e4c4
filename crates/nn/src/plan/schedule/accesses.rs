//! What a thread reads and what it writes in every step.

use super::split::Split;
use crate::ops::{Augment, Normalize, OptimizeOp, ParamId, ValueId};
use crate::plan::fuse::Step;
use std::ops::Range;

/// What several threads may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Value(ValueId),
    /// The transpose of a value: rows are its columns.
    Twin(ValueId),
    Param(ParamId),
    /// Row norms of a variable.
    Norms(ParamId),
    /// The gradient of a variable that moves behind all gradients.
    Gradient(ParamId),
    /// Row norms of it.
    GradientNorms(ParamId),
    /// Labels, or rows of targets, by sample.
    Targets,
    /// Losses, and whether samples were right, by sample.
    Scores,
}

/// Rows and columns of a place that a thread reads, or writes.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(super) place: Place,
    rows: Range<usize>,
    cols: Range<usize>,
    writes: bool,
}

pub(super) const ALL: Range<usize> = 0..usize::MAX;

impl Access {
    pub(crate) fn read(place: Place, rows: Range<usize>, cols: Range<usize>) -> Self {
        Self { place, rows, cols, writes: false }
    }

    pub(crate) fn write(place: Place, rows: Range<usize>, cols: Range<usize>) -> Self {
        Self { place, rows, cols, writes: true }
    }

    /// Whether two threads may not do these at the same time.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let overlap = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start) < a.end.min(b.end);
        self.place == other.place
            && (self.writes || other.writes)
            && overlap(&self.rows, &other.rows)
            && overlap(&self.cols, &other.cols)
    }
}

impl Split<'_> {
    /// What the thread touches in a step.
    pub(crate) fn accesses(&self, step: &Step) -> Vec<Access> {
        match *step {
            Step::Regularize { param, .. } => self.behind(step, param),
            Step::Optimize(ref op) => self.behind(step, op.param()),
            _ => self.with_kept_gradients(self.before(step)),
        }
    }

    /// The same, where a gradient that is kept is written with its variable's name.
    fn with_kept_gradients(&self, mut accesses: Vec<Access>) -> Vec<Access> {
        let kept = |access: &Access| match access.place {
            Place::Param(param) if access.writes && self.movements[param.0].apart => {
                Some(Access { place: Place::Gradient(param), ..access.clone() })
            }
            _ => None,
        };
        accesses.extend(accesses.iter().filter_map(kept).collect::<Vec<_>>());
        accesses
    }

    /// What the thread touches in a step behind all gradients.
    fn behind(&self, step: &Step, param: ParamId) -> Vec<Access> {
        let (weights, gradient) = (Place::Param(param), Place::Gradient(param));
        let mine = self.owns(param);
        let (rows, cols) = self.moved(param);
        match step {
            Step::Regularize { .. } if mine => {
                vec![Access::read(weights, ALL, ALL), Access::write(gradient, ALL, ALL)]
            }
            Step::Optimize(OptimizeOp::Update { .. }) if !self.whole_rule || mine => {
                let (rows, cols) = if self.whole_rule { (ALL, ALL) } else { (rows, cols) };
                let ids = (0..self.movements.len()).map(ParamId);
                let norms = ids.map(|id| Access::read(Place::GradientNorms(id), ALL, ALL));
                let moved = [weights, gradient].map(|place| Access::write(place, rows.clone(), cols.clone()));
                norms.chain(moved).collect()
            }
            Step::Optimize(OptimizeOp::Accumulate { .. }) => vec![Access::write(gradient, rows, cols)],
            Step::Optimize(OptimizeOp::Average { .. }) => vec![Access::write(weights, rows, cols)],
            Step::Optimize(OptimizeOp::Norm { .. }) => {
                let sums = Access::write(Place::GradientNorms(param), self.norms(param), ALL);
                vec![Access::read(gradient, self.norms(param), ALL), sums]
            }
            Step::Optimize(OptimizeOp::Constrain { .. }) => {
                let by_rows = self.movements[param.0].groups.as_ref().is_some_and(|groups| groups.along_rows);
                vec![Access::write(weights, ALL, if by_rows { ALL } else { self.constrained(param) })]
            }
            _ => vec![],
        }
    }

    /// What the thread touches in any other step.
    fn before(&self, step: &Step) -> Vec<Access> {
        match *step {
            Step::Dense { .. } => self.dense_accesses(step),
            Step::InputGradient { .. } => self.input_gradient_accesses(step),
            Step::KernelUpdate { x, dy, kernel, .. } => {
                let (rows, cols) = self.kernel(kernel);
                vec![
                    Access::read(Place::Value(x), ALL, rows.clone()),
                    Access::read(Place::Value(dy), ALL, cols.clone()),
                    Access::write(Place::Param(kernel), rows, cols),
                ]
            }
            Step::BiasUpdate { dy, bias, .. } => vec![
                Access::read(Place::Value(dy), ALL, self.bias(bias)),
                Access::write(Place::Param(bias), ALL, self.bias(bias)),
            ],
            Step::Penalty { param, regularizer } if regularizer.is_for_variables() => {
                let (weights, sums) = (Place::Param(param), Place::Norms(param));
                let whole = vec![Access::read(weights, ALL, ALL), Access::write(sums, ALL, ALL)];
                if self.owns(param) { whole } else { vec![] }
            }
            Step::Penalty { param, .. } => vec![
                Access::read(Place::Param(param), self.norms(param), ALL),
                Access::write(Place::Norms(param), self.norms(param), ALL),
            ],
            Step::ChannelUpdate { x, dy, w, .. } => vec![
                Access::read(Place::Value(x), ALL, ALL),
                Access::read(Place::Value(dy), ALL, ALL),
                Access::write(Place::Param(w), ALL, self.bias(w)),
            ],
            Step::Normalize(ref op) if op.is_over_batch() => self.over_batch(op),
            Step::Augment(ref op) if op.is_mix() => self.mix(op),
            Step::Conv(ref step) => self.convolution_accesses(step),
            _ => self.by_samples(step),
        }
    }

    /// Where the targets are that outputs are compared with.
    fn targets(&self) -> Place {
        self.program.targets.map_or(Place::Targets, Place::Value)
    }

    /// Own samples from those of others; what is drawn for all of them is drawn by the first thread.
    fn mix(&self, op: &Augment) -> Vec<Access> {
        let draws = matches!(op, Augment::MixDraws { .. });
        let rows = match self.part.worker {
            _ if !draws => self.samples(),
            0 => ALL,
            _ => 0..0,
        };
        let write = |id| Access::write(Place::Value(id), rows.clone(), ALL);
        let mut accesses: Vec<Access> = op.writes().into_iter().map(write).collect();
        accesses.extend(op.reads().into_iter().map(|id| Access::read(Place::Value(id), ALL, ALL)));
        if let Augment::MixTargets { from: None, .. } = op {
            accesses.push(Access::read(Place::Targets, ALL, ALL));
        }
        accesses
    }

    /// Own channels of sums over all samples.
    fn over_batch(&self, op: &Normalize) -> Vec<Access> {
        let read = |id| Access::read(Place::Value(id), ALL, ALL);
        let own = |id: ValueId| self.channels(self.program.values[id.0].width);
        let sums = op.writes().into_iter().map(|id| Access::write(Place::Value(id), ALL, own(id)));
        let params =
            op.params().into_iter().map(|param| Access::write(Place::Param(param), ALL, self.bias(param)));
        op.reads().into_iter().map(read).chain(sums).chain(params).collect()
    }

    fn dense_accesses(&self, step: &Step) -> Vec<Access> {
        let Step::Dense { x, kernel, bias, .. } = *step else { return vec![] };
        let (rows, cols) = self.dense(kernel);
        let value = |id: ValueId| Access {
            place: Place::Value(id),
            rows: rows.clone(),
            cols: cols.clone(),
            writes: step.writes().contains(&id),
        };
        let mut accesses: Vec<Access> = step.values().into_iter().filter(|&id| id != x).map(value).collect();
        if !(self.lists && x == ValueId(0)) {
            accesses.push(Access::read(Place::Value(x), rows.clone(), ALL));
        }
        accesses.push(Access::read(Place::Param(kernel), ALL, cols.clone()));
        accesses.extend(bias.map(|bias| Access::read(Place::Param(bias), ALL, cols)));
        accesses
    }

    fn input_gradient_accesses(&self, step: &Step) -> Vec<Access> {
        let Step::InputGradient { dy, kernel, out, .. } = *step else { return vec![] };
        let inputs = self.inputs(out);
        let value = |id: ValueId| Access {
            place: Place::Value(id),
            rows: ALL,
            cols: inputs.clone(),
            writes: id == out,
        };
        let mut accesses: Vec<Access> = step.values().into_iter().filter(|&id| id != dy).map(value).collect();
        accesses.push(Access::read(Place::Value(dy), ALL, ALL));
        accesses.push(Access::read(Place::Twin(dy), ALL, ALL));
        accesses.push(Access::read(Place::Param(kernel), inputs.clone(), ALL));
        accesses.push(Access::write(Place::Twin(out), inputs, ALL));
        accesses
    }

    /// Own samples of every value of the step, and of the targets and scores; variables and values of the whole
    /// batch are only read.
    pub(super) fn by_samples(&self, step: &Step) -> Vec<Access> {
        let samples = self.samples();
        let written = step.writes();
        let stands_as_list = |id: &ValueId| self.lists && *id == ValueId(0);
        let value = |id: ValueId| Access {
            place: Place::Value(id),
            rows: if self.program.values[id.0].per_batch { ALL } else { samples.clone() },
            cols: ALL,
            writes: written.contains(&id),
        };
        let mut accesses: Vec<Access> =
            step.values().into_iter().filter(|id| !stands_as_list(id)).map(value).collect();
        match *step {
            Step::Gather { .. } => accesses.push(Access::write(Place::Targets, samples, ALL)),
            Step::Transpose { x } => accesses.push(Access::write(Place::Twin(x), ALL, samples)),
            Step::Channel(ref op) => accesses.extend(op.param().map(read_param)),
            Step::Normalize(ref op) => accesses.extend(op.params().into_iter().map(read_param)),
            Step::LossSums { .. } => accesses.push(Access::read(self.targets(), samples, ALL)),
            _ if scores(step) => {
                // A loss of the whole batch adds up the sums of all samples.
                if let Step::Loss { sums: Some(sums), .. } = *step {
                    accesses.push(Access::read(Place::Value(sums), ALL, ALL));
                }
                accesses.push(Access::read(self.targets(), samples.clone(), ALL));
                accesses.push(Access::write(Place::Scores, samples, ALL));
            }
            _ => {}
        }
        accesses
    }
}

fn read_param(param: ParamId) -> Access {
    Access::read(Place::Param(param), ALL, ALL)
}

/// Whether the step gives a part of the batch's score.
pub(super) fn scores(step: &Step) -> bool {
    matches!(
        step,
        Step::Accuracy { .. }
            | Step::Penalty { .. }
            | Step::ActivityPenalty { .. }
            | Step::Loss { .. }
            | Step::SoftmaxCrossentropy { .. }
    )
}
