//! GlobalAveragePooling2D: the mean of every channel of a picture.
//!
//! Source: Keras `keras/src/layers/pooling/global_average_pooling2d.py`. The output is `(channels)`, with `keepdims`
//! `(1, 1, channels)`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, Op, PoolOp, ValueId};
use crate::shape::Shape;
use crate::window::{Window, picture};
use serde::{Deserialize, Serialize};

/// Keeps the mean of every channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePooling2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    keepdims: bool,
}

impl GlobalAveragePooling2D {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }

    setters!(name "global_average_pooling2d");

    /// Whether the output is still a picture, of one pixel.
    pub fn keepdims(mut self, keepdims: bool) -> Self {
        self.keepdims = keepdims;
        self
    }
}

impl LayerRule for GlobalAveragePooling2D {
    fn class_name(&self) -> &'static str {
        "GlobalAveragePooling2D"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let [_, _, channels] = picture(input)?;
        Ok(if self.keepdims { Shape::from([1, 1, channels]) } else { Shape::from([channels]) })
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(axes) = picture(input) else { return x };
        let window = Window::whole(axes);
        let out = to.value("mean", window.channels);
        to.push(Op::Pool(PoolOp::Average { x, window, out }));
        out
    }
}
