//! RandomContrast: pictures with more or less contrast, in training.
//!
//! The factor is between `1 − lower` and `1 + upper`; one number is Keras's `upper`, with `lower` 0. Source: Keras
//! `keras/src/layers/preprocessing/image_preprocessing/random_contrast.py`.

use super::LayerRule;
use super::augment::{Factor, change, check_picture, check_value_range};
use super::setters::setters;
use crate::ops::{Change, Contrast, Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Changes the contrast of pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomContrast {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    factor: Factor,
    #[serde(default = "value_range")]
    value_range: [f64; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl RandomContrast {
    /// Contrast between `1 − lower` and `1 + upper`.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self { name: None, factor: factor.into(), value_range: value_range(), seed: None }
    }

    setters!(name "random_contrast");

    /// Sets the least and the largest number of a picture; 0 and 255 by default.
    pub fn value_range(mut self, value_range: [f64; 2]) -> Self {
        self.value_range = value_range;
        self
    }

    setters!(seed);
}

fn value_range() -> [f64; 2] {
    [0.0, 255.0]
}

impl LayerRule for RandomContrast {
    fn class_name(&self) -> &'static str {
        "RandomContrast"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        self.factor.check("factor", f64::is_finite, "finite numbers")?;
        let (lower, upper) = self.factor.up_from_0();
        if lower > 1.0 || upper < 0.0 {
            return Err(format!("factor: expected a range that meets 0 to 1, received {lower} to {upper}"));
        }
        check_value_range(self.value_range)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        check_picture(input)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let (lower, upper) = self.factor.up_from_0();
        let contrast = Contrast { factor: (1.0 - lower, 1.0 + upper), value_range: self.value_range.into() };
        change(to, Change::Contrast(contrast), self.seed, input, x)
    }
}
