//! Ops → steps: neighbours that one kernel can do in one pass become one step.
//!
//! The rules, tried in this order at every op; `?` may be missing, and what a group writes for
//! itself alone is never stored:
//!
//! | ops | step |
//! |---|---|
//! | Noise that reads nothing | itself, before everything else |
//! | MatMul, AddBias?, Activate?, Multiply? | Dense |
//! | MatMulInputGradient, Multiply?, ActivateGradient? | InputGradient |
//! | MatMulKernelGradient, Regularize?, Update? | KernelUpdate |
//! | BiasGradient, Regularize?, Update? | BiasUpdate |
//! | Channel::Gradient, Regularize?, Update? | ChannelUpdate |
//! | a convolution and what follows it | see `fuse/conv.rs` |
//! | any other op | itself |
//!
//! Without its Update, which then stands behind all gradients, a group keeps the gradient.
//! A penalty that looks at whole variables is a step of its own.
//!
//! Fusion never changes a bit: it changes where numbers are kept, not how they are computed.

use crate::activations::Activation;
use crate::losses::Loss;
use crate::ops::{
    Augment, Channel, ChannelForm, Noise, Normalize, Op, OptimizeOp, ParamId, PoolOp, Program, Rowwise,
    ValueId,
};
use crate::regularizers::Regularizer;

mod conv;

pub use conv::{ConvStep, MaxPool, OutputGradient};

/// What the run loop does at once.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the ops that the step stands for")]
pub enum Step {
    /// The batch's samples are read, normalised, and written to `out`: whole, or where they are mostly
    /// zeros and only products read them, as lists of the numbers that are not zero.
    Gather {
        out: ValueId,
    },
    /// `x` also stands transposed: `[width, batch]`.
    Transpose {
        x: ValueId,
    },
    /// `matmul = x·kernel + bias`, `active = f(matmul)`, `out = active·factor`.
    Dense {
        x: ValueId,
        kernel: ParamId,
        bias: Option<ParamId>,
        /// Where `x·kernel + bias` is kept, where somebody else reads it.
        matmul: Option<ValueId>,
        activation: Activation,
        /// Where `f(·)` is kept, where it is not `out` and somebody else reads it.
        active: Option<ValueId>,
        factor: Option<ValueId>,
        out: ValueId,
    },
    Activate {
        f: Activation,
        x: ValueId,
        out: ValueId,
    },
    Softmax {
        x: ValueId,
        out: ValueId,
    },
    Affine {
        scale: f64,
        offset: f64,
        x: ValueId,
        out: ValueId,
    },
    Multiply {
        x: ValueId,
        factor: ValueId,
        out: ValueId,
    },
    /// Never a variable's gradient: that is part of a `ChannelUpdate`.
    Channel(Channel),
    Normalize(Normalize),
    Rowwise(Rowwise),
    Noise(Noise),
    Augment(Augment),
    SoftmaxCrossentropy {
        loss: Loss,
        logits: ValueId,
        probabilities: ValueId,
        dlogits: Option<ValueId>,
    },
    LossSums {
        prediction: ValueId,
        sums: ValueId,
    },
    Loss {
        loss: Loss,
        prediction: ValueId,
        sums: Option<ValueId>,
        dprediction: Option<ValueId>,
    },
    Accuracy {
        prediction: ValueId,
    },
    Penalty {
        param: ParamId,
        regularizer: Regularizer,
    },
    /// `out = (dy·kernelᵀ)·factor·f′(v)`
    InputGradient {
        dy: ValueId,
        kernel: ParamId,
        factor: Option<ValueId>,
        activation: Option<(Activation, ValueId)>,
        out: ValueId,
    },
    ActivateGradient {
        f: Activation,
        v: ValueId,
        dy: ValueId,
        dx: ValueId,
    },
    SoftmaxGradient {
        y: ValueId,
        dy: ValueId,
        dx: ValueId,
    },
    ActivityPenalty {
        regularizer: Regularizer,
        x: ValueId,
    },
    ActivityGradient {
        regularizer: Regularizer,
        x: ValueId,
        dy: ValueId,
        dx: ValueId,
    },
    KernelUpdate {
        x: ValueId,
        dy: ValueId,
        kernel: ParamId,
        regularizer: Option<Regularizer>,
    },
    BiasUpdate {
        dy: ValueId,
        bias: ParamId,
        regularizer: Option<Regularizer>,
    },
    ChannelUpdate {
        form: ChannelForm,
        x: ValueId,
        dy: ValueId,
        w: ParamId,
        regularizer: Option<Regularizer>,
    },
    Conv(ConvStep),
    Pool(PoolOp),
    /// A penalty's gradient that looks at the whole variable.
    Regularize {
        param: ParamId,
        regularizer: Regularizer,
    },
    Optimize(OptimizeOp),
}

/// Makes steps of a program's ops.
pub fn fuse(program: &Program) -> Vec<Step> {
    let mut steps = vec![Step::Gather { out: ValueId(0) }];
    let (mut ops, others): (Vec<Op>, Vec<Op>) = program
        .ops
        .iter()
        .cloned()
        .partition(|op| matches!(op, Op::Noise(noise) if noise.reads().is_empty()));
    ops.extend(others);
    let mut rest: &[Op] = &ops;
    while let Some(first) = rest.first() {
        let group = Group { all: &ops, output: program.output, rest };
        let (step, taken) = group
            .dense()
            .or_else(|| group.input_gradient())
            .or_else(|| group.kernel_update())
            .or_else(|| group.bias_update())
            .or_else(|| group.channel_update())
            .or_else(|| group.convolution())
            .unwrap_or_else(|| (single(first), 1));
        if let Step::InputGradient { dy, .. } = step {
            add_transpose(&mut steps, dy);
        }
        steps.push(step);
        rest = &rest[taken..];
    }
    conv::unpool_where_read(&mut steps);
    steps
}

/// An input gradient reads the transpose of `x`: written as soon as `x` is.
fn add_transpose(steps: &mut Vec<Step>, x: ValueId) {
    let written = steps.iter().rposition(|step| step.writes().contains(&x));
    let after = written.map_or(steps.len(), |index| index + 1);
    steps.insert(after, Step::Transpose { x });
}

/// Whether only products read the input, so that lists of its non-zero numbers are enough.
pub(crate) fn input_may_be_sparse(steps: &[Step]) -> bool {
    let is_product =
        |step: &Step| matches!(step, Step::Gather { .. } | Step::Dense { .. } | Step::KernelUpdate { .. });
    steps.iter().filter(|step| step.values().contains(&ValueId(0))).all(is_product)
}

/// The ops that are not in a step yet, and all of them.
struct Group<'a> {
    all: &'a [Op],
    output: ValueId,
    rest: &'a [Op],
}

impl Group<'_> {
    /// The value, where an op outside the first `taken` of the rest reads it.
    fn kept(&self, value: ValueId, taken: usize) -> Option<ValueId> {
        let before = self.all.len() - self.rest.len();
        let outside = |i: usize| i < before || i >= before + taken;
        let is_read = self.all.iter().enumerate().any(|(i, op)| outside(i) && op.reads().contains(&value));
        (is_read || value == self.output).then_some(value)
    }

    fn dense(&self) -> Option<(Step, usize)> {
        let Op::MatMul { x, kernel, out } = *self.rest.first()? else { return None };
        let (mut taken, mut matmul, mut bias) = (1, out, None);
        if let Some(&Op::AddBias { x, bias: b, out }) = self.rest.get(taken)
            && x == matmul
        {
            (taken, matmul, bias) = (taken + 1, out, Some(b));
        }
        let (mut activation, mut active) = (Activation::Linear, matmul);
        if let Some(&Op::Activate { f, x, out }) = self.rest.get(taken)
            && x == matmul
        {
            (taken, activation, active) = (taken + 1, f, out);
        }
        let (mut factor, mut out) = (None, active);
        if let Some(&Op::Multiply { x, factor: by, out: product }) = self.rest.get(taken)
            && x == active
        {
            (taken, factor, out) = (taken + 1, Some(by), product);
        }
        let matmul = self.kept(matmul, taken).filter(|&value| value != out);
        let active = self.kept(active, taken).filter(|&value| value != out && Some(value) != matmul);
        Some((Step::Dense { x, kernel, bias, matmul, activation, active, factor, out }, taken))
    }

    fn input_gradient(&self) -> Option<(Step, usize)> {
        let Op::MatMulInputGradient { dy, kernel, dx } = *self.rest.first()? else { return None };
        let (factor, activation, out, taken) = self.behind_input_gradient(dx);
        Some((Step::InputGradient { dy, kernel, factor, activation, out }, taken))
    }

    /// The mask and the activation's gradient behind the input gradient `dx`, what comes out, and how many ops they are with
    /// the first.
    fn behind_input_gradient(
        &self,
        dx: ValueId,
    ) -> (Option<ValueId>, Option<(Activation, ValueId)>, ValueId, usize) {
        let (mut taken, mut out, mut factor, mut activation) = (1, dx, None, None);
        if let Some(&Op::Multiply { x, factor: by, out: product }) = self.rest.get(taken)
            && x == out
        {
            (taken, factor, out) = (taken + 1, Some(by), product);
        }
        if let Some(&Op::ActivateGradient { f, v, dy, dx }) = self.rest.get(taken)
            && dy == out
        {
            (taken, activation, out) = (taken + 1, Some((f, v)), dx);
        }
        (factor, activation, out, taken)
    }

    /// The penalty's gradient and the update that follow a gradient, where they do, and how many ops the three are.
    fn regularize_and_update(&self) -> (Option<Regularizer>, usize) {
        let (mut taken, mut joined) = (1, None);
        if let Some(&Op::Regularize { regularizer, .. }) = self.rest.get(taken)
            && !regularizer.is_for_variables()
        {
            (taken, joined) = (taken + 1, Some(regularizer));
        }
        (joined, taken + usize::from(matches!(self.rest.get(taken), Some(Op::Update { .. }))))
    }

    fn kernel_update(&self) -> Option<(Step, usize)> {
        let Op::MatMulKernelGradient { x, dy, kernel } = *self.rest.first()? else { return None };
        let (regularizer, taken) = self.regularize_and_update();
        Some((Step::KernelUpdate { x, dy, kernel, regularizer }, taken))
    }

    fn bias_update(&self) -> Option<(Step, usize)> {
        let Op::BiasGradient { dy, bias } = *self.rest.first()? else { return None };
        let (regularizer, taken) = self.regularize_and_update();
        Some((Step::BiasUpdate { dy, bias, regularizer }, taken))
    }

    fn channel_update(&self) -> Option<(Step, usize)> {
        let Op::Channel(Channel::Gradient { form, x, dy, w }) = *self.rest.first()? else { return None };
        let (regularizer, taken) = self.regularize_and_update();
        Some((Step::ChannelUpdate { form, x, dy, w, regularizer }, taken))
    }
}

/// The step of an op that no rule took.
fn single(op: &Op) -> Step {
    match op.clone() {
        Op::Activate { f, x, out } => Step::Activate { f, x, out },
        Op::Softmax { x, out } => Step::Softmax { x, out },
        Op::Affine { scale, offset, x, out } => Step::Affine { scale, offset, x, out },
        Op::AffineGradient { scale, dy, dx } => Step::Affine { scale, offset: 0.0, x: dy, out: dx },
        Op::Multiply { x, factor, out } => Step::Multiply { x, factor, out },
        Op::Channel(op) => Step::Channel(op),
        Op::Normalize(op) => Step::Normalize(op),
        Op::Rowwise(op) => Step::Rowwise(op),
        Op::Noise(op) => Step::Noise(op),
        Op::Augment(op) => Step::Augment(op),
        Op::SoftmaxCrossentropy { loss, logits, probabilities, dlogits } => {
            Step::SoftmaxCrossentropy { loss, logits, probabilities, dlogits }
        }
        Op::LossSums { prediction, sums } => Step::LossSums { prediction, sums },
        Op::Loss { loss, prediction, sums, dprediction } => {
            Step::Loss { loss, prediction, sums, dprediction }
        }
        Op::Accuracy { prediction } => Step::Accuracy { prediction },
        Op::Penalty { param, regularizer } => Step::Penalty { param, regularizer },
        Op::ActivateGradient { f, v, dy, dx } => Step::ActivateGradient { f, v, dy, dx },
        Op::SoftmaxGradient { y, dy, dx } => Step::SoftmaxGradient { y, dy, dx },
        Op::Pool(op) => Step::Pool(op),
        Op::ActivityPenalty { regularizer, x } => Step::ActivityPenalty { regularizer, x },
        Op::ActivityGradient { regularizer, x, dy, dx } => Step::ActivityGradient { regularizer, x, dy, dx },
        Op::Regularize { param, regularizer } => Step::Regularize { param, regularizer },
        Op::Optimize(op) => Step::Optimize(op),
        // These are only in the groups above: MatMul starts one, AddBias follows a MatMul, and an Update the gradient.
        Op::MatMul { .. }
        | Op::AddBias { .. }
        | Op::MatMulInputGradient { .. }
        | Op::MatMulKernelGradient { .. }
        | Op::BiasGradient { .. }
        | Op::Update { .. }
        | Op::Conv(_) => unreachable!("always part of a group: {op:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Value;
    use crate::plan::lower::{Purpose, lower};
    use crate::prelude::{Dense, Dropout, Flatten, MeanSquaredError, Sequential};

    /// A model's steps: their names, and after `→` the values that they keep.
    fn steps(model: &Sequential, purpose: Purpose) -> Vec<String> {
        let program = lower(model, purpose).unwrap();
        let name = |id: &ValueId| program.values[id.0].name.clone();
        let written = |step: &Step| step.writes().iter().map(name).collect::<Vec<_>>().join(", ");
        let line =
            |step: &Step| format!("{} → {}", step.name(), written(step)).trim_end_matches(" → ").to_owned();
        fuse(&program).iter().map(line).collect()
    }

    /// The lesson's model: 1 and 2 without Dropout, 3 with it.
    fn lesson(dropout: bool) -> Sequential {
        let model =
            Sequential::new([28, 28]).add(Flatten::new()).add(Dense::new(128).activation(Activation::Relu));
        let model = if dropout { model.add(Dropout::new(0.5)) } else { model };
        model.add(Dense::new(10).activation(Activation::Softmax))
    }

    fn crossentropy() -> Loss {
        "sparse_categorical_crossentropy".parse().unwrap()
    }

    /// Neither `x·kernel` nor `+ bias` is kept where relu follows: its gradient wants its output.
    #[test]
    fn the_lessons_models_1_and_2() {
        assert_eq!(
            steps(&lesson(false), Purpose::Train(crossentropy())),
            [
                "Gather → input",
                "Dense → dense/relu",
                "Dense → dense_1/bias_add",
                "SoftmaxCrossentropy → dense_1/softmax, loss/gradient",
                "Transpose",
                "Accuracy",
                "InputGradient → dense/bias_add/gradient",
                "BiasUpdate",
                "KernelUpdate",
                "BiasUpdate",
                "KernelUpdate",
            ]
        );
    }

    /// The mask comes first; relu is kept for its gradient and dropped for the layer above.
    #[test]
    fn the_lessons_model_3() {
        assert_eq!(
            steps(&lesson(true), Purpose::Train(crossentropy())),
            [
                "Gather → input",
                "DropoutMask → dropout/mask",
                "Dense → dense/relu, dropout/dropped",
                "Dense → dense_1/bias_add",
                "SoftmaxCrossentropy → dense_1/softmax, loss/gradient",
                "Transpose",
                "Accuracy",
                "InputGradient → dense/bias_add/gradient",
                "BiasUpdate",
                "KernelUpdate",
                "BiasUpdate",
                "KernelUpdate",
            ]
        );
    }

    #[test]
    fn dropout_is_not_in_inference() {
        let evaluate = [
            "Gather → input",
            "Dense → dense/relu",
            "Dense → dense_1/bias_add",
            "SoftmaxCrossentropy → dense_1/softmax",
            "Accuracy",
        ];
        let predict =
            ["Gather → input", "Dense → dense/relu", "Dense → dense_1/bias_add", "Softmax → dense_1/softmax"];
        for model in [lesson(false), lesson(true)] {
            assert_eq!(steps(&model, Purpose::Evaluate(crossentropy())), evaluate);
            assert_eq!(steps(&model, Purpose::Predict), predict);
        }
    }

    /// An activation whose gradient wants its input keeps `x·kernel + bias` too; in inference not.
    #[test]
    fn what_a_gradient_reads_is_kept() {
        let model = Sequential::new([4])
            .add(Dense::new(3).activation(Activation::Silu))
            .add(Dropout::new(0.5))
            .add(Dense::new(2));
        let train = steps(&model, Purpose::Train(MeanSquaredError::default().into()));
        assert_eq!(train[2], "Dense → dense/bias_add, dropout/dropped");
        assert_eq!(steps(&model, Purpose::Predict)[1..], ["Dense → dense/silu", "Dense → dense_1/bias_add"]);
    }

    #[test]
    fn penalties_join_the_updates() {
        let model = Sequential::new([4]).add(
            Dense::new(3).kernel_regularizer(Regularizer::l2(0.1)).bias_regularizer(Regularizer::l1(0.2)),
        );
        let program = lower(&model, Purpose::Train(MeanSquaredError::default().into())).unwrap();
        let found: Vec<Option<Regularizer>> = fuse(&program)
            .iter()
            .filter_map(|step| match step {
                Step::KernelUpdate { regularizer, .. } | Step::BiasUpdate { regularizer, .. } => {
                    Some(*regularizer)
                }
                _ => None,
            })
            .collect();
        assert_eq!(found, [Some(Regularizer::l1(0.2)), Some(Regularizer::l2(0.1))]);
        let penalties = fuse(&program).iter().filter(|step| matches!(step, Step::Penalty { .. })).count();
        assert_eq!(penalties, 2);
    }

    /// Values 0, 1, … in a program of these ops.
    fn program(ops: Vec<Op>) -> Program {
        let value = |i| Value { name: format!("{i}"), width: 4, layer: None, per_batch: false };
        Program {
            values: (0..8).map(value).collect(),
            params: vec![],
            ops,
            output: ValueId(7),
            targets: None,
        }
    }

    #[test]
    fn an_input_gradient_takes_the_mask_and_the_activation_behind_it() {
        let [dy, dx, masked, active] = [1, 2, 3, 4].map(ValueId);
        let (factor, v, kernel, f) = (ValueId(5), ValueId(6), ParamId(0), Activation::Tanh);
        let product = Op::MatMulInputGradient { dy, kernel, dx };
        let multiply = Op::Multiply { x: dx, factor, out: masked };
        let after = |dy| Op::ActivateGradient { f, v, dy, dx: active };
        let step = |factor, activation, out| Step::InputGradient { dy, kernel, factor, activation, out };
        for (ops, expected) in [
            (vec![product.clone()], step(None, None, dx)),
            (vec![product.clone(), multiply.clone()], step(Some(factor), None, masked)),
            (vec![product.clone(), after(dx)], step(None, Some((f, v)), active)),
            (vec![product.clone(), multiply, after(masked)], step(Some(factor), Some((f, v)), active)),
        ] {
            assert_eq!(fuse(&program(ops)).last(), Some(&expected));
        }
        // What reads something else stays on its own.
        let stranger = Op::Multiply { x: v, factor, out: masked };
        assert_eq!(fuse(&program(vec![product, stranger])).len(), 4);
    }

    /// Every value that an op leaves for a later one is written by some step before it is read.
    #[test]
    fn nothing_is_read_before_it_is_written() {
        for name in Activation::NAMES {
            let activation = name.parse().unwrap();
            let model = Sequential::new([6])
                .add(Dropout::new(0.1))
                .add(Dense::new(6).activation(activation))
                .add(Dropout::new(0.2).name("second"))
                .add(Dense::new(4).use_bias(false).activation(activation))
                .add(Dense::new(3).activation(Activation::Softmax));
            for purpose in
                [Purpose::Train(crossentropy()), Purpose::Evaluate(crossentropy()), Purpose::Predict]
            {
                let mut written = Vec::new();
                for step in fuse(&lower(&model, purpose).unwrap()) {
                    written.extend(step.writes());
                    let missing: Vec<_> =
                        step.values().into_iter().filter(|id| !written.contains(id)).collect();
                    assert!(missing.is_empty(), "{name}: {step:?} reads {missing:?}");
                }
            }
        }
    }
}
