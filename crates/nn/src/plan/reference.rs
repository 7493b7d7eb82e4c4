//! The oracle: the unfused ops, one after the other, a fresh vector per value, one number at a time.
//!
//! In `f32` the engine must equal it bit for bit. In `f64` it checks gradients against differences.
//! It is written to be obviously right, and to be read beside the definition of each
//! [`Op`].

mod augment;
mod channel;
mod noise;
mod normalize;
mod optimize;
mod rowwise;

use optimize::Kept;

use super::Plan;
use super::workspace::initial;
use crate::activations::{Activation, Elementwise, ElementwiseVisitor};
use crate::kernels::penalty::activity_gradient;
use crate::kernels::score::is_right;
use crate::lane::{Lane, PAD};
use crate::losses::probability::smooth;
use crate::losses::reduction::Weighing;
use crate::losses::{Loss, Target, Whole, overlap};
use crate::ops::{Channel, ConvOp, Op, Program, ValueId};
use crate::optimizers::Memory;
use crate::random::Streams;
use crate::regularizers::Regularizer;
use std::collections::HashMap;

mod conv;
mod pool;

/// A batch for the oracle.
#[derive(Clone, Debug)]
pub struct ReferenceBatch<R> {
    /// Inputs, sample after sample.
    pub inputs: Vec<R>,
    /// One row per sample.
    pub targets: ReferenceTargets<R>,
    /// How many samples.
    pub samples: usize,
}

/// The targets of a batch.
#[derive(Clone, Debug)]
pub enum ReferenceTargets<R> {
    /// Class numbers.
    Classes(Vec<usize>),
    /// One number per output, sample after sample.
    Rows(Vec<R>),
}

/// What the oracle found in a batch.
#[derive(Clone, Debug)]
pub struct ReferenceScore<R> {
    /// Mean loss with penalties.
    pub loss: R,
    /// How many samples were right.
    pub correct: usize,
    /// What the last layer gave, sample after sample.
    pub outputs: Vec<R>,
}

/// A model's variables and optimizer, in `f32` or `f64`.
#[derive(Clone, Debug)]
pub struct Reference<R> {
    plan: Plan,
    streams: Streams,
    /// Every variable, row-major, without padding.
    pub weights: Vec<Vec<R>>,
    /// The gradient of every variable in the last step, penalties included.
    pub gradients: Vec<Vec<R>>,
    kept: Vec<Kept<R>>,
    memory: Memory<R>,
    steps: u64,
}

impl<R: Lane + PartialOrd> Reference<R> {
    /// The oracle of a plan, with the same initial weights as the engine.
    pub fn new(plan: &Plan, streams: &Streams) -> Self {
        let start = |param| initial(param, streams).into_iter().map(|w| R::lit(f64::from(w))).collect();
        let weights: Vec<Vec<R>> = plan.params().iter().map(start).collect();
        let sizes: Vec<usize> = weights.iter().map(Vec::len).collect();
        let (kept, memory) = optimize::start(&plan.optimizer, &sizes);
        Self {
            kept,
            gradients: weights.iter().map(|w| vec![R::lit(0.0); w.len()]).collect(),
            weights,
            plan: plan.clone(),
            streams: *streams,
            memory,
            steps: 0,
        }
    }

    /// One step of training; the score is that of the weights before the step.
    pub fn train(&mut self, batch: &ReferenceBatch<R>) -> ReferenceScore<R> {
        self.train_weighted(batch, None)
    }

    /// The same with a weight for each sample.
    pub fn train_weighted(&mut self, batch: &ReferenceBatch<R>, weights: Option<&[R]>) -> ReferenceScore<R> {
        let program = self.plan.train.program.clone();
        let (score, memory) = self.interpret(&program, batch, weights);
        self.memory = memory;
        self.steps += 1;
        score
    }

    /// Loss, accuracy and outputs in inference mode.
    pub fn evaluate(&mut self, batch: &ReferenceBatch<R>) -> ReferenceScore<R> {
        let program = self.plan.evaluate.program.clone();
        self.interpret(&program, batch, None).0
    }

    /// Also gives the optimizer's memory after the step.
    fn interpret(
        &mut self,
        program: &Program,
        batch: &ReferenceBatch<R>,
        weights: Option<&[R]>,
    ) -> (ReferenceScore<R>, Memory<R>) {
        let tick = self.plan.optimizer.tick(self.steps);
        let (scalars, memory) = self.scalars(&tick);
        let mut values = Values { program, all: HashMap::from([(ValueId(0), batch.inputs.clone())]) };
        let weighing = batch.weighing(&self.plan.loss, weights);
        let mut losses = vec![R::lit(0.0); batch.samples];
        let (mut correct, mut penalties) = (0, Vec::new());
        for op in &program.ops {
            match op {
                Op::SoftmaxCrossentropy { .. } | Op::LossSums { .. } | Op::Loss { .. } => {
                    values.score(op, &values.scored(batch), (&weighing, weights), &mut losses);
                }
                Op::Accuracy { prediction } => correct = values.correct(*prediction, &values.scored(batch)),
                Op::Penalty { param, regularizer } => penalties.push(self.penalty(*param, *regularizer)),
                Op::ActivityPenalty { x, regularizer } => {
                    let penalty = penalty_of_rows(*regularizer, values.get(*x), values.width(*x));
                    penalties.push(penalty / R::lit(batch.samples as f64));
                }
                Op::MatMulKernelGradient { .. }
                | Op::BiasGradient { .. }
                | Op::Conv(ConvOp::KernelGradient { .. } | ConvOp::BiasGradient { .. }) => {
                    self.gradient(op, &values, batch.samples);
                }
                Op::Regularize { param, regularizer } => self.regularize(*param, *regularizer),
                Op::Update { .. } | Op::Optimize(_) => self.move_weights(op, &tick, &scalars),
                Op::Channel(op @ Channel::Gradient { w, .. }) => {
                    self.gradients[w.0] = values.channel_gradient(op, program.params[w.0].count());
                }
                Op::Channel(op) => values.channel(op, &self.weights),
                Op::Normalize(op) => values.normalize(op, &mut self.weights),
                Op::Rowwise(op) => values.rowwise(*op),
                Op::Noise(op) => values.noise(op, &self.streams, self.steps, batch.samples),
                Op::Augment(op) => values.augment(op, &self.streams, self.steps, batch),
                op => values.forward_or_back(op, &self.weights, batch.samples),
            }
        }
        let mean = weighing.total(losses.iter().fold(R::lit(0.0), |sum, &x| sum + x));
        let outputs = values.all.remove(&program.output).unwrap_or_default();
        let loss = penalties.into_iter().fold(mean, |sum, x| sum + x);
        (ReferenceScore { loss, correct, outputs }, memory)
    }

    fn gradient(&mut self, op: &Op, values: &Values<'_, R>, samples: usize) {
        match *op {
            Op::MatMulKernelGradient { x, dy, kernel } => {
                let (x_width, dy_width) = (values.width(x), values.width(dy));
                let (x, dy) = (values.get(x), values.get(dy));
                self.gradients[kernel.0] = table(x_width, dy_width, |k, j| {
                    chain((0..samples).map(|b| (x[b * x_width + k], dy[b * dy_width + j])))
                });
            }
            Op::BiasGradient { dy, bias } => {
                let (width, dy) = (values.width(dy), values.get(dy));
                self.gradients[bias.0] =
                    table(1, width, |_, j| chain((0..samples).map(|b| (R::lit(1.0), dy[b * width + j]))));
            }
            Op::Conv(
                op
                @ (ConvOp::KernelGradient { kernel: param, .. } | ConvOp::BiasGradient { bias: param, .. }),
            ) => {
                self.gradients[param.0] = values.convolution_gradient(op, samples);
            }
            _ => {}
        }
    }
}

/// `Σ a·b` as one ascending chain from 0; `+ 0` at the end, so that no sum is −0.
fn chain<R: Lane>(terms: impl Iterator<Item = (R, R)>) -> R {
    terms.fold(R::lit(0.0), |sum, (a, b)| a.mul_add(b, sum)) + R::lit(0.0)
}

fn table<R>(rows: usize, cols: usize, f: impl Fn(usize, usize) -> R) -> Vec<R> {
    (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))).map(|(row, col)| f(row, col)).collect()
}

/// 16 interleaved chains, folded 8, 4, 2, 1.
fn fold<R: Lane>(mut chains: [R; PAD]) -> R {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            chains[i] = chains[i] + chains[i + half];
        }
    }
    chains[0]
}

fn sum<R: Lane>(row: &[R], f: impl Fn(R) -> R) -> R {
    let mut chains = [R::lit(0.0); PAD];
    for (i, &x) in row.iter().enumerate() {
        chains[i % PAD] = chains[i % PAD] + f(x);
    }
    fold(chains)
}

fn sum_squares<R: Lane>(row: &[R]) -> R {
    let mut chains = [R::lit(0.0); PAD];
    for (i, &x) in row.iter().enumerate() {
        chains[i % PAD] = x.mul_add(x, chains[i % PAD]);
    }
    fold(chains)
}

/// The penalty from `Σ|x|` and `Σx²` of every row, the rows ascending.
fn penalty_of_rows<R: Lane>(regularizer: Regularizer, x: &[R], cols: usize) -> R {
    let rows = x.chunks(cols).map(|row| (sum(row, |x| x.abs()), sum_squares(row)));
    let zero = (R::lit(0.0), R::lit(0.0));
    let (magnitude, square) = rows.fold(zero, |a, b| (a.0 + b.0, a.1 + b.1));
    regularizer.penalty(magnitude, square)
}

/// `(softmax(z), max z, Σ exp(z − max z))`
fn softmax<R: Lane + PartialOrd>(z: &[R]) -> (Vec<R>, R, R) {
    let max = z.iter().fold(z[0], |max, &x| if x > max { x } else { max });
    let e: Vec<R> = z.iter().map(|&x| (x - max).exp()).collect();
    let total = sum(&e, |x| x);
    (e.iter().map(|&x| x / total).collect(), max, total)
}

impl<R: Lane + PartialOrd> ReferenceBatch<R> {
    fn weighing(&self, loss: &Loss, weights: Option<&[R]>) -> Weighing<R> {
        let counts = |sample: &usize| match &self.targets {
            ReferenceTargets::Classes(labels) => Some(labels[*sample]) != loss.ignore_class(),
            ReferenceTargets::Rows(_) => true,
        };
        let counted = (0..self.samples).filter(counts);
        let weights = weights.map(|weights| counted.clone().map(|sample| weights[sample]));
        Weighing::new(loss, self.samples, counted.clone().count(), weights)
    }

    fn is_binary(&self) -> bool {
        match &self.targets {
            ReferenceTargets::Classes(_) => true,
            ReferenceTargets::Rows(rows) => rows.iter().all(|&t| t == R::lit(0.0) || t == R::lit(1.0)),
        }
    }

    fn target(&self, sample: usize, width: usize) -> Target<'_, R> {
        match &self.targets {
            ReferenceTargets::Classes(labels) => Target::Class(labels[sample]),
            ReferenceTargets::Rows(rows) => Target::Row(&rows[sample * width..(sample + 1) * width]),
        }
    }
}

/// Every value of a batch that was made so far.
struct Values<'a, R> {
    program: &'a Program,
    all: HashMap<ValueId, Vec<R>>,
}

impl<R: Lane + PartialOrd> Values<'_, R> {
    fn width(&self, id: ValueId) -> usize {
        self.program.values[id.0].width
    }

    fn get(&self, id: ValueId) -> &[R] {
        self.all.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The batch with the targets that its outputs are compared with.
    fn scored(&self, batch: &ReferenceBatch<R>) -> ReferenceBatch<R> {
        let mixed = self.program.targets.map(|id| ReferenceTargets::Rows(self.get(id).to_vec()));
        let targets = mixed.unwrap_or_else(|| batch.targets.clone());
        ReferenceBatch { inputs: vec![], targets, samples: batch.samples }
    }

    /// The samples of a value.
    fn rows(&self, id: ValueId) -> impl Iterator<Item = &[R]> {
        self.get(id).chunks(self.width(id))
    }

    fn map(&self, x: ValueId, f: impl Fn(R) -> R) -> Vec<R> {
        self.get(x).iter().map(|&x| f(x)).collect()
    }

    fn zip(&self, a: ValueId, b: ValueId, f: impl Fn(R, R) -> R) -> Vec<R> {
        self.get(a).iter().zip(self.get(b)).map(|(&a, &b)| f(a, b)).collect()
    }

    fn forward_or_back(&mut self, op: &Op, weights: &[Vec<R>], samples: usize) {
        let (out, values) = match *op {
            Op::MatMul { x, kernel, out } => {
                let (inputs, outputs) = (self.width(x), self.width(out));
                let (x, w) = (self.get(x), &weights[kernel.0]);
                let at =
                    |b: usize, j: usize| chain((0..inputs).map(|k| (x[b * inputs + k], w[k * outputs + j])));
                (out, table(samples, outputs, at))
            }
            Op::AddBias { x, bias, out } => {
                let width = self.width(x);
                let (x, bias) = (self.get(x), &weights[bias.0]);
                (out, table(samples, width, |b, j| x[b * width + j] + bias[j]))
            }
            Op::MatMulInputGradient { dy, kernel, dx } => {
                let (inputs, outputs) = (self.width(dx), self.width(dy));
                let (dy, w) = (self.get(dy), &weights[kernel.0]);
                let at = |b: usize, k: usize| {
                    chain((0..outputs).map(|j| (w[k * outputs + j], dy[b * outputs + j])))
                };
                (dx, table(samples, inputs, at))
            }
            Op::Activate { f, x, out } => (out, self.map(x, |x| activate(f, x))),
            Op::ActivateGradient { f, v, dy, dx } => {
                (dx, self.zip(v, dy, |v, dy| activate_gradient(f, v, dy)))
            }
            Op::Affine { scale, offset, x, out } => {
                (out, self.map(x, |x| x.mul_add(R::lit(scale), R::lit(offset))))
            }
            Op::AffineGradient { scale, dy, dx } => {
                (dx, self.map(dy, |dy| dy.mul_add(R::lit(scale), R::lit(0.0))))
            }
            Op::ActivityGradient { regularizer, x, dy, dx } => {
                (dx, self.zip(x, dy, |x, dy| activity_gradient(regularizer, samples, x, dy)))
            }
            Op::Multiply { x, factor, out } => (out, self.zip(x, factor, |x, factor| x * factor)),
            Op::Softmax { x, out } => {
                (out, self.get(x).chunks(self.width(x)).flat_map(|row| softmax(row).0).collect())
            }
            Op::SoftmaxGradient { y, dy, dx } => {
                let width = self.width(y);
                let rows = self.get(y).chunks(width).zip(self.get(dy).chunks(width));
                let gradient = |(y, dy): (&[R], &[R])| -> Vec<R> {
                    let products: Vec<R> = y.iter().zip(dy).map(|(&y, &dy)| dy * y).collect();
                    let inner = sum(&products, |x| x);
                    y.iter().zip(dy).map(|(&y, &dy)| y * (dy - inner)).collect()
                };
                (dx, rows.flat_map(gradient).collect())
            }
            Op::Conv(op) => match self.convolution(op, weights, samples) {
                Some(written) => written,
                None => return,
            },
            Op::Pool(op) => return self.all.extend(self.pool(op, samples)),
            _ => return,
        };
        self.all.insert(out, values);
    }

    /// Losses of all samples, and the gradient of the batch's loss.
    fn score(
        &mut self,
        op: &Op,
        batch: &ReferenceBatch<R>,
        (weighing, weights): (&Weighing<R>, Option<&[R]>),
        losses: &mut [R],
    ) {
        let weight = |sample: usize| weights.map(|weights| weights[sample]);
        match *op {
            Op::SoftmaxCrossentropy { loss, logits, probabilities, dlogits } => {
                let width = self.width(logits);
                let (mut p_all, mut d_all) = (Vec::new(), Vec::new());
                for (sample, z) in self.get(logits).chunks(width).enumerate() {
                    let target = batch.target(sample, width);
                    let ignored = matches!(target, Target::Class(c) if Some(c) == loss.ignore_class());
                    let t = |i| smooth(target.at(i), loss.label_smoothing(), width);
                    let (p, max, total) = softmax(z);
                    let of_sample = chain((0..width).map(|i| (t(i), total.ln() - (z[i] - max))));
                    let share = weighing.share(weight(sample));
                    if ignored {
                        d_all.extend((0..width).map(|_| R::lit(0.0)));
                    } else {
                        losses[sample] = weighing.loss(of_sample, weight(sample));
                        d_all.extend((0..width).map(|i| (p[i] - t(i)) * share));
                    }
                    p_all.extend(p);
                }
                self.all.insert(probabilities, p_all);
                dlogits.map(|id| self.all.insert(id, d_all));
            }
            Op::LossSums { prediction, sums } => {
                let width = self.width(prediction);
                let rows = self.get(prediction).chunks(width).enumerate();
                let all =
                    rows.flat_map(|(sample, p)| overlap::sums(batch.target(sample, width), p)).collect();
                self.all.insert(sums, all);
            }
            Op::Loss { loss, prediction, sums, dprediction } => {
                let width = self.width(prediction);
                let mut whole = Whole { binary: batch.is_binary(), sums: [R::lit(0.0); 3] };
                for row in sums.map_or(&[][..], |sums| self.get(sums)).chunks(3) {
                    whole.sums = std::array::from_fn(|i| whole.sums[i] + row[i]);
                }
                let mut d_all = vec![R::lit(0.0); width * batch.samples];
                for (sample, p) in self.get(prediction).chunks(width).enumerate() {
                    let gradient = &mut d_all[sample * width..(sample + 1) * width];
                    let of_sample = loss.row(&whole, batch.target(sample, width), p, Some(&mut *gradient));
                    losses[sample] = weighing.loss(of_sample, weight(sample));
                    let share =
                        if sums.is_some() { weighing.whole() } else { weighing.share(weight(sample)) };
                    gradient.iter_mut().for_each(|g| *g = *g * share);
                }
                dprediction.map(|id| self.all.insert(id, d_all));
            }
            _ => {}
        }
    }

    fn correct(&self, prediction: ValueId, batch: &ReferenceBatch<R>) -> usize {
        let width = self.width(prediction);
        let rows = self.get(prediction).chunks(width).enumerate();
        rows.filter(|(sample, p)| is_right(p, batch.target(*sample, width))).count()
    }
}

fn activate<R: Lane>(f: Activation, x: R) -> R {
    struct Value<R>(R);
    impl<R: Lane> ElementwiseVisitor for Value<R> {
        type Output = R;
        fn visit<E: Elementwise>(self, f: E) -> R {
            f.value(self.0)
        }
    }
    f.visit(Value(x)).unwrap_or(x)
}

fn activate_gradient<R: Lane>(f: Activation, v: R, dy: R) -> R {
    struct Gradient<R>(R, R);
    impl<R: Lane> ElementwiseVisitor for Gradient<R> {
        type Output = R;
        fn visit<E: Elementwise>(self, f: E) -> R {
            f.gradient(self.0, self.1)
        }
    }
    f.visit(Gradient(v, dy)).unwrap_or(dy)
}
