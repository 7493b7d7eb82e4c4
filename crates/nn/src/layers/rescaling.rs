//! Rescaling: `y = scale·x + offset`.
//!
//! Source: Keras `keras/src/layers/preprocessing/rescaling.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, Op, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Multiplies and shifts its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescaling {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    scale: f64,
    #[serde(default)]
    offset: f64,
}

impl Rescaling {
    /// `scale·x + offset`.
    pub fn new(scale: f64, offset: f64) -> Self {
        Self { name: None, scale, offset }
    }

    setters!(name "rescaling");
}

impl LayerRule for Rescaling {
    fn class_name(&self) -> &'static str {
        "Rescaling"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        for (name, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !value.is_finite() {
                return Err(format!("{name}: expected a finite number, received {value}"));
            }
        }
        Ok(())
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        let out = to.value_like("rescaled", x);
        to.push(Op::Affine { scale: self.scale, offset: self.offset, x, out });
        out
    }
}
