//! RandomTranslation: pictures moved down and to the right, in training.
//!
//! The motion is in `ops/augment/affine.rs`. Source: Keras
//! `keras/src/layers/preprocessing/image_preprocessing/random_translation.py`.

use super::LayerRule;
use super::augment::{Factor, change, check_finite, check_picture};
use super::setters::setters;
use crate::ops::{Affine, Change, FillMode, Forward, Interpolation, Motion, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Moves pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomTranslation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    height_factor: Factor,
    width_factor: Factor,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default)]
    fill_value: f64,
}

impl RandomTranslation {
    /// Moves by shares of height and width, from −1 to 1: a range, or ± one number.
    pub fn new(height_factor: impl Into<Factor>, width_factor: impl Into<Factor>) -> Self {
        Self {
            name: None,
            height_factor: height_factor.into(),
            width_factor: width_factor.into(),
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
        }
    }

    setters!(name "random_translation");
    setters!(resampling);
    setters!(seed);
}

impl LayerRule for RandomTranslation {
    fn class_name(&self) -> &'static str {
        "RandomTranslation"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        self.height_factor.check("height_factor", |n| (-1.0..=1.0).contains(&n), "numbers from -1 to 1")?;
        self.width_factor.check("width_factor", |n| (-1.0..=1.0).contains(&n), "numbers from -1 to 1")?;
        check_finite("fill_value", self.fill_value)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        check_picture(input)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let motion = Motion::Translation {
            height: self.height_factor.around_0(),
            width: self.width_factor.around_0(),
        };
        let Self { fill_mode, interpolation, fill_value, .. } = *self;
        let affine = Affine { motion, fill_mode, interpolation, fill_value };
        change(to, Change::Affine(affine), self.seed, input, x)
    }
}
