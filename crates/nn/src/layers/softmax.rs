//! Softmax: `exp(xᵢ)/Σ exp(xⱼ)` along some axes.
//!
//! Source: Keras `keras/src/layers/activations/softmax.py`.

use super::LayerRule;
use super::axes::{Axes, with_last};
use super::layer_normalization::{lengths, some_places};
use super::setters::setters;
use crate::activations::Activation;
use crate::ops::{Forward, Normalize, Op, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Shares that add up to 1 along axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "Axes::last")]
    axis: Axes,
}

impl Softmax {
    /// A layer with Keras's default.
    pub fn new() -> Self {
        Self { name: None, axis: Axes::LAST }
    }

    setters!(name "softmax");

    /// Sets the axis or axes, as Keras counts: 0 is the batch, −1 the last.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

impl Default for Softmax {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for Softmax {
    fn class_name(&self) -> &'static str {
        "Softmax"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        some_places("axis", &self.axis, input)?;
        Ok(input.clone())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        match some_places("axis", &self.axis, input) {
            Ok(places) => softmax(to, input, &places, x),
            Err(_) => x,
        }
    }
}

/// Writes a softmax along axes; one of the whole sample is the activation, which a loss can join.
pub(super) fn softmax(to: &mut Forward, input: &Shape, places: &[usize], x: ValueId) -> ValueId {
    let size = lengths(input, places).iter().product();
    if size == input.size() {
        return to.activate(Activation::Softmax, x);
    }
    with_last(to, input, places, x, |to, x| {
        let y = to.value_like("softmax", x);
        to.push(Op::Normalize(Normalize::Softmax { size, x, y }));
        y
    })
}
