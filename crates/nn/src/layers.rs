//! Layers: what they are called, what they need, and which ops they stand for.
//!
//! A layer writes its forward ops; the gradients of ops are in [`crate::plan`], once per op. To add
//! one: a file with its equation and a struct that implements `LayerRule`, and a line in the list
//! of `layers!` below.

use crate::activations::Activation;
use crate::config::{self, Value};
use crate::names::{self, UnknownName};
use crate::ops::{Forward, ParamSpec, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod activation;
mod activity_regularization;
mod alpha_dropout;
mod augment;
mod average_pooling2d;
mod axes;
mod batch_normalization;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod elu;
mod flatten;
mod gaussian_dropout;
mod gaussian_noise;
mod global_average_pooling2d;
mod global_max_pooling2d;
mod group_normalization;
mod layer_normalization;
mod leaky_relu;
mod max_pooling2d;
mod mix_up;
mod normalization;
mod prelu;
mod random_contrast;
mod random_erasing;
mod random_flip;
mod random_rotation;
mod random_translation;
mod random_zoom;
mod relu;
mod rescaling;
mod reshape;
mod rms_normalization;
mod scale_shift;
mod setters;
mod softmax;
mod spatial_dropout2d;
mod unit_normalization;

pub use crate::ops::{FillMode, Interpolation};
pub use activation::ActivationLayer;
pub use activity_regularization::ActivityRegularization;
pub use alpha_dropout::AlphaDropout;
pub use augment::Factor;
pub use average_pooling2d::AveragePooling2D;
pub use axes::Axes;
pub(crate) use axes::inverse;
pub use batch_normalization::BatchNormalization;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2D;
pub use dropout::Dropout;
pub use elu::ELU;
pub use flatten::Flatten;
pub use gaussian_dropout::GaussianDropout;
pub use gaussian_noise::GaussianNoise;
pub use global_average_pooling2d::GlobalAveragePooling2D;
pub use global_max_pooling2d::GlobalMaxPooling2D;
pub use group_normalization::GroupNormalization;
pub use layer_normalization::LayerNormalization;
pub use leaky_relu::LeakyReLU;
pub use max_pooling2d::MaxPooling2D;
pub use mix_up::MixUp;
pub use normalization::{NormalizationLayer, Numbers};
pub use prelu::PReLU;
pub use random_contrast::RandomContrast;
pub use random_erasing::RandomErasing;
pub use random_flip::{FlipMode, RandomFlip};
pub use random_rotation::RandomRotation;
pub use random_translation::RandomTranslation;
pub use random_zoom::RandomZoom;
pub use relu::ReLU;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use rms_normalization::RMSNormalization;
pub use softmax::Softmax;
pub use spatial_dropout2d::SpatialDropout2D;
pub use unit_normalization::UnitNormalization;

/// What every layer knows of itself.
pub(crate) trait LayerRule {
    /// Keras's class name.
    fn class_name(&self) -> &'static str;
    /// The name that the model's author gave it.
    fn given_name(&self) -> Option<&str>;
    /// Whether its variables are trained; layers with variables have Keras's `trainable`.
    fn trainable(&self) -> bool {
        true
    }
    /// Says what is wrong with the parameters, if anything is.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
    /// The shape it gives for the shape it gets, or what is wrong with that.
    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }
    /// The penalty on its output, over the number of samples.
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }
    /// The variables it needs, in Keras's order.
    fn params(&self, _input: &Shape) -> Vec<ParamSpec> {
        Vec::new()
    }
    /// Writes its forward ops and gives the value that holds its output; the penalty on that is written behind them.
    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId;
}

/// Refuses a penalty that is not for outputs, or out of range.
pub(crate) fn check_activity_regularizer(regularizer: Option<Regularizer>) -> Result<(), String> {
    let Some(regularizer) = regularizer else { return Ok(()) };
    if regularizer.is_for_variables() {
        return Err(format!(
            "activity_regularizer: expected l1, l2 or l1_l2, received {}",
            regularizer.name()
        ));
    }
    regularizer.validate().map_err(|error| format!("activity_regularizer: {error}"))
}

/// The default of `trainable` and of other switches that are on.
fn on() -> bool {
    true
}

/// Whether a switch is on: then a file need not say so.
fn is_on(switch: &bool) -> bool {
    *switch
}

/// Makes [`Layer`] of its variants, each with its struct, the parameters that have no default and an
/// example that gives them some value.
macro_rules! layers {
    ($($(#[$doc:meta])* $name:ident($struct:ty), [$($required:literal),*], $example:expr;)*) => {
        /// One layer of a [`crate::Sequential`].
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self", tag = "class_name")]
        pub enum Layer {
            $($(#[$doc])* $name($struct),)*
        }

        impl Layer {
            /// Every class name.
            pub const NAMES: [&'static str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];

            pub(crate) fn rule(&self) -> &dyn LayerRule {
                match self {
                    $(Self::$name(layer) => layer,)*
                }
            }

            /// A layer of every class, with Keras's defaults and some value for what has none.
            pub fn examples() -> Vec<Self> {
                vec![$($example.into()),*]
            }

            /// The parameters of this layer's class without a default.
            pub fn required(&self) -> &'static [&'static str] {
                match self {
                    $(Self::$name(_) => &[$($required),*],)*
                }
            }

            /// Every parameter of this layer's class, in order: `name`, `units`, …
            pub fn parameters(&self) -> &'static [&'static str] {
                match self {
                    $(Self::$name(_) => config::fields::<$struct>(),)*
                }
            }
        }

        $(impl From<$struct> for Layer {
            fn from(layer: $struct) -> Self {
                Self::$name(layer)
            }
        })*
    };
}

layers! {
    /// Makes one axis of all.
    Flatten(Flatten), [], Flatten::new();
    /// `activation(x·kernel + bias)`
    Dense(Dense), ["units"], Dense::new(1);
    /// Drops a share of the inputs in training.
    Dropout(Dropout), ["rate"], Dropout::new(0.5);
    /// An activation alone.
    Activation(ActivationLayer), ["activation"], ActivationLayer::new(Activation::Relu);
    /// Large inputs cost something.
    ActivityRegularization(ActivityRegularization), [], ActivityRegularization::new(0.0, 0.0);
    /// `scale·x + offset`
    Rescaling(Rescaling), ["scale"], Rescaling::new(1.0, 0.0);
    /// Normalises channels over the batch.
    BatchNormalization(BatchNormalization), [], BatchNormalization::new();
    /// Normalises each sample along axes.
    LayerNormalization(LayerNormalization), [], LayerNormalization::new();
    /// Normalises groups of channels within each sample.
    GroupNormalization(GroupNormalization), [], GroupNormalization::new();
    /// Divides by the root of the mean square along axes.
    RMSNormalization(RMSNormalization), [], RMSNormalization::new();
    /// Brings the numbers along axes to length 1.
    UnitNormalization(UnitNormalization), [], UnitNormalization::new();
    /// Drops whole channels in training.
    SpatialDropout2D(SpatialDropout2D), ["rate"], SpatialDropout2D::new(0.5);
    /// Drops a share of the inputs in training; mean and variance stay.
    AlphaDropout(AlphaDropout), ["rate"], AlphaDropout::new(0.5);
    /// Multiplies by random numbers around 1 in training.
    GaussianDropout(GaussianDropout), ["rate"], GaussianDropout::new(0.5);
    /// Adds random numbers in training.
    GaussianNoise(GaussianNoise), ["stddev"], GaussianNoise::new(0.1);
    /// Normalises channels with statistics of the data.
    Normalization(NormalizationLayer), [], NormalizationLayer::new();
    /// Moves pictures in training.
    RandomTranslation(RandomTranslation), ["height_factor", "width_factor"], RandomTranslation::new(0.1, 0.1);
    /// Turns pictures in training.
    RandomRotation(RandomRotation), ["factor"], RandomRotation::new(0.1);
    /// Zooms pictures in training.
    RandomZoom(RandomZoom), ["height_factor"], RandomZoom::new(0.1);
    /// Mirrors pictures in training.
    RandomFlip(RandomFlip), [], RandomFlip::new();
    /// Changes the contrast of pictures in training.
    RandomContrast(RandomContrast), ["factor"], RandomContrast::new(0.1);
    /// Overwrites a rectangle of pictures in training.
    RandomErasing(RandomErasing), [], RandomErasing::new();
    /// Mixes samples and their targets in training.
    MixUp(MixUp), [], MixUp::new();
    /// Gives samples another shape.
    Reshape(Reshape), ["target_shape"], Reshape::new([1]);
    /// `x` where x > 0, a share of x elsewhere.
    LeakyReLU(LeakyReLU), [], LeakyReLU::new();
    /// `x` where x > 0, `alpha·(eˣ − 1)` elsewhere.
    ELU(ELU), [], ELU::new();
    /// x above a threshold, at most a maximum.
    ReLU(ReLU), [], ReLU::new();
    /// Shares that add up to 1 along axes.
    Softmax(Softmax), [], Softmax::new();
    /// A leaky ReLU whose slopes are learned.
    PReLU(PReLU), [], PReLU::new();
    /// A convolution over pictures.
    Conv2D(Conv2D), ["filters", "kernel_size"], Conv2D::new(1, 1);
    /// A convolution of every channel by itself.
    DepthwiseConv2D(DepthwiseConv2D), ["kernel_size"], DepthwiseConv2D::new(1);
    /// Keeps the largest number of every channel under a window.
    MaxPooling2D(MaxPooling2D), [], MaxPooling2D::default();
    /// Keeps the mean of every channel under a window.
    AveragePooling2D(AveragePooling2D), ["pool_size"], AveragePooling2D::new(2);
    /// Keeps the largest number of every channel.
    GlobalMaxPooling2D(GlobalMaxPooling2D), [], GlobalMaxPooling2D::new();
    /// Keeps the mean of every channel.
    GlobalAveragePooling2D(GlobalAveragePooling2D), [], GlobalAveragePooling2D::new();
}

impl Layer {
    /// Keras's class name.
    pub fn class_name(&self) -> &'static str {
        self.rule().class_name()
    }

    /// Keras's spelling of a class name; the error lists the known ones and the nearest.
    pub fn known(class_name: &str) -> Result<&'static str, UnknownName> {
        names::resolve("layer", class_name, &Self::NAMES.map(|name| (name, name)))
    }
}

impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, to)
    }
}

/// Looks the class up first, so that an unknown one is answered with the known ones and the nearest.
impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Value::Table(mut table) = Value::deserialize(from)? else {
            return Err(D::Error::custom("expected a table with a layer's `class_name` and its parameters"));
        };
        let Some(Value::Text(class_name)) = table.get("class_name") else {
            return Err(D::Error::custom(format!(
                "a layer needs a `class_name`; known are {}",
                Self::NAMES.join(", ")
            )));
        };
        let class_name = Self::known(class_name).map_err(D::Error::custom)?;
        table.insert("class_name".to_owned(), Value::from(class_name));
        Self::deserialize(Value::Table(table))
            .map_err(|error| D::Error::custom(format!("{class_name}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_class_or_key_is_explained() {
        for (json, expected) in [
            (
                r#"{"class_name":"Dens","units":1}"#,
                "unknown layer `Dens`, did you mean `Dense`?; known are Flatten,",
            ),
            (
                r#"{"class_name":"Dense","unit":1}"#,
                "Dense: unknown field `unit`, expected one of `name`, `trainable`, `units`",
            ),
            (r#"{"class_name":"Dense"}"#, "Dense: missing field `units`"),
            (r#"{"units":1}"#, "a layer needs a `class_name`; known are Flatten, Dense"),
            ("3", "expected a table"),
        ] {
            let error = serde_json::from_str::<Layer>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    /// In one list: what a file may say of each class, and which of it must be said.
    #[test]
    fn every_class_has_an_example_with_its_parameters() {
        for (layer, name) in Layer::examples().iter().zip(Layer::NAMES) {
            assert_eq!(layer.class_name(), name);
            let serde_json::Value::Object(written) = serde_json::to_value(layer).unwrap() else { panic!() };
            let known = layer.parameters();
            assert!(known.contains(&"name"), "{name}: {known:?}");
            for key in written.keys().filter(|key| *key != "class_name") {
                assert!(known.contains(&key.as_str()), "{name} writes {key}, known are {known:?}");
            }
            let mut least = serde_json::json!({ "class_name": name });
            for required in layer.required() {
                let error = serde_json::from_value::<Layer>(least.clone()).unwrap_err().to_string();
                assert!(error.contains(&format!("missing field `{required}`")), "{name}: {error}");
                least[required] = written[*required].clone();
            }
            assert_eq!(&serde_json::from_value::<Layer>(least).unwrap(), layer);
        }
        assert_eq!(Layer::examples().len(), Layer::NAMES.len());
    }

    #[test]
    fn the_class_is_found_in_any_case_and_written_as_keras_spells_it() {
        let layer: Layer =
            serde_json::from_str(r#"{"class_name":"dense","units":2,"kernel_regularizer":{"l2":0.5}}"#)
                .unwrap();
        let json = serde_json::to_string(&layer).unwrap();
        assert!(json.starts_with(r#"{"class_name":"Dense","units":2,"#), "{json}");
        assert_eq!(serde_json::from_str::<Layer>(&json).unwrap(), layer);
    }
}
