//! RandomZoom: more or less of pictures shown, in training.
//!
//! The motion is in `ops/augment/affine.rs`. Source: Keras
//! `keras/src/layers/preprocessing/image_preprocessing/random_zoom.py`.

use super::LayerRule;
use super::augment::{Factor, change, check_finite, check_picture};
use super::setters::setters;
use crate::ops::{Affine, Change, FillMode, Forward, Interpolation, Motion, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Zooms pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomZoom {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    height_factor: Factor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width_factor: Option<Factor>,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default)]
    fill_value: f64,
}

impl RandomZoom {
    /// Shows shares more of the height, from above −1 to 1: a range, or ± one number.
    pub fn new(height_factor: impl Into<Factor>) -> Self {
        Self {
            name: None,
            height_factor: height_factor.into(),
            width_factor: None,
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
        }
    }

    setters!(name "random_zoom");

    /// Sets the shares of the width; otherwise they are those of the height.
    pub fn width_factor(mut self, width_factor: impl Into<Factor>) -> Self {
        self.width_factor = Some(width_factor.into());
        self
    }

    setters!(resampling);
    setters!(seed);
}

impl LayerRule for RandomZoom {
    fn class_name(&self) -> &'static str {
        "RandomZoom"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        let width = self.width_factor.unwrap_or(self.height_factor);
        for (name, factor) in [("height_factor", self.height_factor), ("width_factor", width)] {
            factor.check(name, |n| n > -1.0 && n <= 1.0, "numbers above -1 and up to 1")?;
        }
        check_finite("fill_value", self.fill_value)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        check_picture(input)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let (height, width) = (self.height_factor.around_0(), self.width_factor.map(Factor::around_0));
        let motion = Motion::Zoom { height, width };
        let Self { fill_mode, interpolation, fill_value, .. } = *self;
        let affine = Affine { motion, fill_mode, interpolation, fill_value };
        change(to, Change::Affine(affine), self.seed, input, x)
    }
}
