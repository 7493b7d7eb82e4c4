//! RandomFlip: pictures mirrored with probability ½, in training.
//!
//! Source: Keras `keras/src/layers/preprocessing/image_preprocessing/random_flip.py`.

use super::LayerRule;
use super::augment::{change, check_picture};
use super::setters::setters;
use crate::ops::{Change, Flip, Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Mirrors pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFlip {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    mode: FlipMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl RandomFlip {
    /// Mirrors in both directions at once, as Keras does by default.
    pub fn new() -> Self {
        Self { name: None, mode: FlipMode::default(), seed: None }
    }

    setters!(name "random_flip");

    /// Sets the directions.
    pub fn mode(mut self, mode: FlipMode) -> Self {
        self.mode = mode;
        self
    }

    setters!(seed);
}

/// In which directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlipMode {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    /// Both, or none.
    #[default]
    HorizontalAndVertical,
}

impl Default for RandomFlip {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for RandomFlip {
    fn class_name(&self) -> &'static str {
        "RandomFlip"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        check_picture(input)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let flip =
            Flip { horizontal: self.mode != FlipMode::Vertical, vertical: self.mode != FlipMode::Horizontal };
        change(to, Change::Flip(flip), self.seed, input, x)
    }
}
