//! Activation functions, under Keras's names and with Keras's defaults.
//!
//! Each is an elementwise formula over a [`Lane`], written once: the oracle and the kernels run the
//! same code. Softmax, log-softmax, sparsemax and GLU are the exceptions, functions of a whole row.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{UnknownName, resolve};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

mod bounded_relu;
mod celu;
mod elu;
mod exponential;
mod gelu;
mod hard_shrink;
mod hard_sigmoid;
mod hard_silu;
mod hard_tanh;
mod leaky_relu;
mod linear;
mod log_sigmoid;
mod mish;
mod relu;
mod relu6;
mod rowwise;
mod selu;
mod sigmoid;
mod silu;
mod soft_shrink;
mod softplus;
mod softsign;
mod sparse_plus;
mod sparse_sigmoid;
mod squareplus;
mod tanh;
mod tanh_shrink;
mod threshold;

#[cfg(test)]
mod testing;

pub use bounded_relu::BoundedRelu;
pub use celu::Celu;
pub use elu::Elu;
pub use exponential::Exponential;
pub use gelu::{ApproximateGelu, Gelu};
pub use hard_shrink::HardShrink;
pub use hard_sigmoid::HardSigmoid;
pub use hard_silu::HardSilu;
pub use hard_tanh::HardTanh;
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use log_sigmoid::LogSigmoid;
pub use mish::Mish;
pub use relu::Relu;
pub use relu6::Relu6;
pub use rowwise::RowFunction;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use soft_shrink::SoftShrink;
pub use softplus::Softplus;
pub use softsign::Softsign;
pub use sparse_plus::SparsePlus;
pub use sparse_sigmoid::SparseSigmoid;
pub use squareplus::Squareplus;
pub use tanh::Tanh;
pub use tanh_shrink::TanhShrink;
pub use threshold::Threshold;

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
    /// [`BoundedRelu`]: `relu` with parameters
    #[serde(skip)]
    BoundedRelu(BoundedRelu),
    /// [`Relu6`]
    Relu6,
    /// [`Celu`]
    Celu {
        /// Minus the limit towards −∞: finite, > 0; 1.
        alpha: f64,
    },
    /// [`Exponential`]
    Exponential,
    /// [`Softsign`]
    Softsign,
    /// [`Squareplus`]
    Squareplus {
        /// How round the corner at 0 is: finite, > 0; 4.
        b: f64,
    },
    /// [`SoftShrink`]
    SoftShrink {
        /// By how much x is brought nearer to 0: finite, not negative; 0.5.
        threshold: f64,
    },
    /// [`HardShrink`]
    HardShrink {
        /// Up to where it is 0: finite, not negative; 0.5.
        threshold: f64,
    },
    /// [`Threshold`]
    Threshold {
        /// Above which x stays: finite; 0.
        threshold: f64,
        /// What stands for the others: finite; 0.
        default_value: f64,
    },
    /// [`SparsePlus`]
    SparsePlus,
    /// [`SparseSigmoid`]
    SparseSigmoid,
    /// [`HardSigmoid`]
    HardSigmoid,
    /// [`HardSilu`]
    HardSilu,
    /// [`HardTanh`]
    HardTanh,
    /// [`TanhShrink`]
    TanhShrink,
    /// [`LogSigmoid`]
    LogSigmoid,
    /// [`Mish`]
    Mish,
    /// e^xᵢ / Σⱼ e^xⱼ over the last axis
    Softmax,
    /// [`RowFunction::LogSoftmax`] over the last axis
    LogSoftmax,
    /// [`RowFunction::Sparsemax`] over the last axis
    Sparsemax,
    /// [`RowFunction::Glu`] over the last axis, which it halves
    Glu,
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
    ("relu6", Activation::Relu6),
    ("celu", Activation::Celu { alpha: Celu::ALPHA }),
    ("exponential", Activation::Exponential),
    ("softsign", Activation::Softsign),
    ("squareplus", Activation::Squareplus { b: Squareplus::B }),
    ("soft_shrink", Activation::SoftShrink { threshold: SoftShrink::THRESHOLD }),
    ("hard_shrink", Activation::HardShrink { threshold: HardShrink::THRESHOLD }),
    ("threshold", Activation::Threshold { threshold: 0.0, default_value: 0.0 }),
    ("sparse_plus", Activation::SparsePlus),
    ("sparse_sigmoid", Activation::SparseSigmoid),
    ("hard_sigmoid", Activation::HardSigmoid),
    ("hard_silu", Activation::HardSilu),
    ("hard_tanh", Activation::HardTanh),
    ("tanh_shrink", Activation::TanhShrink),
    ("log_sigmoid", Activation::LogSigmoid),
    ("mish", Activation::Mish),
    ("softmax", Activation::Softmax),
    ("log_softmax", Activation::LogSoftmax),
    ("sparsemax", Activation::Sparsemax),
    ("glu", Activation::Glu),
    ("swish", Activation::Silu),
    ("hard_swish", Activation::HardSilu),
];

impl Activation {
    /// Keras's name of each activation.
    pub const NAMES: [&'static str; 30] = [
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
        "relu6",
        "celu",
        "exponential",
        "softsign",
        "squareplus",
        "soft_shrink",
        "hard_shrink",
        "threshold",
        "sparse_plus",
        "sparse_sigmoid",
        "hard_sigmoid",
        "hard_silu",
        "hard_tanh",
        "tanh_shrink",
        "log_sigmoid",
        "mish",
        "softmax",
        "log_softmax",
        "sparsemax",
        "glu",
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
            Self::BoundedRelu(_) => "relu",
            Self::Celu { .. } => "celu",
            Self::Squareplus { .. } => "squareplus",
            Self::SoftShrink { .. } => "soft_shrink",
            Self::HardShrink { .. } => "hard_shrink",
            Self::Threshold { .. } => "threshold",
            Self::Relu6 => "relu6",
            Self::Exponential => "exponential",
            Self::Softsign => "softsign",
            Self::SparsePlus => "sparse_plus",
            Self::SparseSigmoid => "sparse_sigmoid",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSilu => "hard_silu",
            Self::HardTanh => "hard_tanh",
            Self::TanhShrink => "tanh_shrink",
            Self::LogSigmoid => "log_sigmoid",
            Self::Mish => "mish",
            Self::Softmax => "softmax",
            Self::LogSoftmax => "log_softmax",
            Self::Sparsemax => "sparsemax",
            Self::Glu => "glu",
        }
    }

    /// Runs code that was compiled for this formula; `None` for a function of a row.
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
            Self::BoundedRelu(f) => visitor.visit(f),
            Self::Celu { alpha } => visitor.visit(Celu { alpha }),
            Self::Squareplus { b } => visitor.visit(Squareplus { b }),
            Self::SoftShrink { threshold } => visitor.visit(SoftShrink { threshold }),
            Self::HardShrink { threshold } => visitor.visit(HardShrink { threshold }),
            Self::Threshold { threshold, default_value } => {
                visitor.visit(Threshold { threshold, default_value })
            }
            Self::Relu6 => visitor.visit(Relu6),
            Self::Exponential => visitor.visit(Exponential),
            Self::Softsign => visitor.visit(Softsign),
            Self::SparsePlus => visitor.visit(SparsePlus),
            Self::SparseSigmoid => visitor.visit(SparseSigmoid),
            Self::HardSigmoid => visitor.visit(HardSigmoid),
            Self::HardSilu => visitor.visit(HardSilu),
            Self::HardTanh => visitor.visit(HardTanh),
            Self::TanhShrink => visitor.visit(TanhShrink),
            Self::LogSigmoid => visitor.visit(LogSigmoid),
            Self::Mish => visitor.visit(Mish),
            Self::Softmax | Self::LogSoftmax | Self::Sparsemax | Self::Glu => return None,
        })
    }

    /// The function of a row that it is; `None` for elementwise ones, and for softmax, which has ops of its
    /// own.
    pub fn row_function(&self) -> Option<RowFunction> {
        match self {
            Self::LogSoftmax => Some(RowFunction::LogSoftmax),
            Self::Sparsemax => Some(RowFunction::Sparsemax),
            Self::Glu => Some(RowFunction::Glu),
            _ => None,
        }
    }

    /// Whether it looks at a whole row.
    pub fn is_rowwise(&self) -> bool {
        *self == Self::Softmax || self.row_function().is_some()
    }

    /// How many outputs it gives for so many inputs.
    ///
    /// # Errors
    /// Says what is wrong: GLU needs an even number.
    pub fn output_width(&self, inputs: usize) -> Result<usize, String> {
        match self {
            Self::Glu if !inputs.is_multiple_of(2) => {
                Err(format!("glu: expected an even number of inputs, which it halves, received {inputs}"))
            }
            Self::Glu => Ok(inputs / 2),
            _ => Ok(inputs),
        }
    }

    /// What the gradient is computed from.
    pub fn gradient_from(&self) -> GradientFrom {
        struct From;
        impl ElementwiseVisitor for From {
            type Output = GradientFrom;
            fn visit<E: Elementwise>(self, _: E) -> GradientFrom {
                E::GRADIENT_FROM
            }
        }
        let of_row = || self.row_function().map_or(GradientFrom::Output, RowFunction::gradient_from);
        self.visit(From).unwrap_or_else(of_row)
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] for one that is not finite, for a negative slope, bound or threshold, and for an
    /// `alpha` of celu or a `b` of squareplus that is not above 0.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        for (parameter, value) in self.parameters() {
            let Value::Float(value) = value else { continue };
            let (ok, expected) = match self {
                Self::Celu { .. } | Self::Squareplus { .. } => (value > 0.0, "a finite number > 0"),
                Self::Threshold { .. } => (true, "a finite number"),
                _ => (value >= 0.0, "a finite number from 0"),
            };
            require(value.is_finite() && ok, self.name(), parameter, expected, value)?;
        }
        Ok(())
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
            Self::Relu => Self::BoundedRelu(BoundedRelu::PLAIN).parameters(),
            Self::BoundedRelu(BoundedRelu { negative_slope, max_value, threshold }) => vec![
                ("negative_slope", negative_slope.into()),
                ("max_value", max_value.into()),
                ("threshold", threshold.into()),
            ],
            Self::Celu { alpha } => vec![("alpha", alpha.into())],
            Self::Squareplus { b } => vec![("b", b.into())],
            Self::SoftShrink { threshold } | Self::HardShrink { threshold } => {
                vec![("threshold", threshold.into())]
            }
            Self::Threshold { threshold, default_value } => {
                vec![("threshold", threshold.into()), ("default_value", default_value.into())]
            }
            _ => Vec::new(),
        }
    }
    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }
    fn from_table(table: Value) -> Result<Self, serde::de::value::Error> {
        let Value::Table(mut table) = table else { return Err(config::not_a_table()) };
        if table.get("name") != Some(&Value::from("relu")) {
            return Self::deserialize(Value::Table(table));
        }
        table.remove("name");
        let bounded = BoundedRelu::deserialize(Value::Table(table))?;
        Ok(if bounded == BoundedRelu::PLAIN { Self::Relu } else { Self::BoundedRelu(bounded) })
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
            Activation::Threshold { threshold: 0.1, default_value: -0.5 },
            Activation::BoundedRelu(BoundedRelu { max_value: Some(0.8), ..BoundedRelu::PLAIN }),
            Activation::BoundedRelu(BoundedRelu { threshold: 0.5, ..BoundedRelu::PLAIN }),
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
        assert_eq!(read("{ name = \"relu\", max_value = 6 }").unwrap().name(), "relu");
        assert_eq!(read("{ name = \"relu\", threshold = 0 }"), Ok(Activation::Relu));
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (text, expected) in [
            ("\"rleu\"", "unknown activation `rleu`, did you mean `relu`?; known are linear, relu, "),
            ("{ name = \"tanh\", alpha = 1 }", "tanh has no parameters, but `alpha` was given"),
            ("{ name = \"relu\", alpha = 1 }", "relu: unknown parameter `alpha`"),
            (
                "{ name = \"relu\", max_value = -1 }",
                "relu: max_value must be a finite number from 0, but is -1",
            ),
            ("{ name = \"celu\", alpha = 0 }", "celu: alpha must be a finite number > 0, but is 0"),
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
    fn functions_of_a_row_are_not_elementwise() {
        struct Seven;
        impl ElementwiseVisitor for Seven {
            type Output = f64;
            fn visit<E: Elementwise>(self, f: E) -> f64 {
                f.value(7.0)
            }
        }
        for (_, activation) in TABLE {
            assert_eq!(activation.visit(Seven).is_none(), activation.is_rowwise());
        }
        assert_eq!(Activation::Relu.visit(Seven), Some(7.0));
        assert_eq!(Activation::Elu { alpha: 1.0 }.gradient_from(), GradientFrom::Output);
        assert_eq!(Activation::Silu.gradient_from(), GradientFrom::Input);
    }
}
