//! Conv2D: `y = activation(x ∗ kernel + bias)`, kernel `[rows, columns, channels/groups, filters]`.
//!
//! Source: Keras `keras/src/layers/convolutional/base_conv.py`. Pictures are channels-last. Defaults: strides 1,
//! no padding, no dilation, one group, linear, with a bias, kernel `glorot_uniform`, bias `zeros`.

use super::dense::{bias_default, kernel_default};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{ConvOp, Convolution, Forward, Op, ParamSpec, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::{MAX_SAMPLE, Shape};
use crate::window::{Padding, Pair, Window, picture};
use serde::{Deserialize, Serialize};

/// A convolution over pictures.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let layer = Conv2D::new(32, 3).activation(Activation::Relu).padding(Padding::Same);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    filters: usize,
    kernel_size: Pair,
    #[serde(default = "one")]
    strides: Pair,
    #[serde(default)]
    padding: Padding,
    #[serde(default = "one")]
    dilation_rate: Pair,
    #[serde(default = "one_group")]
    groups: usize,
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

pub(super) fn one() -> Pair {
    1.into()
}

fn one_group() -> usize {
    1
}

impl Conv2D {
    /// A layer of `filters` filters of `kernel_size` rows and columns, with Keras's defaults.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        Self {
            name: None,
            trainable: true,
            filters,
            kernel_size: kernel_size.into(),
            strides: one(),
            padding: Padding::Valid,
            dilation_rate: one(),
            groups: 1,
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

    setters!(name "conv2d");
    setters!(trainable);
    setters!(activation);
    setters!(use_bias);
    setters!(variable "the kernel": kernel_initializer, kernel_regularizer, kernel_constraint);
    setters!(variable "the bias": bias_initializer, bias_regularizer, bias_constraint);
    setters!(activity_regularizer);
    setters!(window);

    /// Sets in how many groups the channels and filters come.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    fn convolution(&self, input: &Shape) -> Result<Convolution, String> {
        let input = picture(input)?;
        if !input[2].is_multiple_of(self.groups) {
            let (channels, groups) = (input[2], self.groups);
            return Err(format!(
                "groups: expected a divisor of the picture's {channels} channels, received {groups}"
            ));
        }
        let size = ("kernel_size", self.kernel_size);
        let window = Window::new(input, size, self.strides, self.dilation_rate, self.padding)?;
        Ok(Convolution { window, filters: self.filters, groups: self.groups })
    }
}

/// What is wrong with a window's parameters, if anything is.
pub(super) fn check_window(kernel_size: Pair, strides: Pair, dilation_rate: Pair) -> Result<(), String> {
    kernel_size.check("kernel_size")?;
    strides.check("strides")?;
    dilation_rate.check("dilation_rate")?;
    if strides.0 != [1, 1] && dilation_rate.0 != [1, 1] {
        return Err(format!(
            "strides and dilation_rate: expected at most one of them above 1, received {:?} and {:?}",
            strides.0, dilation_rate.0
        ));
    }
    Ok(())
}

/// Writes the ops of a convolution whose variables are a kernel and perhaps a bias.
pub(super) fn lower_convolution(
    to: &mut Forward,
    of: Convolution,
    specs: Vec<ParamSpec>,
    activation: Activation,
    x: ValueId,
) -> ValueId {
    let params: Vec<_> = specs.into_iter().map(|spec| to.param(spec)).collect();
    let mut y = to.value("convolution", of.output_width());
    to.push(Op::Conv(ConvOp::Product { x, kernel: params[0], of, out: y }));
    if let Some(&bias) = params.get(1) {
        let out = to.value_like("bias_add", y);
        to.push(Op::Conv(ConvOp::AddBias { x: y, bias, out }));
        y = out;
    }
    to.activate(activation, y)
}

/// Refuses an activation that cannot work number by number.
pub(super) fn check_activation(activation: Activation) -> Result<(), String> {
    activation.validate().map_err(|error| format!("activation: {error}"))?;
    if activation.is_rowwise() {
        return Err(format!(
            "activation: expected one that takes number by number, received {}",
            activation.name()
        ));
    }
    Ok(())
}

impl LayerRule for Conv2D {
    fn class_name(&self) -> &'static str {
        "Conv2D"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        if !(1..=MAX_SAMPLE).contains(&self.filters) {
            return Err(format!("filters: expected 1 to {MAX_SAMPLE}, received {}", self.filters));
        }
        check_window(self.kernel_size, self.strides, self.dilation_rate)?;
        if self.groups == 0 || !self.filters.is_multiple_of(self.groups) {
            return Err(format!(
                "groups: expected a divisor of the {} filters, received {}",
                self.filters, self.groups
            ));
        }
        check_activation(self.activation)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let [rows, columns] = self.convolution(input)?.window.output;
        Ok(Shape::from([rows, columns, self.filters]))
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let Ok(of) = self.convolution(input) else { return vec![] };
        let kernel = ParamSpec::new(
            "kernel",
            vec![of.window.size[0], of.window.size[1], of.group_channels(), self.filters],
            self.kernel_initializer,
        )
        .regularizer(self.kernel_regularizer)
        .constraint(self.kernel_constraint.clone());
        let bias = ParamSpec::new("bias", vec![self.filters], self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint.clone());
        if self.use_bias { vec![kernel, bias] } else { vec![kernel] }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(of) = self.convolution(input) else { return x };
        lower_convolution(to, of, self.params(input), self.activation, x)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    fn error(layer: Conv2D, shape: [usize; 3]) -> String {
        Sequential::new(shape).add(layer).summary().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (layer, expected) in [
            (Conv2D::new(0, 3), "layer \"conv2d\": filters: expected 1 to 16777216, received 0"),
            (Conv2D::new(4, [3, 0]), "kernel_size: expected 1 to 65536, received 0"),
            (Conv2D::new(4, 3).strides(0), "strides: expected 1 to"),
            (Conv2D::new(4, 3).dilation_rate(usize::MAX), "dilation_rate: expected 1 to"),
            (
                Conv2D::new(4, 3).strides(2).dilation_rate([1, 2]),
                "strides and dilation_rate: expected at most one of them above 1, received [2, 2] and [1, 2]",
            ),
            (Conv2D::new(4, 3).groups(3), "groups: expected a divisor of the 4 filters, received 3"),
            (Conv2D::new(4, 3).groups(0), "groups: expected a divisor of the 4 filters, received 0"),
            (
                Conv2D::new(4, 3).groups(4),
                "groups: expected a divisor of the picture's 6 channels, received 4",
            ),
            (
                Conv2D::new(4, [3, 9]),
                "kernel_size: expected at most the picture's 8 columns, received 9; use",
            ),
            (
                Conv2D::new(4, 3).activation(Activation::Softmax),
                "activation: expected one that takes number by",
            ),
            (Conv2D::new(4, 3).bias_regularizer(Regularizer::l1(-1.0)), "bias_regularizer: l1: l1 must be"),
            (Conv2D::new(1 << 23, 3), "its output shape (None, 7, 6, 8388608) is too large or empty"),
            (Conv2D::new(1 << 18, [1 << 8, 1 << 9]).padding(Padding::Same), "its output shape"),
        ] {
            let error = error(layer, [9, 8, 6]);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn pictures_without_a_channel_axis_get_the_remedy() {
        let model = Sequential::new([28, 28]).add(Conv2D::new(4, 3));
        let error = model.summary().unwrap_err().to_string();
        assert!(
            error.contains("give the model the input_shape [28, 28, 1], or put Reshape([28, 28, 1])"),
            "{error}"
        );
    }

    /// Numbers as `model.summary()` of Keras has them.
    #[test]
    fn shapes_and_weights_are_kerass() {
        let model = Sequential::new([28, 28, 1])
            .add(Conv2D::new(32, 3))
            .add(MaxPooling2D::new(2))
            .add(Conv2D::new(64, [3, 5]).padding(Padding::Same).groups(2).use_bias(false))
            .add(DepthwiseConv2D::new(2).depth_multiplier(2).strides(2));
        let rows = model.summary().unwrap().rows;
        let found: Vec<_> = rows.iter().map(|row| (row.output_shape.axes().to_vec(), row.params)).collect();
        assert_eq!(
            found,
            [
                (vec![26, 26, 32], 320),
                (vec![13, 13, 32], 0),
                (vec![13, 13, 64], 15_360),
                (vec![6, 6, 128], 640)
            ]
        );
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["conv2d", "max_pooling2d", "conv2d_1", "depthwise_conv2d"]);
    }
}
