//! ReLU: `x` above a threshold, at most `max_value`; `negative_slope·(x − threshold)` below.
//!
//! Source: Keras `keras/src/layers/activations/relu.py`.

use super::LayerRule;
use super::setters::setters;
use crate::activations::{Activation, BoundedRelu};
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// ReLU with parameters as a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReLU {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_value: Option<f64>,
    #[serde(default)]
    negative_slope: f64,
    #[serde(default)]
    threshold: f64,
}

impl ReLU {
    /// A layer with Keras's defaults: plain ReLU.
    pub fn new() -> Self {
        Self { name: None, max_value: None, negative_slope: 0.0, threshold: 0.0 }
    }

    setters!(name "re_lu");

    /// Sets the largest output.
    pub fn max_value(mut self, max_value: f64) -> Self {
        self.max_value = Some(max_value);
        self
    }

    /// Sets the slope below the threshold.
    pub fn negative_slope(mut self, negative_slope: f64) -> Self {
        self.negative_slope = negative_slope;
        self
    }

    /// Sets above which x stays.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

impl ReLU {
    fn activation(&self) -> Activation {
        let Self { max_value, negative_slope, threshold, .. } = *self;
        let bounded = BoundedRelu { negative_slope, max_value, threshold };
        if bounded == BoundedRelu::PLAIN { Activation::Relu } else { Activation::BoundedRelu(bounded) }
    }
}

impl Default for ReLU {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for ReLU {
    fn class_name(&self) -> &'static str {
        "ReLU"
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
