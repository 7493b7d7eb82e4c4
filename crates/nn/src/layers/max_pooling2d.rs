//! MaxPooling2D: the largest number of every channel under a window.
//!
//! Source: Keras `keras/src/layers/pooling/base_pooling.py`. Defaults: `pool_size` 2, strides the same, no padding.
//! Where several numbers are the largest, the gradient goes to the first, as in TensorFlow.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Forward, Op, PoolOp, ValueId};
use crate::shape::Shape;
use crate::window::{Padding, Pair, Window, picture};
use serde::{Deserialize, Serialize};

/// Keeps the largest number of every channel under a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPooling2D {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "two")]
    pool_size: Pair,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strides: Option<Pair>,
    #[serde(default)]
    padding: Padding,
}

fn two() -> Pair {
    2.into()
}

impl Default for MaxPooling2D {
    fn default() -> Self {
        Self::new(two())
    }
}

impl MaxPooling2D {
    /// Windows of `pool_size` rows and columns, side by side.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        Self { name: None, pool_size: pool_size.into(), strides: None, padding: Padding::Valid }
    }

    setters!(name "max_pooling2d");

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

/// The window of a pooling layer.
pub(super) fn pooling_window(
    input: &Shape,
    pool_size: Pair,
    strides: Option<Pair>,
    padding: Padding,
) -> Result<Window, String> {
    let strides = strides.unwrap_or(pool_size);
    Window::new(picture(input)?, ("pool_size", pool_size), strides, 1.into(), padding)
}

/// The shape of a picture after pooling.
pub(super) fn pooled_shape(window: Window) -> Shape {
    Shape::from([window.output[0], window.output[1], window.channels])
}

/// What is wrong with a pooling layer's parameters, if anything is.
pub(super) fn check_pooling(pool_size: Pair, strides: Option<Pair>) -> Result<(), String> {
    pool_size.check("pool_size")?;
    strides.map_or(Ok(()), |strides| strides.check("strides"))
}

impl LayerRule for MaxPooling2D {
    fn class_name(&self) -> &'static str {
        "MaxPooling2D"
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
        let width = window.places() * window.channels;
        let out = to.value("max", width);
        let position = to.training.then(|| to.value("position", width));
        to.push(Op::Pool(PoolOp::Max { x, window, out, position }));
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn what_cannot_work_is_refused() {
        let error = |layer: Layer| Sequential::new([5, 4, 2]).add(layer).summary().unwrap_err().to_string();
        for (layer, expected) in [
            (
                Layer::from(MaxPooling2D::new(0)),
                "layer \"max_pooling2d\": pool_size: expected 1 to 65536, received 0",
            ),
            (MaxPooling2D::new(2).strides([1, 0]).into(), "strides: expected 1 to 65536, received 0"),
            (
                MaxPooling2D::new([2, 5]).into(),
                "pool_size: expected at most the picture's 4 columns, received 5",
            ),
            (
                AveragePooling2D::new(6).into(),
                "\"average_pooling2d\": pool_size: expected at most the picture's 5 rows",
            ),
        ] {
            let error = error(layer);
            assert!(error.contains(expected), "{error}");
        }
        let flat = |layer: Layer| Sequential::new([5]).add(layer).summary().unwrap_err().to_string();
        for layer in [GlobalMaxPooling2D::new().into(), Layer::from(MaxPooling2D::default())] {
            assert!(flat(layer).contains("put a Reshape layer before it"));
        }
    }
}
