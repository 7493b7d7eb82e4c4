//! UnitNormalization: the numbers along some axes divided by their length.
//!
//! `y = x·min(1/√Σx², 10¹²)`
//!
//! Source: Keras `keras/src/layers/normalization/unit_normalization.py`.

use super::LayerRule;
use super::axes::{Axes, with_last};
use super::layer_normalization::{lengths, normalize_runs, some_places};
use super::setters::setters;
use crate::ops::{Forward, RunForm, ValueId};
use crate::regularizers::Regularizer;
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity_regularizer: Option<Regularizer>,
}

impl UnitNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self { name: None, axis: Axes::LAST, activity_regularizer: None }
    }

    setters!(name "unit_normalization");
    setters!(axes);
    setters!(activity_regularizer);
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

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
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
