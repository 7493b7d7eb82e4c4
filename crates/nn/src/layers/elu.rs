//! ELU: `y = x` where x > 0, `alpha·(eˣ − 1)` elsewhere.
//!
//! Source: Keras `keras/src/layers/activations/elu.py`.

use super::LayerRule;
use super::setters::setters;
use crate::activations::Activation;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// [`Activation::Elu`] as a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ELU {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "alpha")]
    alpha: f64,
}

impl ELU {
    /// A layer with Keras's default.
    pub fn new() -> Self {
        Self { name: None, alpha: alpha() }
    }

    setters!(name "elu");

    /// Sets minus the limit towards −∞.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }
}

fn alpha() -> f64 {
    1.0
}

impl ELU {
    fn activation(&self) -> Activation {
        Activation::Elu { alpha: self.alpha }
    }
}

impl Default for ELU {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for ELU {
    fn class_name(&self) -> &'static str {
        "ELU"
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
