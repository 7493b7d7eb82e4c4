//! ActivityRegularization: gives what it is given, and adds the penalty `l1·Σ|x| + l2·Σx²` to the loss, divided by the number
//! of samples.
//!
//! Source: Keras `keras/src/layers/regularization/activity_regularization.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Large inputs cost something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityRegularization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    l1: f64,
    #[serde(default)]
    l2: f64,
}

impl ActivityRegularization {
    /// `l1` weighs Σ|x|, `l2` weighs Σx²; both at least 0.
    pub fn new(l1: f64, l2: f64) -> Self {
        Self { name: None, l1, l2 }
    }

    setters!(name "activity_regularization");
}

impl LayerRule for ActivityRegularization {
    fn class_name(&self) -> &'static str {
        "ActivityRegularization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        for (name, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(format!("{name}: expected a finite number ≥ 0, received {value}"));
            }
        }
        Ok(())
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        Some(Regularizer::l1_l2(self.l1, self.l2))
    }

    fn lower(&self, _: &mut Forward, _: &Shape, x: ValueId) -> ValueId {
        x
    }
}
