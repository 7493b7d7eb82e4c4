//! Flatten: `(28, 28)` becomes `(784)`; the numbers stay where they are.
//!
//! Source: Keras `keras/src/layers/reshaping/flatten.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Makes one axis of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Flatten {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }

    setters!(name "flatten");
}

impl LayerRule for Flatten {
    fn class_name(&self) -> &'static str {
        "Flatten"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        Ok(Shape::from([input.size()]))
    }

    fn lower(&self, _to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        x
    }
}
