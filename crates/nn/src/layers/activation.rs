//! Activation: an activation function as a layer of its own.
//!
//! Source: Keras `keras/src/layers/activations/activation.py`.

use super::LayerRule;
use super::setters::setters;
use super::softmax::softmax;
use crate::activations::Activation;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// An activation alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationLayer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    activation: Activation,
}

impl ActivationLayer {
    /// The activation as a layer.
    pub fn new(activation: Activation) -> Self {
        Self { name: None, activation }
    }

    setters!(name "activation");
}

impl LayerRule for ActivationLayer {
    fn class_name(&self) -> &'static str {
        "Activation"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        self.activation.validate().map_err(|error| error.to_string())
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let f = self.activation;
        match input.axes() {
            [width] => Ok(Shape::from([f.output_width(*width)?])),
            _ if f.is_rowwise() && f != Activation::Softmax => {
                Err(format!("{f}: expected one axis per sample, received the shape {input}"))
            }
            _ => Ok(input.clone()),
        }
    }

    /// Keras takes softmax along the last axis.
    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        match self.activation {
            Activation::Softmax => softmax(to, input, &[input.axes().len() - 1], x),
            activation => to.activate(activation, x),
        }
    }
}
