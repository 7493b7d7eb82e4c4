//! Ops → steps: neighbours that one kernel can do in one pass become one step.
//!
//! The rules, tried in this order at every op; `?` may be missing, and what a group writes for
//! itself alone is never stored:
//!
//! | ops | step |
//! |---|---|
//! | DropoutMask | itself, before everything else: it depends on nothing |
//! | MatMul, AddBias?, Activate?, Multiply? | Dense |
//! | MatMulInputGradient, Multiply?, ActivateGradient? | InputGradient |
//! | MatMulKernelGradient, Regularize?, Update | KernelUpdate |
//! | BiasGradient, Regularize?, Update | BiasUpdate |
//! | any other op | itself |
//!
//! Fusion never changes a bit: it changes where numbers are kept, not how they are computed.

use crate::activations::Activation;
use crate::losses::Loss;
use crate::ops::{Op, ParamId, Program, ValueId};
use crate::regularizers::Regularizer;

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
    DropoutMask {
        rate: f64,
        stream: String,
        out: ValueId,
    },
    Multiply {
        x: ValueId,
        factor: ValueId,
        out: ValueId,
    },
    SoftmaxCrossentropy {
        smoothing: f64,
        logits: ValueId,
        probabilities: ValueId,
        dlogits: Option<ValueId>,
    },
    Loss {
        loss: Loss,
        prediction: ValueId,
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
}

/// Makes steps of a program's ops.
pub fn fuse(program: &Program) -> Vec<Step> {
    let mut steps = vec![Step::Gather { out: ValueId(0) }];
    let (mut ops, others): (Vec<Op>, Vec<Op>) =
        program.ops.iter().cloned().partition(|op| matches!(op, Op::DropoutMask { .. }));
    ops.extend(others);
    let mut rest: &[Op] = &ops;
    while let Some(first) = rest.first() {
        let group = Group { all: &ops, output: program.output, rest };
        let (step, taken) = group
            .dense()
            .or_else(|| group.input_gradient())
            .or_else(|| group.kernel_update())
            .or_else(|| group.bias_update())
            .unwrap_or_else(|| (single(first), 1));
        if let Step::InputGradient { dy, .. } = step {
            add_transpose(&mut steps, dy);
        }
        steps.push(step);
        rest = &rest[taken..];
    }
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
        Some((Step::InputGradient { dy, kernel, factor, activation, out }, taken))
    }

    /// The penalty's gradient and the update that follow a gradient, and how many ops they are.
    fn regularize_and_update(&self) -> (Option<Regularizer>, usize) {
        match self.rest.get(1) {
            Some(&Op::Regularize { regularizer, .. }) => (Some(regularizer), 3),
            _ => (None, 2),
        }
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
}

/// The step of an op that no rule took.
fn single(op: &Op) -> Step {
    match op.clone() {
        Op::Activate { f, x, out } => Step::Activate { f, x, out },
        Op::Softmax { x, out } => Step::Softmax { x, out },
        Op::Affine { scale, offset, x, out } => Step::Affine { scale, offset, x, out },
        Op::AffineGradient { scale, dy, dx } => Step::Affine { scale, offset: 0.0, x: dy, out: dx },
        Op::DropoutMask { rate, stream, out } => Step::DropoutMask { rate, stream, out },
        Op::Multiply { x, factor, out } => Step::Multiply { x, factor, out },
        Op::SoftmaxCrossentropy { smoothing, logits, probabilities, dlogits } => {
            Step::SoftmaxCrossentropy { smoothing, logits, probabilities, dlogits }
        }
        Op::Loss { loss, prediction, dprediction } => Step::Loss { loss, prediction, dprediction },
        Op::Accuracy { prediction } => Step::Accuracy { prediction },
        Op::Penalty { param, regularizer } => Step::Penalty { param, regularizer },
        Op::ActivateGradient { f, v, dy, dx } => Step::ActivateGradient { f, v, dy, dx },
        Op::SoftmaxGradient { y, dy, dx } => Step::SoftmaxGradient { y, dy, dx },
        // Layers write these only in the groups above: MatMul starts one, AddBias follows a
        // MatMul, and every gradient of a variable is followed by its update.
        Op::MatMul { .. }
        | Op::AddBias { .. }
        | Op::MatMulInputGradient { .. }
        | Op::MatMulKernelGradient { .. }
        | Op::BiasGradient { .. }
        | Op::Regularize { .. }
        | Op::Update { .. } => unreachable!("always part of a group: {op:?}"),
    }
}
