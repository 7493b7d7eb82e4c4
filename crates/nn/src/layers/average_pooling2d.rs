//! AveragePooling2D: the mean of every channel under a window; padding is not counted.
//!
//! Source: Keras `keras/src/layers/pooling/base_pooling.py`. Defaults: strides as `pool_size`, no padding.

use super::LayerRule;
use super::max_pooling2d::{check_pooling, pooled_shape, pooling_window};
use super::setters::setters;
use crate::ops::{Forward, Op, PoolOp, ValueId};
use crate::shape::Shape;
use crate::window::{Padding, Pair, Window};
use serde::{Deserialize, Serialize};

/// Keeps the mean of every channel under a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePooling2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    pool_size: Pair,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strides: Option<Pair>,
    #[serde(default)]
    padding: Padding,
}

impl AveragePooling2D {
    /// Windows of `pool_size` rows and columns, side by side.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        Self { name: None, pool_size: pool_size.into(), strides: None, padding: Padding::Valid }
    }

    setters!(name "average_pooling2d");

    /// Sets how far apart, in pixels, the windows are.
    pub fn strides(mut self, strides: impl Into<Pair>) -> Self {
        self.strides = Some(strides.into());
        self
    }

    /// Sets what happens at the edges.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    fn window(&self, input: &Shape) -> Result<Window, String> {
        pooling_window(input, self.pool_size, self.strides, self.padding)
    }
}

impl LayerRule for AveragePooling2D {
    fn class_name(&self) -> &'static str {
        "AveragePooling2D"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        check_pooling(self.pool_size, self.strides)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        self.window(input).map(pooled_shape)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(window) = self.window(input) else { return x };
        let out = to.value("mean", window.places() * window.channels);
        to.push(Op::Pool(PoolOp::Average { x, window, out }));
        out
    }
}
