//! The description of a model: a chain of layers, without weights.

use crate::error::ModelError;
use crate::layers::{Layer, check_activity_regularizer};
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
            check_activity_regularizer(rule.activity_regularizer()).map_err(wrong)?;
            let output = rule.output_shape(&input).map_err(wrong)?;
            if output.checked_size().is_none() {
                return Err(wrong(format!("its output shape {output} is too large or empty")));
            }
            for spec in rule.params(&input) {
                spec.validate().map_err(wrong)?;
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
        let snake = snake_case(class);
        if earlier == 0 { snake } else { format!("{snake}_{earlier}") }
    }
}

/// A class name as Keras turns it into a layer's name: `BatchNormalization` is `batch_normalization`, `Conv2D` is
/// `conv2d`, `LeakyReLU` is `leaky_re_lu` (Keras `keras/src/utils/naming.py`).
pub fn snake_case(class_name: &str) -> String {
    let letters: Vec<char> = class_name.chars().collect();
    let mut name = String::with_capacity(class_name.len() + 4);
    for (i, letter) in letters.iter().enumerate() {
        let starts_word = letter.is_ascii_uppercase()
            && i > 0
            && (letters.get(i + 1).is_some_and(char::is_ascii_lowercase)
                || letters[i - 1].is_ascii_lowercase());
        if starts_word {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn model() -> Sequential {
        Sequential::new([28, 28])
            .add(Rescaling::new(0.5, -1.0))
            .add(Flatten::new().name("flat"))
            .add(
                Dense::new(128)
                    .activation(Activation::LeakyRelu { negative_slope: 0.1 })
                    .kernel_initializer(Initializer::HeNormal { seed: None })
                    .kernel_regularizer(Regularizer::l1_l2(1e-5, 1e-4))
                    .bias_regularizer(Regularizer::l2(0.1)),
            )
            .add(Dropout::new(0.5))
            .add(Dense::new(10).use_bias(false))
            .add(ActivationLayer::new(Activation::Softmax))
    }

    #[test]
    fn layers_are_named_by_class_and_number() {
        let model =
            model().add(Dense::new(3)).add(Dropout::new(0.1)).add(ActivationLayer::new(Activation::Relu));
        let placed = model.placed().unwrap();
        let names: Vec<&str> = placed.iter().map(|placed| placed.name.as_str()).collect();
        let expected =
            ["rescaling", "flat", "dense", "dropout", "dense_1", "activation", "dense_2", "dropout_1"];
        assert_eq!(names[..8], expected);
        assert_eq!(names[8], "activation_1");
        let shapes = placed.iter().map(|placed| placed.output.axes().to_vec()).collect::<Vec<_>>();
        assert_eq!(shapes[..5], [vec![28, 28], vec![784], vec![128], vec![128], vec![10]]);
        assert!(placed.windows(2).all(|pair| pair[0].output == pair[1].input));
    }

    #[test]
    fn class_names_become_names_as_in_keras() {
        for (class, name) in [
            ("Dense", "dense"),
            ("Conv2D", "conv2d"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("MaxPooling2D", "max_pooling2d"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("BatchNormalization", "batch_normalization"),
            ("RMSNormalization", "rms_normalization"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("ELU", "elu"),
            ("SpatialDropout2D", "spatial_dropout2d"),
            ("MixUp", "mix_up"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }

    #[test]
    fn a_file_brings_a_model_back() {
        let toml = toml::to_string(&model()).unwrap();
        assert_eq!(toml::from_str::<Sequential>(&toml).unwrap(), model(), "{toml}");
        let json = serde_json::to_string(&model()).unwrap();
        assert_eq!(serde_json::from_str::<Sequential>(&json).unwrap(), model(), "{json}");
    }

    #[test]
    fn what_a_file_leaves_out_has_kerass_defaults() {
        let text = r#"
            input_shape = [28, 28]
            [[layers]]
            class_name = "Flatten"
            [[layers]]
            class_name = "Dense"
            units = 128
            [[layers]]
            class_name = "Rescaling"
            scale = 2.0
        "#;
        let defaults = Dense::new(128)
            .activation(Activation::Linear)
            .use_bias(true)
            .kernel_initializer(Initializer::GlorotUniform { seed: None })
            .bias_initializer(Initializer::Zeros);
        let expected =
            Sequential::new([28, 28]).add(Flatten::new()).add(defaults).add(Rescaling::new(2.0, 0.0));
        assert_eq!(toml::from_str::<Sequential>(text).unwrap(), expected);
    }

    #[test]
    fn files_that_mean_nothing_are_refused() {
        for (json, expected) in [
            (
                r#"{"class_name": "Dens", "units": 3}"#,
                "unknown layer `Dens`, did you mean `Dense`?; known are Flatten, Dense,",
            ),
            (r#"{"class_name": "Dense"}"#, "missing field `units`"),
            (r#"{"class_name": "Dense", "units": 3, "activaton": "relu"}"#, "unknown field `activaton`"),
            (r#"{"class_name": "Dense", "units": -3}"#, "invalid value: integer `-3`"),
            (r#"{"class_name": "Dense", "units": 3, "activation": "rleu"}"#, "did you mean `relu`?"),
            (r#"{"class_name": "Dropout", "rate": "half"}"#, "invalid type: string \"half\""),
            (r#"{"class_name": "Flatten", "units": 3}"#, "unknown field `units`"),
            (r#"{"units": 3}"#, "a layer needs a `class_name`; known are Flatten, Dense,"),
            ("[3]", "expected a table with a layer's `class_name` and its parameters"),
        ] {
            let error = serde_json::from_str::<Layer>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let error = Layer::known("Conv3D").unwrap_err().to_string();
        assert!(
            error.contains("unknown layer `Conv3D`") && error.contains("known are Flatten, Dense,"),
            "{error}"
        );
        assert!(Layer::NAMES.iter().all(|name| Layer::known(name).is_ok()));
    }
}
