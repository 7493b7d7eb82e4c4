//! Activation functions, under Keras's names and with Keras's defaults.
//!
//! Each is an elementwise formula over a [`Lane`], written once: the oracle and the kernels run the
//! same code. Softmax is the exception, a function of a whole row: here it is only a name.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{UnknownName, resolve};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

mod elu;
mod gelu;
mod leaky_relu;
mod linear;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

#[cfg(test)]
mod testing;

pub use elu::Elu;
pub use gelu::{ApproximateGelu, Gelu};
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use relu::Relu;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;

/// What a gradient is computed from. The output is preferred: the next layer keeps it anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradientFrom {
    /// From x.
    Input,
    /// From y.
    Output,
}

/// y = f(x), one number at a time. Implementations are `#[inline(always)]`.
pub trait Elementwise: Copy {
    /// What [`Elementwise::gradient`] wants to see.
    const GRADIENT_FROM: GradientFrom;
    /// y.
    fn value<L: Lane>(self, x: L) -> L;
    /// dL/dx from dL/dy; `v` is x or y, as [`Elementwise::GRADIENT_FROM`] says.
    fn gradient<L: Lane>(self, v: L, dy: L) -> L;
}

/// Code that is compiled once for each elementwise activation.
pub trait ElementwiseVisitor {
    /// What the code returns.
    type Output;
    /// Runs with one formula. Implementations are `#[inline(always)]`.
    fn visit<E: Elementwise>(self, f: E) -> Self::Output;
}

/// An activation function with its parameters.
///
/// ```
/// use seedbed_nn::activations::Activation;
///
/// assert_eq!("LeakyReLU".parse(), Ok(Activation::LeakyRelu { negative_slope: 0.2 }));
/// let error = "rleu".parse::<Activation>().unwrap_err();
/// assert_eq!(error.nearest.as_deref(), Some("relu"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "snake_case")]
pub enum Activation {
    /// [`Linear`]
    #[default]
    Linear,
    /// [`Relu`]
    Relu,
    /// [`LeakyRelu`]
    LeakyRelu {
        /// The slope below 0: finite, not negative; 0.2.
        negative_slope: f64,
    },
    /// [`Sigmoid`]
    Sigmoid,
    /// [`Tanh`]
    Tanh,
    /// [`Elu`]
    Elu {
        /// Minus the limit towards −∞: finite, not negative; 1.
        alpha: f64,
    },
    /// [`Selu`]
    Selu,
    /// [`Gelu`], or [`ApproximateGelu`]
    Gelu {
        /// Whether to use tanh instead of erf; false.
        approximate: bool,
    },
    /// [`Silu`]
    Silu,
    /// [`Softplus`]
    Softplus,
    /// e^xᵢ / Σⱼ e^xⱼ over the last axis
    Softmax,
}

/// Every name with its default parameters; the last are Keras's aliases.
const TABLE: &[(&str, Activation)] = &[
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu { negative_slope: LeakyRelu::NEGATIVE_SLOPE }),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("elu", Activation::Elu { alpha: Elu::ALPHA }),
    ("selu", Activation::Selu),
    ("gelu", Activation::Gelu { approximate: false }),
    ("silu", Activation::Silu),
    ("softplus", Activation::Softplus),
    ("softmax", Activation::Softmax),
    ("swish", Activation::Silu),
];

impl Activation {
    /// Keras's name of each activation.
    pub const NAMES: [&'static str; 11] = [
        "linear",
        "relu",
        "leaky_relu",
        "sigmoid",
        "tanh",
        "elu",
        "selu",
        "gelu",
        "silu",
        "softplus",
        "softmax",
    ];

    /// Keras's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Elu { .. } => "elu",
            Self::Selu => "selu",
            Self::Gelu { .. } => "gelu",
            Self::Silu => "silu",
            Self::Softplus => "softplus",
            Self::Softmax => "softmax",
        }
    }

    /// Runs code that was compiled for this formula; `None` for softmax, which is not elementwise.
    #[inline(always)]
    pub fn visit<V: ElementwiseVisitor>(&self, visitor: V) -> Option<V::Output> {
        Some(match *self {
            Self::Linear => visitor.visit(Linear),
            Self::Relu => visitor.visit(Relu),
            Self::LeakyRelu { negative_slope } => visitor.visit(LeakyRelu { negative_slope }),
            Self::Sigmoid => visitor.visit(Sigmoid),
            Self::Tanh => visitor.visit(Tanh),
            Self::Elu { alpha } => visitor.visit(Elu { alpha }),
            Self::Selu => visitor.visit(Selu),
            Self::Gelu { approximate: false } => visitor.visit(Gelu),
            Self::Gelu { approximate: true } => visitor.visit(ApproximateGelu),
            Self::Silu => visitor.visit(Silu),
            Self::Softplus => visitor.visit(Softplus),
            Self::Softmax => return None,
        })
    }

    /// What the gradient is computed from; for softmax, the output.
    pub fn gradient_from(&self) -> GradientFrom {
        struct From;
        impl ElementwiseVisitor for From {
            type Output = GradientFrom;
            fn visit<E: Elementwise>(self, _: E) -> GradientFrom {
                E::GRADIENT_FROM
            }
        }
        self.visit(From).unwrap_or(GradientFrom::Output)
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] for a `negative_slope` or an `alpha` that is negative or not finite.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        let (parameter, value) = match *self {
            Self::LeakyRelu { negative_slope } => ("negative_slope", negative_slope),
            Self::Elu { alpha } => ("alpha", alpha),
            _ => return Ok(()),
        };
        require(value.is_finite() && value >= 0.0, self.name(), parameter, "a finite number from 0", value)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Activation {
    type Err = UnknownName;

    /// An activation by its name, with default parameters.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        resolve("activation", name, TABLE)
    }
}

impl Named for Activation {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }
    fn name(&self) -> &'static str {
        self.name()
    }
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        match *self {
            Self::LeakyRelu { negative_slope } => vec![("negative_slope", negative_slope.into())],
            Self::Elu { alpha } => vec![("alpha", alpha.into())],
            Self::Gelu { approximate } => vec![("approximate", approximate.into())],
            _ => Vec::new(),
        }
    }
    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }
    fn from_table(table: Value) -> Result<Self, serde::de::value::Error> {
        Self::deserialize(table)
    }
}

/// The name alone where all parameters have their defaults, a table otherwise.
impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

/// A name, or a table with a name and parameters.
impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        activation: Activation,
    }

    fn read(text: &str) -> Result<Activation, String> {
        toml::from_str(&format!("activation = {text}"))
            .map(|file: File| file.activation)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn names_and_table_agree() {
        for (&name, (key, activation)) in Activation::NAMES.iter().zip(TABLE) {
            assert_eq!((name, name), (*key, activation.name()));
            assert_eq!(read(&format!("{name:?}")), Ok(*activation));
            assert_eq!(read(&format!("{{ name = {name:?} }}")), Ok(*activation));
            let text = toml::to_string(&File { activation: *activation }).unwrap();
            assert_eq!(text, format!("activation = {name:?}\n"));
        }
    }

    #[test]
    fn parameters_survive_toml_and_json() {
        for activation in [
            Activation::LeakyRelu { negative_slope: 0.1 },
            Activation::Elu { alpha: 0.5 },
            Activation::Gelu { approximate: true },
        ] {
            let file = File { activation };
            assert_eq!(toml::from_str(&toml::to_string(&file).unwrap()), Ok(file));
            let json = serde_json::to_string(&activation).unwrap();
            assert_eq!(serde_json::from_str::<Activation>(&json).unwrap(), activation, "{json}");
        }
        assert_eq!(
            serde_json::to_string(&Activation::LeakyRelu { negative_slope: 0.1 }).unwrap(),
            r#"{"name":"leaky_relu","negative_slope":0.1}"#
        );
    }

    #[test]
    fn whole_numbers_and_class_names_are_read() {
        assert_eq!(read("{ name = \"ELU\", alpha = 2 }"), Ok(Activation::Elu { alpha: 2.0 }));
        assert_eq!(read("\"Swish\""), Ok(Activation::Silu));
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (text, expected) in [
            ("\"rleu\"", "unknown activation `rleu`, did you mean `relu`?; known are linear, relu, "),
            ("{ name = \"relu\", alpha = 1 }", "relu has no parameters, but `alpha` was given"),
            (
                "{ name = \"leaky_relu\", negativ_slope = 1 }",
                "leaky_relu: unknown parameter `negativ_slope`, did you mean `negative_slope`?",
            ),
            ("{ name = \"elu\", alpha = -1 }", "elu: alpha must be a finite number from 0, but is -1"),
            ("{ name = \"elu\", alpha = nan }", "elu: alpha must be a finite number from 0, but is NaN"),
            ("{ name = \"elu\", alpha = \"x\" }", "elu: invalid type: string \"x\", expected f64"),
            ("{ alpha = 1 }", "a table needs a `name`"),
            ("7", "expected a name, or a table"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn only_softmax_is_not_elementwise() {
        struct Seven;
        impl ElementwiseVisitor for Seven {
            type Output = f64;
            fn visit<E: Elementwise>(self, f: E) -> f64 {
                f.value(7.0)
            }
        }
        for (_, activation) in TABLE {
            assert_eq!(activation.visit(Seven).is_none(), *activation == Activation::Softmax);
        }
        assert_eq!(Activation::Relu.visit(Seven), Some(7.0));
        assert_eq!(Activation::Elu { alpha: 1.0 }.gradient_from(), GradientFrom::Output);
        assert_eq!(Activation::Silu.gradient_from(), GradientFrom::Input);
    }
}
