//! What can be wrong with a model or with what it is given.

use crate::shape::Shape;
use thiserror::Error;

/// A model, a compile option or data that cannot work; nothing was changed.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ModelError {
    /// The input is empty or absurdly large.
    #[error("input_shape: expected axes whose product is 1 to {1}, received {0}")]
    InputShape(Shape, usize),
    /// No layer, or too many.
    #[error("layers: expected 1 to {most} layers, received {received}")]
    LayerCount {
        /// How many there are.
        received: usize,
        /// How many there may be.
        most: usize,
    },
    /// A layer's parameter or place is wrong.
    #[error("layer {layer:?}: {problem}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// What was expected and received.
        problem: String,
    },
    /// An optimizer's parameter is wrong.
    #[error("optimizer {name}: {problem}")]
    Optimizer {
        /// The optimizer's name.
        name: &'static str,
        /// What was expected and received.
        problem: String,
    },
    /// The loss cannot be taken of what the last layer gives.
    #[error("loss {name}: {problem}")]
    Loss {
        /// The loss's name.
        name: &'static str,
        /// What was expected and received.
        problem: String,
    },
    /// A metric cannot be taken of what the last layer gives.
    #[error("metric {name}: {problem}")]
    Metric {
        /// The metric's name.
        name: &'static str,
        /// What was expected and received.
        problem: String,
    },
    /// Data do not fit the model.
    #[error("{what}: expected {expected}, received {received}")]
    Data {
        /// Which data.
        what: &'static str,
        /// What fits.
        expected: String,
        /// What came.
        received: String,
    },
    /// A training option is impossible.
    #[error("{what}: expected {expected}, received {received}")]
    Option {
        /// Which option.
        what: &'static str,
        /// What is possible.
        expected: String,
        /// What came.
        received: String,
    },
    /// Weights do not fit the model.
    #[error("weights: expected {expected}, received {received}")]
    Weights {
        /// What fits.
        expected: String,
        /// What came.
        received: String,
    },
}
