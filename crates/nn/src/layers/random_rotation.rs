//! RandomRotation: pictures turned about their centre, in training.
//!
//! The motion is in `ops/augment/affine.rs`. Source: Keras
//! `keras/src/layers/preprocessing/image_preprocessing/random_rotation.py`.

use super::LayerRule;
use super::augment::{Factor, change, check_finite, check_picture};
use super::setters::setters;
use crate::ops::{Affine, Change, FillMode, Forward, Interpolation, Motion, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Turns pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomRotation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    factor: Factor,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default)]
    fill_value: f64,
}

impl RandomRotation {
    /// Turns by shares of a whole turn, from −1 to 1: a range, or ± one number.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            name: None,
            factor: factor.into(),
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
        }
    }

    setters!(name "random_rotation");
    setters!(resampling);
    setters!(seed);
}

impl LayerRule for RandomRotation {
    fn class_name(&self) -> &'static str {
        "RandomRotation"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        self.factor.check("factor", |n| (-1.0..=1.0).contains(&n), "numbers from -1 to 1")?;
        check_finite("fill_value", self.fill_value)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        check_picture(input)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let motion = Motion::Rotation { turns: self.factor.around_0() };
        let Self { fill_mode, interpolation, fill_value, .. } = *self;
        let affine = Affine { motion, fill_mode, interpolation, fill_value };
        change(to, Change::Affine(affine), self.seed, input, x)
    }
}
