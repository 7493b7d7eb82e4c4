//! Dropout: in training each input is 0 with probability `rate`, and times `1/(1 − rate)` otherwise.
//!
//! At inference it does nothing. Source: Srivastava et al. 2014; Keras
//! `keras/src/layers/regularization/dropout.py`.

use super::LayerRule;
use crate::ops::{Forward, Op, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Drops a share of the inputs in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    rate: f64,
}

impl Dropout {
    /// Drops the share `rate`, from 0 to below 1.
    pub fn new(rate: f64) -> Self {
        Self { name: None, rate }
    }

    /// Names the layer; by default Keras's `dropout`, `dropout_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl LayerRule for Dropout {
    fn class_name(&self) -> &'static str {
        "Dropout"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        if (0.0..1.0).contains(&self.rate) {
            return Ok(());
        }
        Err(format!("rate: expected a number from 0 to below 1, received {}", self.rate))
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        if !to.training || self.rate == 0.0 {
            return x;
        }
        let factor = to.value_like("mask", x);
        to.push(Op::DropoutMask { rate: self.rate, stream: to.layer_name.clone(), out: factor });
        let out = to.value_like("dropped", x);
        to.push(Op::Multiply { x, factor, out });
        out
    }
}
