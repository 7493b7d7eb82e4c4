//! Dense: `y = activation(x·kernel + bias)`, kernel `[inputs, units]`.
//!
//! Source: Keras `keras/src/layers/core/dense.py`. Defaults: linear, with a bias, kernel
//! `glorot_uniform`, bias `zeros`.

use super::{LayerRule, check_activity_regularizer, is_on, on};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{Forward, Op, ParamSpec, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::{MAX_SAMPLE, Shape};
use serde::{Deserialize, Serialize};

/// A fully connected layer.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let layer = Dense::new(128).activation(Activation::Relu).kernel_regularizer(Regularizer::l2(1e-4));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    units: usize,
    #[serde(default)]
    activation: Activation,
    #[serde(default = "on")]
    use_bias: bool,
    #[serde(default = "kernel_default")]
    kernel_initializer: Initializer,
    #[serde(default = "bias_default")]
    bias_initializer: Initializer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernel_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bias_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernel_constraint: Option<Constraint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bias_constraint: Option<Constraint>,
}

fn kernel_default() -> Initializer {
    Initializer::GlorotUniform { seed: None }
}

fn bias_default() -> Initializer {
    Initializer::Zeros
}

impl Dense {
    /// A layer of `units` outputs, with Keras's defaults.
    pub fn new(units: usize) -> Self {
        Self {
            name: None,
            trainable: true,
            units,
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: kernel_default(),
            bias_initializer: bias_default(),
            kernel_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
        }
    }

    /// Names the layer; by default Keras's `dense`, `dense_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether its variables are trained; they are by default.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Sets what is done with the outputs.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Whether a bias is added.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    pub fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
        self
    }

    /// Sets the kernel's penalty.
    pub fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    /// Sets the bias's penalty.
    pub fn bias_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.bias_regularizer = Some(regularizer.into());
        self
    }

    /// Sets the penalty on the outputs: per sample, so that it does not depend on the size of the batch.
    pub fn activity_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.activity_regularizer = Some(regularizer.into());
        self
    }

    /// Sets what the kernel is brought back to after every step.
    pub fn kernel_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.kernel_constraint = Some(constraint.into());
        self
    }

    /// Sets what the bias is brought back to after every step.
    pub fn bias_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.bias_constraint = Some(constraint.into());
        self
    }
}

impl LayerRule for Dense {
    fn class_name(&self) -> &'static str {
        "Dense"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        if !(1..=MAX_SAMPLE).contains(&self.units) {
            return Err(format!("units: expected 1 to {MAX_SAMPLE}, received {}", self.units));
        }
        self.activation.validate().map_err(|error| format!("activation: {error}"))?;
        check_activity_regularizer(self.activity_regularizer)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        match input.axes() {
            [_] => Ok(Shape::from([self.activation.output_width(self.units)?])),
            _ => Err(format!(
                "expected one axis per sample, received the shape {input}; put a Flatten layer before it"
            )),
        }
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let kernel = ParamSpec::new("kernel", vec![input.size(), self.units], self.kernel_initializer)
            .regularizer(self.kernel_regularizer)
            .constraint(self.kernel_constraint.clone());
        let bias = ParamSpec::new("bias", vec![self.units], self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint.clone());
        if self.use_bias { vec![kernel, bias] } else { vec![kernel] }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let params: Vec<_> = self.params(input).into_iter().map(|spec| to.param(spec)).collect();
        let mut y = to.value("matmul", self.units);
        to.push(Op::MatMul { x, kernel: params[0], out: y });
        if let Some(&bias) = params.get(1) {
            let out = to.value_like("bias_add", y);
            to.push(Op::AddBias { x: y, bias, out });
            y = out;
        }
        y = to.activate(self.activation, y);
        to.penalize(self.activity_regularizer, y);
        y
    }
}
