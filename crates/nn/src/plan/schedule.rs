//! Which numbers each thread touches in a step, and so where the threads must wait for each other.
//!
//! Every step says for every thread what it reads and what it writes ([`Split::accesses`]). A barrier
//! stands before a step only where a thread would touch what another one has written, or write what
//! another one has touched, since the last barrier. The steps of a batch follow those of the batch
//! before, so the list is walked as a ring.
//!
//! ```text
//! thread 0   Dense 0…63     ║ samples 0…15:  loss  ║ InputGradient 0…63   KernelUpdate 0…63   → next batch
//! thread 1   Dense 64…127   ║ samples 16…31: loss  ║ InputGradient 64…127 KernelUpdate 64…127
//!                           ║ barrier              ║ barrier, then thread 0 reads the score
//! ```

use super::arrange::Movement;
use super::fuse::Step;
use super::layout::ParamLayout;
use crate::kernels::matrix::Part;
use crate::lane::PAD;
use crate::ops::{Augment, Normalize, OptimizeOp, ParamId, Program, ValueId};
use std::ops::Range;

mod conv;

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
    place: Place,
    rows: Range<usize>,
    cols: Range<usize>,
    writes: bool,
}

const ALL: Range<usize> = 0..usize::MAX;

impl Access {
    pub(crate) fn read(place: Place, rows: Range<usize>, cols: Range<usize>) -> Self {
        Self { place, rows, cols, writes: false }
    }

    pub(crate) fn write(place: Place, rows: Range<usize>, cols: Range<usize>) -> Self {
        Self { place, rows, cols, writes: true }
    }

    /// Whether two threads may not do these at the same time.
    fn meets(&self, other: &Self) -> bool {
        let overlap = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start) < a.end.min(b.end);
        self.place == other.place
            && (self.writes || other.writes)
            && overlap(&self.rows, &other.rows)
            && overlap(&self.cols, &other.cols)
    }
}

/// How a stage's work is split: one thread's part of every step.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    pub(crate) program: &'a Program,
    pub(crate) params: &'a ParamLayout,
    pub(crate) movements: &'a [Movement],
    /// Whether rules look at whole variables.
    pub(crate) whole_rule: bool,
    pub(crate) part: Part,
    /// Samples of the batch.
    pub(crate) batch: usize,
    /// Whether the input stands as lists, which every thread makes for itself.
    pub(crate) lists: bool,
}

impl Split<'_> {
    /// This thread's samples, for steps that treat samples one by one.
    pub(crate) fn samples(&self) -> Range<usize> {
        self.part.samples(self.batch)
    }

    /// This thread's columns of a product with a kernel, where every thread gets whole panels.
    fn columns(&self, kernel: ParamId) -> Option<Range<usize>> {
        self.part.columns(self.program.params[kernel.0].cols(), self.params.place(kernel).width)
    }

    /// Rows and columns of a product with a kernel: own columns of all `rows`, or all columns of `own`.
    fn share(&self, kernel: ParamId, rows: usize, own: Range<usize>) -> (Range<usize>, Range<usize>) {
        let all = self.program.params[kernel.0].cols().next_multiple_of(PAD);
        match self.columns(kernel) {
            Some(cols) => (0..rows, cols),
            None => (own, 0..all),
        }
    }

    /// Samples and outputs of a forward product.
    pub(crate) fn dense(&self, kernel: ParamId) -> (Range<usize>, Range<usize>) {
        self.share(kernel, self.batch, self.samples())
    }

    /// Rows and columns of a kernel that move.
    pub(crate) fn kernel(&self, kernel: ParamId) -> (Range<usize>, Range<usize>) {
        let rows = self.program.params[kernel.0].rows();
        self.share(kernel, rows, self.part.span(rows, 1))
    }

    /// Columns of a bias that move.
    pub(crate) fn bias(&self, bias: ParamId) -> Range<usize> {
        self.part.span(self.program.params[bias.0].cols().next_multiple_of(PAD), PAD)
    }

    /// Inputs of a layer whose gradient is made.
    pub(crate) fn inputs(&self, out: ValueId) -> Range<usize> {
        self.part.span(self.program.values[out.0].width, PAD)
    }

    /// Channels that are summed over the batch.
    pub(crate) fn channels(&self, channels: usize) -> Range<usize> {
        self.part.span(channels, PAD)
    }

    /// Rows of a variable whose norms are taken.
    pub(crate) fn norms(&self, param: ParamId) -> Range<usize> {
        self.part.span(self.program.params[param.0].rows(), 1)
    }

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

    /// Whether this thread is the one that treats the variable as a whole.
    pub(crate) fn owns(&self, param: ParamId) -> bool {
        param.0 % self.part.workers == self.part.worker
    }

    /// Rows and columns of a variable whose numbers are treated one by one: those that move with their gradient.
    pub(crate) fn moved(&self, param: ParamId) -> (Range<usize>, Range<usize>) {
        match self.program.params[param.0].rows() {
            1 => (0..1, self.bias(param)),
            _ => self.kernel(param),
        }
    }

    /// Columns of a variable that are brought back to a constraint.
    pub(crate) fn constrained(&self, param: ParamId) -> Range<usize> {
        self.bias(param)
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
        accesses.push(Access::read(Place::Twin(dy), ALL, ALL));
        accesses.push(Access::read(Place::Param(kernel), inputs.clone(), ALL));
        accesses.push(Access::write(Place::Twin(out), inputs, ALL));
        accesses
    }

    /// Own samples of every value of the step, and of the targets and scores; variables and values of the whole
    /// batch are only read.
    fn by_samples(&self, step: &Step) -> Vec<Access> {
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
fn scores(step: &Step) -> bool {
    matches!(
        step,
        Step::Accuracy { .. }
            | Step::Penalty { .. }
            | Step::ActivityPenalty { .. }
            | Step::Loss { .. }
            | Step::SoftmaxCrossentropy { .. }
    )
}

/// A step in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot<'a> {
    /// `None` at the end, where the score may be read.
    pub(crate) step: Option<&'a Step>,
    /// Whether all threads wait for each other before it.
    pub(crate) barrier: bool,
    /// Whether thread 0 then reads the batch's score, before the step.
    pub(crate) score: bool,
}

/// The steps in order, with the barriers that `workers` threads need. `split` is thread 0's.
pub(crate) fn schedule<'a>(steps: &'a [Step], split: Split<'_>) -> Vec<Slot<'a>> {
    let workers = split.part.workers;
    let touched: Vec<Vec<Vec<Access>>> = steps
        .iter()
        .map(|step| {
            let of = |worker| Split { part: Part { worker, workers }, ..split }.accesses(step);
            (0..workers).map(of).collect()
        })
        .collect();
    let mut touched = Ring { barriers: vec![false; steps.len() + 1], touched };
    touched.touched.push(vec![vec![]; workers]);
    let output = split.program.output;
    let scored = steps.iter().rposition(scores).map(|last| touched.score_after(last, output));
    while touched.add_barriers() {}
    let slot = |i| Slot { step: steps.get(i), barrier: touched.barriers[i], score: scored == Some(i) };
    (0..=steps.len()).map(slot).collect()
}

/// What every thread touches in every step, and the barriers found so far; the last place is the end
/// of the batch.
struct Ring {
    touched: Vec<Vec<Vec<Access>>>,
    barriers: Vec<bool>,
}

impl Ring {
    /// Walks two batches and adds the barriers that are missing; whether there were any.
    fn add_barriers(&mut self) -> bool {
        let steps = self.touched.len();
        let workers = self.touched[0].len();
        let mut since: Vec<Vec<Access>> = vec![vec![]; workers];
        let mut added = false;
        for i in (0..steps).chain(0..steps) {
            if !self.barriers[i] && meet(&since, &self.touched[i]) {
                (self.barriers[i], added) = (true, true);
            }
            if self.barriers[i] {
                since.iter_mut().for_each(Vec::clear);
            }
            for (since, now) in since.iter_mut().zip(&self.touched[i]) {
                since.extend(now.iter().cloned());
            }
        }
        added
    }

    /// Where thread 0 may read the score whose last part step `last` gives: behind the first barrier after it.
    /// It reads the outputs too, for the metrics.
    fn score_after(&mut self, last: usize, output: ValueId) -> usize {
        while self.add_barriers() {}
        let after = last + 1..self.touched.len();
        let at = if self.touched[0].len() == 1 {
            Some(last + 1)
        } else {
            after.clone().find(|&i| self.barriers[i])
        };
        let at = at.unwrap_or(self.touched.len() - 1);
        if self.touched[0].len() > 1 {
            self.barriers[at] = true;
        }
        let norms = self.touched.iter().flatten().flatten().filter_map(|access| match access.place {
            Place::Norms(param) => Some(param),
            _ => None,
        });
        let mut reads: Vec<Access> = norms.map(|param| Access::read(Place::Norms(param), ALL, ALL)).collect();
        reads.push(Access::read(Place::Scores, ALL, ALL));
        reads.push(Access::read(Place::Value(output), ALL, ALL));
        self.touched[at][0].extend(reads);
        at
    }
}

/// Whether a thread's accesses in a step meet those of another thread since the last barrier.
fn meet(since: &[Vec<Access>], now: &[Vec<Access>]) -> bool {
    let others =
        |worker: usize| since.iter().enumerate().filter(move |(i, _)| *i != worker).flat_map(|(_, all)| all);
    now.iter()
        .enumerate()
        .any(|(worker, mine)| mine.iter().any(|access| others(worker).any(|other| access.meets(other))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraints::{Axes, MaxNorm};
    use crate::plan::arrange::arrange;
    use crate::plan::fuse::fuse;
    use crate::plan::lower::{Purpose, lower};
    use crate::prelude::*;

    fn crossentropy() -> Loss {
        "sparse_categorical_crossentropy".parse().unwrap()
    }

    fn lesson(hidden: usize) -> Sequential {
        Sequential::new([28, 28])
            .add(Flatten::new())
            .add(Dense::new(hidden).activation(Activation::Relu))
            .add(Dense::new(10).activation(Activation::Softmax))
    }

    /// The names of the steps, `|` for a barrier and `score` where thread 0 reads it.
    fn names(model: &Sequential, workers: usize, lists: bool) -> Vec<&'static str> {
        let mut program = lower(model, Purpose::Train(crossentropy())).unwrap();
        let movements = arrange(&mut program, &Adam::default().into());
        let (steps, params) = (fuse(&program), ParamLayout::new(&program.params, workers));
        let (part, program, params, movements) = (Part { worker: 0, workers }, &program, &params, &movements);
        let split = Split { program, params, movements, whole_rule: false, part, batch: 32, lists };
        let name = |slot: Slot<'_>| {
            let barrier = slot.barrier.then_some("|");
            let score = slot.score.then_some("score");
            let step = slot.step.map(|step| step.name());
            [barrier, score, step].into_iter().flatten().collect::<Vec<_>>()
        };
        schedule(&steps, split).into_iter().flat_map(name).collect()
    }

    /// Each thread's columns of the hidden layer are its inputs of the next and its rows of that kernel.
    #[test]
    fn two_threads_wait_twice_per_batch_of_the_lessons_model() {
        assert_eq!(
            names(&lesson(128), 2, true),
            [
                "Gather",
                "Dense",
                "|",
                "Dense",
                "SoftmaxCrossentropy",
                "Transpose",
                "Accuracy",
                "|",
                "score",
                "InputGradient",
                "BiasUpdate",
                "KernelUpdate",
                "BiasUpdate",
                "KernelUpdate",
            ]
        );
    }

    #[test]
    fn one_thread_never_waits_and_scores_as_soon_as_it_can() {
        let names = names(&lesson(128), 1, true);
        assert!(!names.contains(&"|"), "{names:?}");
        let score = names.iter().position(|name| *name == "score").unwrap();
        assert_eq!((names[score - 1], names[score + 1]), ("Accuracy", "InputGradient"));
    }

    /// An input that is not in lists is read by samples, and products by columns read all of it: first the
    /// update of the batch before, then the forward product.
    #[test]
    fn a_dense_input_is_whole_before_products_read_it() {
        assert_eq!(names(&lesson(128), 2, false)[..4], ["|", "Gather", "|", "Dense"]);
    }

    /// Whatever two threads touch together has a barrier between, over three batches; and every barrier is
    /// needed, but for the one before the score.
    #[test]
    fn barriers_stand_where_threads_meet_and_nowhere_else() {
        let deep = |width| {
            Sequential::new([20])
                .add(Dense::new(width).activation(Activation::Silu).kernel_regularizer(Regularizer::l2(0.1)))
                .add(Dropout::new(0.5))
                .add(Dense::new(width + 3).activation(Activation::Relu))
                .add(Dense::new(10).activation(Activation::Softmax))
        };
        let normalized = |width| {
            Sequential::new([width])
                .add(BatchNormalization::new())
                .add(Dense::new(width))
                .add(BatchNormalization::new().trainable(false))
                .add(PReLU::new())
                .add(LayerNormalization::new())
                .add(Dense::new(10).activation(Activation::Softmax))
        };
        let constrained = |width| {
            let rows = MaxNorm { max_value: 1.0, axis: Axes::from(1) };
            let hidden =
                Dense::new(width).kernel_constraint(MaxNorm::new(1.0)).bias_constraint(MaxNorm::new(1.0));
            Sequential::new([20])
                .add(hidden.activity_regularizer(Regularizer::l2(0.1)))
                .add(Dense::new(10).activation(Activation::Softmax).kernel_constraint(rows))
        };
        let adam = || Optimizer::new(Adam::default());
        let models = [
            (lesson(20), adam()),
            (lesson(300), adam()),
            (deep(5), adam()),
            (deep(64), adam()),
            (deep(200), adam()),
            (normalized(7), adam()),
            (normalized(40), adam()),
            (normalized(200), adam()),
            (deep(64), adam().clipnorm(1.0)),
            (normalized(40), adam().global_clipnorm(1.0).gradient_accumulation_steps(2).ema(0.9, Some(3))),
            (constrained(70), adam()),
            (constrained(200), Optimizer::new(Lamb::default()).ema(0.9, None)),
        ];
        for ((model, optimizer), workers, lists) in models
            .iter()
            .flat_map(|m| [2, 3, 5].map(|n| (m, n)))
            .flat_map(|(m, n)| [(m, n, true), (m, n, false)])
        {
            let mut program = lower(model, Purpose::Train(crossentropy())).unwrap();
            let movements = arrange(&mut program, optimizer);
            let (steps, params) = (fuse(&program), ParamLayout::new(&program.params, workers));
            let split = |worker| Split {
                program: &program,
                params: &params,
                movements: &movements,
                whole_rule: optimizer.rule.is_for_variables(),
                part: Part { worker, workers },
                batch: 48,
                lists,
            };
            let slots = schedule(&steps, split(0));
            let is_safe = |left_out: Option<usize>| {
                let mut since: Vec<Vec<Access>> = vec![vec![]; workers];
                for (i, slot) in (0..3).flat_map(|_| slots.iter().enumerate()) {
                    if slot.barrier && left_out != Some(i) {
                        since.iter_mut().for_each(Vec::clear);
                    }
                    let of = |worker| slot.step.map_or(vec![], |step| split(worker).accesses(step));
                    let now: Vec<Vec<Access>> = (0..workers).map(of).collect();
                    if meet(&since, &now) {
                        return false;
                    }
                    since.iter_mut().zip(now).for_each(|(since, now)| since.extend(now));
                }
                true
            };
            assert!(is_safe(None));
            for (i, _) in slots.iter().enumerate().filter(|(_, slot)| slot.barrier && !slot.score) {
                assert!(!is_safe(Some(i)), "{workers} threads: the barrier before step {i} is not needed");
            }
        }
    }
}
