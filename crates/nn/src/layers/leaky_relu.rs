//! LeakyReLU: `y = x` where x > 0, `negative_slope·x` elsewhere; the layer's default slope, 0.3, is not the
//! activation's, 0.2.
//!
//! Source: Keras `keras/src/layers/activations/leaky_relu.py`.

use super::LayerRule;
use super::setters::setters;
use crate::activations::Activation;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// [`Activation::LeakyRelu`] as a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyReLU {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "negative_slope")]
    negative_slope: f64,
}

impl LeakyReLU {
    /// A layer with Keras's default.
    pub fn new() -> Self {
        Self { name: None, negative_slope: negative_slope() }
    }

    setters!(name "leaky_re_lu");

    /// Sets the slope below 0.
    pub fn negative_slope(mut self, negative_slope: f64) -> Self {
        self.negative_slope = negative_slope;
        self
    }
}

fn negative_slope() -> f64 {
    0.3
}

impl LeakyReLU {
    fn activation(&self) -> Activation {
        Activation::LeakyRelu { negative_slope: self.negative_slope }
    }
}

impl Default for LeakyReLU {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for LeakyReLU {
    fn class_name(&self) -> &'static str {
        "LeakyReLU"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        self.activation().validate().map_err(|error| error.to_string())
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        to.activate(self.activation(), x)
    }
}
