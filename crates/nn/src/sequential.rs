//! The description of a model: a chain of layers, without weights.

use crate::error::ModelError;
use crate::layers::Layer;
use crate::shape::{MAX_SAMPLE, Shape};
use serde::{Deserialize, Serialize};

/// The most layers a model may have.
const MAX_LAYERS: usize = 1_000;

/// A chain of layers.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let model = Sequential::new([28, 28])
///     .add(Flatten::new())
///     .add(Dense::new(128).activation(Activation::Relu))
///     .add(Dense::new(10).activation(Activation::Softmax));
/// assert_eq!(model.summary().unwrap().trainable_params(), 101_770);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// The shape of one sample.
    pub input_shape: Shape,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

/// A layer in its place: its name and what goes in and out.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) name: String,
    pub(crate) input: Shape,
    pub(crate) output: Shape,
}

impl Sequential {
    /// A model without layers, for samples of the given shape.
    pub fn new(input_shape: impl Into<Shape>) -> Self {
        Self { input_shape: input_shape.into(), layers: Vec::new() }
    }

    /// Adds a layer at the end.
    #[expect(clippy::should_implement_trait, reason = "Keras's word")]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Checks every layer and works out names and shapes.
    pub(crate) fn placed(&self) -> Result<Vec<Placed<'_>>, ModelError> {
        if self.input_shape.checked_size().is_none() {
            return Err(ModelError::InputShape(self.input_shape.clone(), MAX_SAMPLE));
        }
        if !(1..=MAX_LAYERS).contains(&self.layers.len()) {
            return Err(ModelError::LayerCount { received: self.layers.len(), most: MAX_LAYERS });
        }
        let mut placed: Vec<Placed<'_>> = Vec::with_capacity(self.layers.len());
        let mut input = self.input_shape.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let rule = layer.rule();
            let name = rule.given_name().map_or_else(|| self.keras_name(index), str::to_owned);
            let wrong = |problem| ModelError::Layer { layer: name.clone(), problem };
            rule.validate().map_err(wrong)?;
            let output = rule.output_shape(&input).map_err(wrong)?;
            if output.checked_size().is_none() {
                return Err(wrong(format!("its output shape {output} is too large or empty")));
            }
            for spec in rule.params(&input) {
                let initializer = spec.initializer;
                initializer
                    .validate()
                    .and_then(|()| initializer.validate_shape(&spec.shape))
                    .map_err(|problem| wrong(format!("{}_initializer: {problem}", spec.role)))?;
                check_params(&spec.shape).map_err(wrong)?;
            }
            if placed.iter().any(|other| other.name == name) {
                return Err(wrong("the name is taken by another layer; names must differ".into()));
            }
            placed.push(Placed { layer, name, input, output: output.clone() });
            input = output;
        }
        Ok(placed)
    }

    /// `dense`, `dense_1`, …: the class in snake case and how many came before.
    fn keras_name(&self, index: usize) -> String {
        let class = self.layers[index].class_name();
        let earlier = self.layers[..index].iter().filter(|layer| layer.class_name() == class).count();
        let snake = class.to_lowercase();
        if earlier == 0 { snake } else { format!("{snake}_{earlier}") }
    }
}

/// The most numbers that one variable may have: 4 GiB of weights.
const MAX_PARAMS: usize = 1 << 30;

fn check_params(shape: &[usize]) -> Result<(), String> {
    let count = shape.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis));
    match count {
        Some(count) if count <= MAX_PARAMS => Ok(()),
        _ => Err(format!("expected at most {MAX_PARAMS} weights per variable, received the shape {shape:?}")),
    }
}
