//! Dense: `y = activation(x·kernel + bias)`, kernel `[inputs, units]`.
//!
//! Source: Keras `keras/src/layers/core/dense.py`. Defaults: linear, with a bias, kernel
//! `glorot_uniform`, bias `zeros`.

use super::setters::setters;
use super::{LayerRule, is_on, on};
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

pub(super) fn kernel_default() -> Initializer {
    Initializer::GlorotUniform { seed: None }
}

pub(super) fn bias_default() -> Initializer {
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

    /// The same layer with another number of outputs.
    pub fn units(mut self, units: usize) -> Self {
        self.units = units;
        self
    }

    setters!(name "dense");
    setters!(trainable);
    setters!(activation);
    setters!(use_bias);
    setters!(variable "the kernel": kernel_initializer, kernel_regularizer, kernel_constraint);
    setters!(variable "the bias": bias_initializer, bias_regularizer, bias_constraint);
    setters!(activity_regularizer);
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
        self.activation.validate().map_err(|error| format!("activation: {error}"))
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
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
        to.activate(self.activation, y)
    }
}
