//! Reshape: the numbers of a sample under other axes; they stay where they are.
//!
//! Source: Keras `keras/src/layers/reshaping/reshape.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Gives samples another shape.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let model = Sequential::new([784]).add(Reshape::new([28, 28, -1]));
/// assert_eq!(model.summary().unwrap().rows[0].output_shape.axes(), [28, 28, 1]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    target_shape: Vec<i64>,
}

impl Reshape {
    /// The axes' lengths; one of them may be −1, for what remains.
    pub fn new(target_shape: impl Into<Vec<i64>>) -> Self {
        Self { name: None, target_shape: target_shape.into() }
    }

    setters!(name "reshape");
}

impl LayerRule for Reshape {
    fn class_name(&self) -> &'static str {
        "Reshape"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        let unknown = self.target_shape.iter().filter(|&&axis| axis == -1).count();
        if self.target_shape.iter().all(|&axis| axis > 0 || axis == -1) && unknown <= 1 {
            return Ok(());
        }
        Err(format!(
            "target_shape: expected lengths of at least 1 and at most one -1, received {:?}",
            self.target_shape
        ))
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let known = self.target_shape.iter().filter(|&&axis| axis > 0);
        let known = known.fold(1_usize, |size, &axis| size.saturating_mul(axis as usize));
        let length = |&axis: &i64| if axis == -1 { input.size() / known } else { axis as usize };
        let output = Shape::from(self.target_shape.iter().map(length).collect::<Vec<_>>());
        if output.size() == input.size() {
            return Ok(output);
        }
        Err(format!(
            "target_shape: expected a shape of {} numbers, as many as {input} has, received {:?}",
            input.size(),
            self.target_shape
        ))
    }

    fn lower(&self, _to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        x
    }
}
