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

mod accesses;
mod conv;
mod split;

use super::fuse::Step;
use crate::kernels::matrix::Part;
use crate::ops::ValueId;
use accesses::{ALL, Access, Place, scores};
pub(crate) use split::Split;

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
    use crate::plan::layout::ParamLayout;
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
