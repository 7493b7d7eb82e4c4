//! RandomFlip: pictures mirrored with probability ½, in training.
//!
//! Source: Keras `keras/src/layers/preprocessing/image_preprocessing/random_flip.py`.

use super::LayerRule;
use super::augment::{change, check_picture};
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

    /// Names the layer; by default Keras's `random_flip`, `random_flip_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the directions.
    pub fn mode(mut self, mode: FlipMode) -> Self {
        self.mode = mode;
        self
    }

    /// Gives the layer draws of its own, whatever the run's seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
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
