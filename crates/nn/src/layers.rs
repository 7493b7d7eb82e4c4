//! Layers: what they are called, what they need, and which ops they stand for.
//!
//! A layer writes its forward ops; the gradients of ops are in [`crate::plan`], once per op. To add
//! one: a file with its equation and a struct that implements [`LayerRule`], a variant of
//! [`Layer`], a line in [`Layer::rule`].

use crate::names::{self, UnknownName};
use crate::ops::{Forward, ParamSpec, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

mod activation;
mod dense;
mod dropout;
mod flatten;
mod rescaling;

pub use activation::ActivationLayer;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use rescaling::Rescaling;

/// What every layer knows of itself.
pub(crate) trait LayerRule {
    /// Keras's class name.
    fn class_name(&self) -> &'static str;
    /// The name that the model's author gave it.
    fn given_name(&self) -> Option<&str>;
    /// Says what is wrong with the parameters, if anything is.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
    /// The shape it gives for the shape it gets, or what is wrong with that.
    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }
    /// The variables it needs, in Keras's order.
    fn params(&self, _input: &Shape) -> Vec<ParamSpec> {
        Vec::new()
    }
    /// Writes its forward ops and gives the value that holds its output.
    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId;
}

/// One layer of a [`crate::Sequential`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name")]
pub enum Layer {
    /// Makes one axis of all.
    Flatten(Flatten),
    /// `activation(x·kernel + bias)`
    Dense(Dense),
    /// Drops a share of the inputs in training.
    Dropout(Dropout),
    /// An activation alone.
    Activation(ActivationLayer),
    /// `scale·x + offset`
    Rescaling(Rescaling),
}

impl Layer {
    /// Every class name.
    pub const NAMES: [&'static str; 5] = ["Flatten", "Dense", "Dropout", "Activation", "Rescaling"];

    pub(crate) fn rule(&self) -> &dyn LayerRule {
        match self {
            Self::Flatten(layer) => layer,
            Self::Dense(layer) => layer,
            Self::Dropout(layer) => layer,
            Self::Activation(layer) => layer,
            Self::Rescaling(layer) => layer,
        }
    }

    /// Keras's class name.
    pub fn class_name(&self) -> &'static str {
        self.rule().class_name()
    }

    /// Checks a class name; the error lists the known ones and the nearest.
    pub fn known(class_name: &str) -> Result<(), UnknownName> {
        names::resolve("layer", class_name, &Self::NAMES.map(|name| (name, ())))
    }
}
