//! UnitNormalization: the numbers along some axes divided by their length.
//!
//! `y = x·min(1/√Σx², 10¹²)`
//!
//! Source: Keras `keras/src/layers/normalization/unit_normalization.py`.

use super::LayerRule;
use super::axes::{Axes, with_last};
use super::layer_normalization::{lengths, normalize_runs, some_places};
use crate::ops::{Forward, RunForm, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Brings the numbers along axes to length 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitNormalization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "Axes::last")]
    axis: Axes,
}

impl UnitNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self { name: None, axis: Axes::LAST }
    }

    /// Names the layer; by default Keras's `unit_normalization`, `unit_normalization_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the axis or axes, as Keras counts: 0 is the batch, −1 the last.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

impl Default for UnitNormalization {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for UnitNormalization {
    fn class_name(&self) -> &'static str {
        "UnitNormalization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        some_places("axis", &self.axis, input)?;
        Ok(input.clone())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(places) = some_places("axis", &self.axis, input) else { return x };
        let size = lengths(input, &places).iter().product();
        with_last(to, input, &places, x, |to, x| normalize_runs(to, RunForm::Length, size, x))
    }
}
