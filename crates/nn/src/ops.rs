//! The words between layers and plan: layers and losses write them, the plan reads them, kernels
//! carry them out.
//!
//! A model is a chain, so its program is a list. Every value has one row per sample; every
//! variable ("param") is a matrix `[rows, cols]`.

pub(crate) mod augment;
mod channel;
pub(crate) mod noise;
mod normalize;
mod rowwise;

pub use augment::{
    Affine, Augment, Bounds, Change, Contrast, Erase, FillMode, Flip, Interpolation, Motion, Picture,
};
pub use channel::{Channel, ChannelForm};
pub use noise::{Draws, Noise};
pub use normalize::{FixedForm, Normalize, RunForm, Statistics};
pub use rowwise::Rowwise;

use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::losses::Loss;
use crate::regularizers::Regularizer;

mod conv;
mod optimize;
mod pool;

pub use conv::{ConvOp, Convolution};
pub use optimize::OptimizeOp;
pub use pool::PoolOp;

/// A value: a matrix with one row per sample of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub usize);

/// A variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub usize);

/// What is known of a value.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it holds, for people: `dense/matmul`.
    pub name: String,
    /// How many numbers per sample.
    pub width: usize,
    /// The layer that makes it; `None` for what the loss makes.
    pub layer: Option<usize>,
    /// Whether it has one row for the whole batch instead of one per sample.
    pub per_batch: bool,
}

/// A variable that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Its role in the layer, as Keras names it: `kernel`, `bias`.
    pub role: &'static str,
    /// What the layer's options for it are called: `kernel` as in `kernel_constraint`.
    pub options: &'static str,
    /// Its shape, as Keras has it: kernels `[inputs, outputs]`.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initializer: Initializer,
    /// Its penalty.
    pub regularizer: Option<Regularizer>,
    /// What it is brought back to after every step.
    pub constraint: Option<Constraint>,
    /// Whether the optimizer moves it; moving statistics are not trained.
    pub trainable: bool,
    /// Whether its numbers stand in one row, however many axes it has; a kernel's stand in rows.
    pub one_row: bool,
}

/// A variable of the program.
#[derive(Clone, Debug)]
pub struct Param {
    /// Keras's name: `dense/kernel`.
    pub name: String,
    /// The layer it belongs to.
    pub layer: usize,
    /// What the layer asked for; not trainable where the layer is not.
    pub spec: ParamSpec,
}

impl ParamSpec {
    /// A trained variable without a penalty, its numbers in rows of the last axis.
    pub(crate) fn new(role: &'static str, shape: Vec<usize>, initializer: Initializer) -> Self {
        Self {
            role,
            options: role,
            shape,
            initializer,
            regularizer: None,
            constraint: None,
            trainable: true,
            one_row: false,
        }
    }

    /// Names the layer's options for it, where they are not called like the variable.
    pub(crate) fn options_called(mut self, options: &'static str) -> Self {
        self.options = options;
        self
    }

    /// Its numbers stand in one row.
    pub(crate) fn in_one_row(mut self) -> Self {
        self.one_row = true;
        self
    }

    /// The optimizer does not move it.
    pub(crate) fn fixed(mut self) -> Self {
        self.trainable = false;
        self
    }

    /// Sets the penalty.
    pub(crate) fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// Sets the constraint.
    pub(crate) fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }

    /// Says what is wrong with how it starts, its penalty or its constraint, if anything is.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let Self { options, shape, initializer, .. } = self;
        let started = initializer.validate().and_then(|()| initializer.validate_shape(shape));
        started.map_err(|problem| format!("{options}_initializer: {problem}"))?;
        if let Some(regularizer) = &self.regularizer {
            let matrix = if self.one_row { &[] } else { shape.as_slice() };
            let valid = regularizer.validate().and_then(|()| regularizer.validate_shape(matrix));
            valid.map_err(|problem| format!("{options}_regularizer: {problem}"))?;
        }
        if let Some(constraint) = &self.constraint {
            let valid = constraint.validate().and_then(|()| constraint.validate_shape(shape));
            valid.map_err(|problem| format!("{options}_constraint: {problem}"))?;
            if self.one_row && constraint.axes().is_some() && shape.len() > 1 {
                return Err(format!(
                    "{options}_constraint: expected one without norms, received {}",
                    constraint.name()
                ));
            }
        }
        Ok(())
    }

    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Param {
    /// The penalty that counts: that of a trained variable, where there is one.
    pub fn penalty(&self) -> Option<Regularizer> {
        self.spec.regularizer.filter(|regularizer| self.spec.trainable && !regularizer.is_none())
    }

    /// Rows of the matrix: the product of all axes but the last, or 1.
    pub fn rows(&self) -> usize {
        if self.spec.one_row { 1 } else { self.spec.shape.iter().rev().skip(1).product() }
    }

    /// Columns of the matrix: the last axis, or all numbers.
    pub fn cols(&self) -> usize {
        if self.spec.one_row { self.count() } else { self.spec.shape.last().copied().unwrap_or(1) }
    }

    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.spec.count()
    }
}

/// One operation. `out` and everything that starts with `d` is written, the rest is read.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the symbols of the equation above each of them")]
pub enum Op {
    /// `out[b,j] = Σₖ x[b,k]·kernel[k,j]`, ascending k.
    MatMul { x: ValueId, kernel: ParamId, out: ValueId },
    /// `out[b,j] = x[b,j] + bias[j]`
    AddBias { x: ValueId, bias: ParamId, out: ValueId },
    /// `out = f(x)`
    Activate { f: Activation, x: ValueId, out: ValueId },
    /// `out[b,·] = softmax(x[b,·])`
    Softmax { x: ValueId, out: ValueId },
    /// Another function of a row.
    Rowwise(Rowwise),
    /// `out = scale·x + offset`
    Affine { scale: f64, offset: f64, x: ValueId, out: ValueId },
    /// `out = x·factor`; `factor` is not trained.
    Multiply { x: ValueId, factor: ValueId, out: ValueId },
    /// One number of a variable per channel, and moved axes.
    Channel(Channel),
    /// Mean 0 and variance 1.
    Normalize(Normalize),
    /// Random numbers, drawn anew at every step.
    Noise(Noise),
    /// Changes of pictures, drawn anew at every step.
    Augment(Augment),
    /// Loss of every sample from logits; `probabilities = softmax(logits)`.
    SoftmaxCrossentropy { loss: Loss, logits: ValueId, probabilities: ValueId, dlogits: Option<ValueId> },
    /// `sums[b] = (Σtp, Σt, Σp)` over the outputs of each sample.
    LossSums { prediction: ValueId, sums: ValueId },
    /// Loss of every sample; of the whole batch where there are `sums`.
    Loss { loss: Loss, prediction: ValueId, sums: Option<ValueId>, dprediction: Option<ValueId> },
    /// Whether the largest output is the right one.
    Accuracy { prediction: ValueId },
    /// The regularizer's penalty on a variable, added to the batch's loss.
    Penalty { param: ParamId, regularizer: Regularizer },
    /// `dx[b,k] = Σⱼ dy[b,j]·kernel[k,j]`, ascending j.
    MatMulInputGradient { dy: ValueId, kernel: ParamId, dx: ValueId },
    /// `g[k,j] = Σ_b x[b,k]·dy[b,j]`, ascending b.
    MatMulKernelGradient { x: ValueId, dy: ValueId, kernel: ParamId },
    /// `g[j] = Σ_b dy[b,j]`, ascending b.
    BiasGradient { dy: ValueId, bias: ParamId },
    /// `dx = f′·dy`; `v` is f's input or output, as f wants.
    ActivateGradient { f: Activation, v: ValueId, dy: ValueId, dx: ValueId },
    /// `dx = y·(dy − Σ dy·y)`
    SoftmaxGradient { y: ValueId, dy: ValueId, dx: ValueId },
    /// The penalty on a value, over the number of samples, added to the batch's loss.
    ActivityPenalty { regularizer: Regularizer, x: ValueId },
    /// `dx = dy` and the penalty's own gradient, over the number of samples.
    ActivityGradient { regularizer: Regularizer, x: ValueId, dy: ValueId, dx: ValueId },
    /// `dx = scale·dy`
    AffineGradient { scale: f64, dy: ValueId, dx: ValueId },
    /// `g` and the penalty's own gradient.
    Regularize { param: ParamId, regularizer: Regularizer },
    /// `w` decays and moves by the optimizer's rule, as soon as its gradient is there; the gradient may be clipped number by
    /// number.
    Update { param: ParamId },
    /// See [`ConvOp`].
    Conv(ConvOp),
    /// See [`PoolOp`].
    Pool(PoolOp),
    /// What the optimizer does with whole gradients and variables.
    Optimize(OptimizeOp),
}

/// A model in ops: what predicts, what scores, or one step of training.
#[derive(Clone, Debug)]
pub struct Program {
    /// Every value; `values[0]` is the input.
    pub values: Vec<Value>,
    /// Every variable.
    pub params: Vec<Param>,
    /// What is done, in order.
    pub ops: Vec<Op>,
    /// What the last layer gives.
    pub output: ValueId,
    /// What the targets became, where a layer mixes them.
    pub targets: Option<ValueId>,
}

impl Op {
    /// The values that it writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::MatMul { out, .. }
            | Self::AddBias { out, .. }
            | Self::Activate { out, .. }
            | Self::Softmax { out, .. }
            | Self::Affine { out, .. }
            | Self::Multiply { out, .. } => vec![out],
            Self::MatMulInputGradient { dx, .. }
            | Self::ActivateGradient { dx, .. }
            | Self::SoftmaxGradient { dx, .. }
            | Self::ActivityGradient { dx, .. }
            | Self::AffineGradient { dx, .. } => vec![dx],
            Self::Rowwise(ref op) => op.writes(),
            Self::Channel(ref op) => op.writes(),
            Self::Normalize(ref op) => op.writes(),
            Self::Noise(ref op) => op.writes(),
            Self::Augment(ref op) => op.writes(),
            Self::SoftmaxCrossentropy { probabilities, dlogits, .. } => {
                [Some(probabilities), dlogits].into_iter().flatten().collect()
            }
            Self::LossSums { sums, .. } => vec![sums],
            Self::Loss { dprediction, .. } => dprediction.into_iter().collect(),
            Self::Accuracy { .. }
            | Self::Penalty { .. }
            | Self::ActivityPenalty { .. }
            | Self::MatMulKernelGradient { .. }
            | Self::BiasGradient { .. }
            | Self::Regularize { .. }
            | Self::Optimize(_)
            | Self::Update { .. } => vec![],
            Self::Conv(op) => op.writes(),
            Self::Pool(op) => op.writes(),
        }
    }

    /// The variables whose gradient it gives.
    pub fn params(&self) -> Vec<ParamId> {
        match *self {
            Self::MatMul { kernel, .. } => vec![kernel],
            Self::AddBias { bias, .. } => vec![bias],
            Self::Channel(ref op) => op.param().into_iter().collect(),
            Self::Conv(op) => op.params(),
            _ => vec![],
        }
    }

    /// The values that it reads.
    pub fn reads(&self) -> Vec<ValueId> {
        match *self {
            Self::MatMul { x, .. }
            | Self::AddBias { x, .. }
            | Self::Activate { x, .. }
            | Self::Softmax { x, .. }
            | Self::Affine { x, .. } => vec![x],
            Self::Multiply { x, factor, .. } => vec![x, factor],
            Self::Rowwise(ref op) => op.reads(),
            Self::Channel(ref op) => op.reads(),
            Self::Normalize(ref op) => op.reads(),
            Self::Noise(ref op) => op.reads(),
            Self::Augment(ref op) => op.reads(),
            Self::SoftmaxCrossentropy { logits, .. } => vec![logits],
            Self::Loss { prediction, sums, .. } => std::iter::once(prediction).chain(sums).collect(),
            Self::LossSums { prediction, .. } | Self::Accuracy { prediction } => vec![prediction],
            Self::MatMulInputGradient { dy, .. }
            | Self::BiasGradient { dy, .. }
            | Self::AffineGradient { dy, .. } => vec![dy],
            Self::MatMulKernelGradient { x, dy, .. } => vec![x, dy],
            Self::ActivityPenalty { x, .. } => vec![x],
            Self::ActivityGradient { x, dy, .. } => vec![x, dy],
            Self::ActivateGradient { v, dy, .. } => vec![v, dy],
            Self::SoftmaxGradient { y, dy, .. } => vec![y, dy],
            Self::Penalty { .. } | Self::Regularize { .. } | Self::Optimize(_) | Self::Update { .. } => {
                vec![]
            }
            Self::Conv(op) => op.reads(),
            Self::Pool(op) => op.reads(),
        }
    }
}

/// Where layers write their forward ops.
#[derive(Debug)]
pub struct Forward {
    pub(crate) values: Vec<Value>,
    pub(crate) params: Vec<Param>,
    pub(crate) ops: Vec<Op>,
    pub(crate) layer: usize,
    pub(crate) layer_name: String,
    /// Whether the layer's variables are trained.
    pub(crate) trainable: bool,
    /// Whether ops that are active in training only are wanted.
    pub(crate) training: bool,
    /// What the targets have become so far.
    pub(crate) targets: Option<ValueId>,
}

impl Forward {
    /// Starts with the input as value 0.
    pub(crate) fn new(input_width: usize, training: bool) -> Self {
        let input = Value { name: "input".into(), width: input_width, layer: None, per_batch: false };
        Self {
            values: vec![input],
            params: vec![],
            ops: vec![],
            layer: 0,
            layer_name: String::new(),
            trainable: true,
            training,
            targets: None,
        }
    }

    /// A new value of this layer.
    pub(crate) fn value(&mut self, what: &str, width: usize) -> ValueId {
        let name = format!("{}/{what}", self.layer_name);
        self.values.push(Value { name, width, layer: Some(self.layer), per_batch: false });
        ValueId(self.values.len() - 1)
    }

    /// A new value of this layer with one row for the whole batch.
    pub(crate) fn batch_value(&mut self, what: &str, width: usize) -> ValueId {
        let value = self.value(what, width);
        self.values[value.0].per_batch = true;
        value
    }

    /// A value as wide as another.
    pub(crate) fn value_like(&mut self, what: &str, x: ValueId) -> ValueId {
        self.value(what, self.width(x))
    }

    /// How many numbers per sample a value has.
    pub(crate) fn width(&self, x: ValueId) -> usize {
        self.values[x.0].width
    }

    /// A new variable of this layer.
    pub(crate) fn param(&mut self, mut spec: ParamSpec) -> ParamId {
        let name = format!("{}/{}", self.layer_name, spec.role);
        spec.trainable &= self.trainable;
        self.params.push(Param { name, layer: self.layer, spec });
        ParamId(self.params.len() - 1)
    }

    /// Writes the mix of the targets. The value gets its width when the model's outputs are known.
    pub(crate) fn mix_targets(&mut self, mix: ValueId) {
        let out = self.value("targets", 0);
        self.push(Op::Augment(Augment::MixTargets { from: self.targets, mix, out }));
        self.targets = Some(out);
    }

    /// Whether the optimizer moves a variable.
    pub(crate) fn trains(&self, param: ParamId) -> bool {
        self.params[param.0].spec.trainable
    }

    /// A new value for the gradient of another.
    pub(crate) fn gradient_value(&mut self, of: ValueId) -> ValueId {
        let mut value = self.values[of.0].clone();
        value.name += "/gradient";
        self.values.push(value);
        ValueId(self.values.len() - 1)
    }

    /// Writes an op.
    pub(crate) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Writes the penalty on a layer's output, if it has one.
    pub(crate) fn penalize(&mut self, regularizer: Option<Regularizer>, x: ValueId) {
        if let Some(regularizer) = regularizer.filter(|regularizer| !regularizer.is_none()) {
            self.push(Op::ActivityPenalty { regularizer, x });
        }
    }

    /// Writes an activation and gives its output.
    pub(crate) fn activate(&mut self, f: Activation, x: ValueId) -> ValueId {
        if f == Activation::Linear {
            return x;
        }
        // The layer has refused a width that the function cannot take.
        let width = f.output_width(self.width(x)).unwrap_or(self.width(x));
        let out = self.value(f.name(), width);
        self.push(match f.row_function() {
            Some(f) => Op::Rowwise(Rowwise::Value { f, x, out }),
            None if f == Activation::Softmax => Op::Softmax { x, out },
            None => Op::Activate { f, x, out },
        });
        out
    }
}
