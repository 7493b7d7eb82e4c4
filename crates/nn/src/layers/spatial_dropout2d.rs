//! SpatialDropout2D: dropout of whole channels of a picture.
//!
//! In training each channel of each sample is 0 with probability `rate`, and times `1/(1 − rate)` otherwise. Source:
//! Tompson et al. 2015; Keras `keras/src/layers/regularization/spatial_dropout.py` (channels last).

use super::LayerRule;
use super::dropout::{check_rate, drop};
use super::setters::setters;
use crate::ops::{Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Drops whole channels in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialDropout2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl SpatialDropout2D {
    /// Drops the share `rate` of channels, from 0 to below 1.
    pub fn new(rate: f64) -> Self {
        Self { name: None, rate, seed: None }
    }

    setters!(name "spatial_dropout2d");
    setters!(seed);
}

impl LayerRule for SpatialDropout2D {
    fn class_name(&self) -> &'static str {
        "SpatialDropout2D"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        check_rate("rate", self.rate)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        match input.axes() {
            [_, _, _] => Ok(input.clone()),
            _ => Err(format!("expected samples of height, width and channels, received the shape {input}")),
        }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        drop(to, self.rate, self.seed, input.axes().last().copied().unwrap_or(1), x)
    }
}
