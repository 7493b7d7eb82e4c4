//! Steps of convolution and pooling.
//!
//! | ops | step |
//! |---|---|
//! | Product, AddBias?, Activate?, Max? | Forward |
//! | InputGradient, Multiply?, ActivateGradient? | InputGradient |
//! | KernelGradient, Regularize?, Update | KernelUpdate |
//! | BiasGradient, Regularize?, Update | BiasUpdate |
//! | MaxGradient of windows that do not overlap | made by the steps that read it, as they need it |

use super::{Group, Step};
use crate::activations::Activation;
use crate::ops::{ConvOp, Convolution, Op, ParamId, PoolOp, ValueId};
use crate::regularizers::Regularizer;
use crate::window::Window;

/// A step of convolution.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the ops that the step stands for")]
pub enum ConvStep {
    /// `convolved = x ∗ kernel + bias`, `active = f(convolved)`, and its largest numbers.
    Forward {
        x: ValueId,
        kernel: ParamId,
        bias: Option<ParamId>,
        of: Convolution,
        /// Where `x ∗ kernel + bias` is kept, where it is not `active` and somebody else reads it.
        convolved: Option<ValueId>,
        activation: Activation,
        /// Where `f(·)` is kept, where pooling is not all that reads it.
        active: Option<ValueId>,
        pool: Option<MaxPool>,
    },
    /// `out = dx·factor·f′(v)`
    InputGradient {
        dy: OutputGradient,
        kernel: ParamId,
        of: Convolution,
        factor: Option<ValueId>,
        activation: Option<(Activation, ValueId)>,
        out: ValueId,
    },
    KernelUpdate {
        x: ValueId,
        dy: OutputGradient,
        kernel: ParamId,
        of: Convolution,
        regularizer: Option<Regularizer>,
    },
    BiasUpdate {
        dy: OutputGradient,
        bias: ParamId,
        regularizer: Option<Regularizer>,
    },
}

/// The pooling that a forward step ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the op")]
pub struct MaxPool {
    pub window: Window,
    pub out: ValueId,
    pub position: Option<ValueId>,
}

/// The gradient of a convolution's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutputGradient {
    /// A value.
    Plain(ValueId),
    /// Not kept, but made of the gradient of the pooling behind it.
    #[expect(missing_docs, reason = "the fields are those of the op")]
    Pooled { dy: ValueId, position: ValueId, window: Window },
}

impl OutputGradient {
    fn values(self) -> Vec<ValueId> {
        match self {
            Self::Plain(dy) => vec![dy],
            Self::Pooled { dy, position, .. } => vec![dy, position],
        }
    }

    /// Whether it is made of pooling's gradient.
    pub fn is_pooled(self) -> bool {
        matches!(self, Self::Pooled { .. })
    }
}

impl ConvStep {
    /// The values that the step reads or writes.
    pub fn values(&self) -> Vec<ValueId> {
        let mut values = match *self {
            Self::Forward { x, .. } => vec![x],
            Self::InputGradient { dy, factor, activation, .. } => {
                let others = [factor, activation.map(|(_, v)| v)];
                others.into_iter().flatten().chain(dy.values()).collect()
            }
            Self::KernelUpdate { x, dy, .. } => [vec![x], dy.values()].concat(),
            Self::BiasUpdate { dy, .. } => dy.values(),
        };
        values.extend(self.writes());
        values
    }

    /// The values that the step writes.
    pub fn writes(&self) -> Vec<ValueId> {
        match *self {
            Self::Forward { convolved, active, pool, .. } => {
                let pooled = [pool.map(|pool| pool.out), pool.and_then(|pool| pool.position)];
                [convolved, active].into_iter().chain(pooled).flatten().collect()
            }
            Self::InputGradient { out, .. } => vec![out],
            Self::KernelUpdate { .. } | Self::BiasUpdate { .. } => vec![],
        }
    }

    /// What the step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Forward { pool: None, .. } => "Conv",
            Self::Forward { pool: Some(_), .. } => "Conv, MaxPool",
            Self::InputGradient { .. } => "ConvInputGradient",
            Self::KernelUpdate { .. } => "ConvKernelUpdate",
            Self::BiasUpdate { .. } => "ConvBiasUpdate",
        }
    }

    /// The variable that the step reads or moves.
    pub fn param(&self) -> ParamId {
        match *self {
            Self::Forward { kernel, .. }
            | Self::InputGradient { kernel, .. }
            | Self::KernelUpdate { kernel, .. } => kernel,
            Self::BiasUpdate { bias, .. } => bias,
        }
    }

    /// Whether the step moves its variable.
    pub fn is_update(&self) -> bool {
        matches!(self, Self::KernelUpdate { .. } | Self::BiasUpdate { .. })
    }

    /// How often a sample meets each number of the variable in a product.
    pub fn places(&self) -> usize {
        match self {
            Self::Forward { of, .. } | Self::InputGradient { of, .. } | Self::KernelUpdate { of, .. } => {
                of.window.places()
            }
            Self::BiasUpdate { .. } => 0,
        }
    }

    /// The gradient that the step reads.
    fn gradient(&mut self) -> Option<&mut OutputGradient> {
        match self {
            Self::Forward { .. } => None,
            Self::InputGradient { dy, .. } | Self::KernelUpdate { dy, .. } | Self::BiasUpdate { dy, .. } => {
                Some(dy)
            }
        }
    }
}

impl Group<'_> {
    /// The next ops as one step, where they are a convolution's.
    pub(super) fn convolution(&self) -> Option<(Step, usize)> {
        let Op::Conv(op) = *self.rest.first()? else { return None };
        let (step, taken) = match op {
            ConvOp::Product { x, kernel, of, out } => self.forward(x, kernel, of, out),
            ConvOp::InputGradient { dy, kernel, of, dx } => {
                let (factor, activation, out, taken) = self.behind_input_gradient(dx);
                let dy = OutputGradient::Plain(dy);
                (ConvStep::InputGradient { dy, kernel, of, factor, activation, out }, taken)
            }
            ConvOp::KernelGradient { x, dy, kernel, of } => {
                let (regularizer, taken) = self.regularize_and_update();
                let dy = OutputGradient::Plain(dy);
                (ConvStep::KernelUpdate { x, dy, kernel, of, regularizer }, taken)
            }
            ConvOp::BiasGradient { dy, bias } => {
                let (regularizer, taken) = self.regularize_and_update();
                (ConvStep::BiasUpdate { dy: OutputGradient::Plain(dy), bias, regularizer }, taken)
            }
            ConvOp::AddBias { .. } => unreachable!("always behind a product: {op:?}"),
        };
        Some((Step::Conv(step), taken))
    }

    fn forward(&self, x: ValueId, kernel: ParamId, of: Convolution, out: ValueId) -> (ConvStep, usize) {
        let (mut taken, mut convolved, mut bias) = (1, out, None);
        if let Some(&Op::Conv(ConvOp::AddBias { x, bias: b, out })) = self.rest.get(taken)
            && x == convolved
        {
            (taken, convolved, bias) = (taken + 1, out, Some(b));
        }
        let (mut activation, mut active) = (Activation::Linear, convolved);
        if let Some(&Op::Activate { f, x, out }) = self.rest.get(taken)
            && x == convolved
        {
            (taken, activation, active) = (taken + 1, f, out);
        }
        let mut pool = None;
        if let Some(&Op::Pool(PoolOp::Max { x, window, out, position })) = self.rest.get(taken)
            && x == active
        {
            (taken, pool) = (taken + 1, Some(MaxPool { window, out, position }));
        }
        let convolved = self.kept(convolved, taken).filter(|&value| value != active);
        let active = if pool.is_some() { self.kept(active, taken) } else { Some(active) };
        (ConvStep::Forward { x, kernel, bias, of, convolved, activation, active, pool }, taken)
    }
}

/// Takes out the steps that give the gradient of pooling, where only convolutions read it and make it for themselves.
pub(super) fn unpool_where_read(steps: &mut Vec<Step>) {
    let candidate = |step: &Step| match *step {
        Step::Pool(PoolOp::MaxGradient { dy, position, window, dx }) if window.is_disjoint() => {
            Some((dx, OutputGradient::Pooled { dy, position, window }))
        }
        _ => None,
    };
    let candidates: Vec<_> = steps.iter().filter_map(candidate).collect();
    for (dx, pooled) in candidates {
        let reads = |step: &&mut Step| step.values().contains(&dx) && !step.writes().contains(&dx);
        let is_gradient = |dy: &mut OutputGradient| *dy == OutputGradient::Plain(dx);
        let makes_it = |step: &mut Step| match step {
            Step::Conv(step) => step.gradient().is_some_and(is_gradient),
            _ => false,
        };
        if !steps.iter_mut().filter(reads).all(makes_it) {
            continue;
        }
        steps.retain(|step| !matches!(*step, Step::Pool(PoolOp::MaxGradient { dx: id, .. }) if id == dx));
        let gradients = steps.iter_mut().filter_map(|step| match step {
            Step::Conv(step) => step.gradient(),
            _ => None,
        });
        gradients.filter(|dy| **dy == OutputGradient::Plain(dx)).for_each(|dy| *dy = pooled);
    }
}

#[cfg(test)]
mod tests {
    use crate::losses::Loss;
    use crate::plan::fuse::{Step, fuse};
    use crate::plan::lower::{Purpose, lower};
    use crate::prelude::*;

    fn steps(model: &Sequential) -> Vec<String> {
        let loss = "sparse_categorical_crossentropy".parse::<Loss>().unwrap();
        let program = lower(model, Purpose::Train(loss)).unwrap();
        let name = |id: &crate::ops::ValueId| program.values[id.0].name.clone();
        let line = |step: &Step| {
            let written = step.writes().iter().map(name).collect::<Vec<_>>().join(", ");
            format!("{} → {written}", step.name()).trim_end_matches(" → ").to_owned()
        };
        fuse(&program).iter().map(line).collect()
    }

    /// Neither the convolutions' outputs nor their gradients are kept: only what is left after pooling.
    #[test]
    fn between_convolution_and_pooling_nothing_is_kept() {
        let conv = |filters| Conv2D::new(filters, 3).activation(Activation::Relu);
        let model = Sequential::new([12, 12, 1])
            .add(conv(4))
            .add(MaxPooling2D::new(2))
            .add(conv(8))
            .add(MaxPooling2D::new(2))
            .add(Flatten::new())
            .add(Dropout::new(0.5))
            .add(Dense::new(3).activation(Activation::Softmax));
        assert_eq!(
            steps(&model),
            [
                "Gather → input",
                "DropoutMask → dropout/mask",
                "Conv, MaxPool → max_pooling2d/max, max_pooling2d/position",
                "Conv, MaxPool → max_pooling2d_1/max, max_pooling2d_1/position",
                "Multiply → dropout/dropped",
                "Dense → dense/bias_add",
                "SoftmaxCrossentropy → dense/softmax, loss/gradient",
                "Transpose",
                "Accuracy",
                "InputGradient → max_pooling2d_1/max/gradient/gradient",
                "ConvInputGradient → max_pooling2d/max/gradient/gradient",
                "BiasUpdate",
                "KernelUpdate",
                "ConvBiasUpdate",
                "ConvKernelUpdate",
                "ConvBiasUpdate",
                "ConvKernelUpdate",
            ]
        );
    }

    /// Overlapping windows add up, and an activation whose gradient wants its input cannot be undone behind pooling.
    #[test]
    fn what_cannot_be_made_again_is_kept() {
        let model = |activation, strides: usize| {
            Sequential::new([9, 9, 1])
                .add(Conv2D::new(4, 3).activation(activation))
                .add(MaxPooling2D::new(3).strides(strides))
                .add(Flatten::new())
                .add(Dense::new(3).activation(Activation::Softmax))
        };
        let overlapping = steps(&model(Activation::Tanh, 2));
        assert!(overlapping.iter().any(|step| step.starts_with("MaxGradient →")), "{overlapping:?}");
        let by_input = steps(&model(Activation::Silu, 3));
        assert!(by_input.iter().any(|step| step.starts_with("MaxGradient →")), "{by_input:?}");
        assert!(
            by_input[1].starts_with("Conv, MaxPool → conv2d/bias_add, max_pooling2d/max"),
            "{by_input:?}"
        );
    }
}
