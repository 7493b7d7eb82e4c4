//! Penalties on weights or outputs, added to the loss of every batch.
//!
//! To add one: a file with its equation, source and gradient, a variant of [`Regularizer`], its name in
//! [`Regularizer::NAMES`], a line in each match below. One whose gradient for a number looks at that number alone joins the
//! update; any other is for whole variables.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod l1_l2;
mod orthogonal;

pub use l1_l2::L1L2;
pub use orthogonal::{OrthogonalRegularizer, Vectors};

/// The penalty on one variable, or on a layer's outputs.
///
/// ```
/// use seedbed_nn::regularizers::Regularizer;
/// let both = Regularizer::l1_l2(1e-5, 1e-4);
/// assert!(both.validate().is_ok() && Regularizer::l2(-1.0).validate().is_err());
/// assert_eq!("l2".parse(), Ok(Regularizer::l2(0.01)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regularizer {
    /// Large numbers cost something.
    L1L2(L1L2),
    /// Vectors that do not stand at right angles cost something.
    Orthogonal(OrthogonalRegularizer),
}

impl Regularizer {
    /// Keras's name of each.
    pub const NAMES: [&'static str; 4] = ["l1", "l2", "l1_l2", "orthogonal_regularizer"];

    /// Only Σ|w|.
    pub fn l1(l1: f64) -> Self {
        L1L2 { l1, l2: 0.0 }.into()
    }

    /// Only Σw².
    pub fn l2(l2: f64) -> Self {
        L1L2 { l1: 0.0, l2 }.into()
    }

    /// Both.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        L1L2 { l1, l2 }.into()
    }

    /// Keras's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::L1L2(regularizer) => regularizer.name(),
            Self::Orthogonal(_) => "orthogonal_regularizer",
        }
    }

    /// Whether it does nothing.
    pub fn is_none(&self) -> bool {
        match self {
            Self::L1L2(regularizer) => regularizer.is_none(),
            Self::Orthogonal(regularizer) => regularizer.factor == 0.0,
        }
    }

    /// Whether a number's gradient looks at more than the number.
    pub(crate) fn is_for_variables(&self) -> bool {
        matches!(self, Self::Orthogonal(_))
    }

    /// How many numbers of room it needs for a matrix, where it looks at the whole of it.
    pub(crate) fn whole_scratch(&self, rows: usize, cols: usize) -> Option<usize> {
        match self {
            Self::L1L2(_) => None,
            Self::Orthogonal(regularizer) => Some(regularizer.scratch(rows, cols)),
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the factor, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        Named::parameters(self).into_iter().try_for_each(|(parameter, value)| match value {
            Value::Float(factor) => {
                let good = factor.is_finite() && factor >= 0.0;
                require(good, self.name(), parameter, "a finite number ≥ 0", factor)
            }
            _ => Ok(()),
        })
    }

    /// Refuses a variable that it is not for.
    ///
    /// # Errors
    /// [`InvalidParameter`] where `orthogonal_regularizer` has no matrix.
    pub fn validate_shape(&self, shape: &[usize]) -> Result<(), InvalidParameter> {
        let fits = !self.is_for_variables() || shape.len() == 2;
        require(fits, self.name(), "shape", "two-dimensional", format_args!("{shape:?}"))
    }

    /// The gradient of one number with the penalty's own, where it looks at that number alone.
    #[inline(always)]
    pub(crate) fn add_gradient<L: Lane>(self, w: L, g: L) -> L {
        match self {
            Self::L1L2(regularizer) => regularizer.add_gradient(w, g),
            Self::Orthogonal(_) => g,
        }
    }

    /// The penalty from Σ|w| and Σw², where it looks at numbers alone.
    pub(crate) fn penalty<L: Lane>(self, sum_abs: L, sum_squares: L) -> L {
        match self {
            Self::L1L2(regularizer) => regularizer.penalty(sum_abs, sum_squares),
            Self::Orthogonal(_) => L::lit(0.0),
        }
    }
}

impl std::str::FromStr for Regularizer {
    type Err = UnknownName;

    /// A regularizer by its name, with Keras's defaults.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let table: [(&str, Self); 5] = [
            ("l1", Self::l1(0.01)),
            ("l2", Self::l2(0.01)),
            ("l1_l2", Self::l1_l2(0.0, 0.0)),
            ("orthogonal_regularizer", OrthogonalRegularizer::default().into()),
            ("orthogonal", OrthogonalRegularizer::default().into()),
        ];
        names::resolve("regularizer", name, &table)
    }
}

impl Named for Regularizer {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::L1L2(regularizer) => regularizer.parameters(),
            Self::Orthogonal(regularizer) => regularizer.parameters(),
        }
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, serde::de::value::Error> {
        let Value::Table(mut table) = table else {
            return Err(serde::de::value::Error::custom("expected a table"));
        };
        let orthogonal = table.remove("name") == Some(Value::from("orthogonal_regularizer"));
        let table = Value::Table(table);
        Ok(if orthogonal {
            Self::Orthogonal(Deserialize::deserialize(table)?)
        } else {
            Self::L1L2(Deserialize::deserialize(table)?)
        })
    }
}

/// The name alone where all parameters have their defaults, a table otherwise.
impl Serialize for Regularizer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

/// A name, or a table with a name and parameters; without a name it is `l1_l2`.
impl<'de> Deserialize<'de> for Regularizer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(from)?;
        if let Value::Table(table) = &mut value {
            table.entry("name".to_owned()).or_insert("l1_l2".into());
        }
        config::deserialize(value).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Regularizer, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_parameters_survive_a_file() {
        for name in Regularizer::NAMES {
            let regularizer: Regularizer = name.parse().unwrap();
            assert_eq!(regularizer.name(), name);
            assert_eq!(serde_json::to_string(&regularizer).unwrap(), format!("{name:?}"));
            assert_eq!(read(&format!("{{\"name\": {name:?}}}")), Ok(regularizer));
        }
        for regularizer in [
            Regularizer::l1(0.5),
            Regularizer::l2(1e-4),
            Regularizer::l1_l2(1e-5, 1e-4),
            OrthogonalRegularizer { factor: 0.5, mode: Vectors::Columns }.into(),
        ] {
            let json = serde_json::to_string(&regularizer).unwrap();
            assert_eq!(read(&json), Ok(regularizer), "{json}");
        }
        assert_eq!(read(r#"{"l2": 0.5}"#), Ok(Regularizer::l2(0.5)));
        assert_eq!(read(r#""L1L2""#), Ok(Regularizer::l1_l2(0.0, 0.0)));
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            (r#""l11_l2""#, "unknown regularizer `l11_l2`, did you mean `l1_l2`?"),
            (r#"{"l2": -1}"#, "l2: l2 must be a finite number ≥ 0, but is -1"),
            (r#"{"l2": 1, "l3": 1}"#, "l1_l2: unknown parameter `l3`"),
            (r#"{"name": "l1", "l2": 1}"#, "l1: unknown parameter `l2`"),
            (
                r#"{"name": "orthogonal_regularizer", "mode": "diagonals"}"#,
                "orthogonal_regularizer: unknown variant `diagonals`, expected `rows` or `columns`",
            ),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let orthogonal = Regularizer::from(OrthogonalRegularizer::default());
        assert!(orthogonal.validate_shape(&[3]).is_err() && orthogonal.validate_shape(&[3, 4]).is_ok());
    }
}
