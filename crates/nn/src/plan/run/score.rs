//! What a batch gave: the steps that score it, and what is read of them.

use super::Batch;
use super::buffers::Shared;
use crate::examples::Examples;
use crate::kernels::matrix::Matrix;
use crate::kernels::score::{Accuracy, LossSums, RowLoss, Softmax, SoftmaxCrossentropy, SoftmaxGradient};
use crate::losses::Target;
use crate::losses::reduction::Weighing;
use crate::ops::{ParamId, ValueId};
use crate::plan::fuse::Step;
use crate::regularizers::Regularizer;

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

impl Shared<'_> {
    /// What the model gave for a batch.
    pub(super) fn outputs<'b>(&'b self, order: &'b [u32]) -> BatchOutputs<'b> {
        let output = self.stage.program.output;
        let (outputs, width) = (self.value(output), self.width(output));
        BatchOutputs { outputs, width, examples: self.examples, order }
    }

    /// How much the samples of a batch weigh.
    pub(super) fn weighing(&self, order: &[u32]) -> Weighing<f32> {
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
    pub(super) fn score(&self, samples: usize, weighing: &Weighing<f32>) -> BatchScore {
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
    pub(super) fn score_step(&self, step: &Step) {
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
