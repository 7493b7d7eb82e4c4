//! DepthwiseConv2D: every channel has filters of its own, `depth_multiplier` of them; kernel
//! `[rows, columns, channels, depth_multiplier]`, output channel `c·depth_multiplier + m`.
//!
//! Source: Keras `keras/src/layers/convolutional/base_depthwise_conv.py`. Defaults as Conv2D, multiplier 1.

use super::conv2d::{check_activation, check_window, lower_convolution, one};
use super::dense::{bias_default, kernel_default};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{Convolution, Forward, ParamSpec, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::{MAX_SAMPLE, Shape};
use crate::window::{Padding, Pair, Window, picture};
use serde::{Deserialize, Serialize};

/// A convolution of every channel by itself.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let layer = DepthwiseConv2D::new(3).depth_multiplier(2).activation(Activation::Relu);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthwiseConv2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    kernel_size: Pair,
    #[serde(default = "one")]
    strides: Pair,
    #[serde(default)]
    padding: Padding,
    #[serde(default = "one_filter")]
    depth_multiplier: usize,
    #[serde(default = "one")]
    dilation_rate: Pair,
    #[serde(default)]
    activation: Activation,
    #[serde(default = "on")]
    use_bias: bool,
    #[serde(default = "kernel_default")]
    depthwise_initializer: Initializer,
    #[serde(default = "bias_default")]
    bias_initializer: Initializer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    depthwise_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bias_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    depthwise_constraint: Option<Constraint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bias_constraint: Option<Constraint>,
}

fn one_filter() -> usize {
    1
}

impl DepthwiseConv2D {
    /// A layer of one filter of `kernel_size` rows and columns per channel, with Keras's defaults.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        Self {
            name: None,
            trainable: true,
            kernel_size: kernel_size.into(),
            strides: one(),
            padding: Padding::Valid,
            depth_multiplier: 1,
            dilation_rate: one(),
            activation: Activation::Linear,
            use_bias: true,
            depthwise_initializer: kernel_default(),
            bias_initializer: bias_default(),
            depthwise_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            depthwise_constraint: None,
            bias_constraint: None,
        }
    }

    setters!(name "depthwise_conv2d");
    setters!(trainable);
    setters!(activation);
    setters!(use_bias);
    setters!(variable "the kernel": depthwise_initializer, depthwise_regularizer, depthwise_constraint);
    setters!(variable "the bias": bias_initializer, bias_regularizer, bias_constraint);
    setters!(activity_regularizer);
    setters!(window);

    /// Sets how many filters every channel has.
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    fn convolution(&self, input: &Shape) -> Result<Convolution, String> {
        let input = picture(input)?;
        let size = ("kernel_size", self.kernel_size);
        let window = Window::new(input, size, self.strides, self.dilation_rate, self.padding)?;
        Ok(Convolution { window, filters: input[2].saturating_mul(self.depth_multiplier), groups: input[2] })
    }
}

impl LayerRule for DepthwiseConv2D {
    fn class_name(&self) -> &'static str {
        "DepthwiseConv2D"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        if !(1..=MAX_SAMPLE).contains(&self.depth_multiplier) {
            let received = self.depth_multiplier;
            return Err(format!("depth_multiplier: expected 1 to {MAX_SAMPLE}, received {received}"));
        }
        check_window(self.kernel_size, self.strides, self.dilation_rate)?;
        check_activation(self.activation)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let of = self.convolution(input)?;
        let [rows, columns] = of.window.output;
        Ok(Shape::from([rows, columns, of.filters]))
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let Ok(of) = self.convolution(input) else { return vec![] };
        let kernel = ParamSpec::new(
            "kernel",
            vec![of.window.size[0], of.window.size[1], of.window.channels, self.depth_multiplier],
            self.depthwise_initializer,
        )
        .options_called("depthwise")
        .regularizer(self.depthwise_regularizer)
        .constraint(self.depthwise_constraint.clone());
        let bias = ParamSpec::new("bias", vec![of.filters], self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint.clone());
        if self.use_bias { vec![kernel, bias] } else { vec![kernel] }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(of) = self.convolution(input) else { return x };
        lower_convolution(to, of, self.params(input), self.activation, x)
    }
}
