//! Constraints: what a variable is brought back to after every step.
//!
//! Three of them look at norms of parts of the variable, the root of the sum of squares along `axis` (one axis or
//! several): of a Dense kernel `[inputs, units]` axis 0 gives one norm per unit, axis 1 one per input; for a convolution
//! kernel `[height, width, inputs, filters]` axes `[0, 1, 2]` give one per filter. Along the rows of the variable's matrix
//! a sum is one ascending chain, along its last axis it has 16 interleaved chains.
//!
//! Source: Keras `keras/src/constraints/constraints.py`, whose ε is 1e-7. To add one: a file with its equation, a variant
//! of [`Constraint`], its name in [`Constraint::NAMES`], a line in each match below.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod axes;
mod max_norm;
mod min_max_norm;
mod non_neg;
mod unit_norm;

pub use axes::Axes;
pub(crate) use axes::Groups;
pub use max_norm::MaxNorm;
pub use min_max_norm::MinMaxNorm;
pub use non_neg::NonNeg;
pub use unit_norm::UnitNorm;

/// Keras's `backend.epsilon()`, which keeps divisors from 0.
const EPSILON: f64 = 1e-7;

/// A constraint with its parameters.
///
/// ```
/// use seedbed_nn::constraints::{Constraint, MaxNorm};
/// let constraint = Constraint::from(MaxNorm::new(3.0));
/// assert_eq!("max_norm".parse(), Ok(Constraint::from(MaxNorm::default())));
/// assert!(constraint.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "snake_case")]
pub enum Constraint {
    /// Norms are at most so large.
    MaxNorm(MaxNorm),
    /// Norms are between two values.
    MinMaxNorm(MinMaxNorm),
    /// No number is negative.
    NonNeg(NonNeg),
    /// Norms are 1.
    UnitNorm(UnitNorm),
}

impl Constraint {
    /// Keras's name of each.
    pub const NAMES: [&'static str; 4] = ["max_norm", "min_max_norm", "non_neg", "unit_norm"];

    /// Keras's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MaxNorm(_) => "max_norm",
            Self::MinMaxNorm(_) => "min_max_norm",
            Self::NonNeg(_) => "non_neg",
            Self::UnitNorm(_) => "unit_norm",
        }
    }

    /// The axes of its norms, where it looks at any.
    pub fn axes(&self) -> Option<&Axes> {
        match self {
            Self::MaxNorm(constraint) => Some(&constraint.axis),
            Self::MinMaxNorm(constraint) => Some(&constraint.axis),
            Self::UnitNorm(constraint) => Some(&constraint.axis),
            Self::NonNeg(_) => None,
        }
    }

    /// What the numbers under a norm are multiplied by.
    #[inline(always)]
    pub(crate) fn factor<L: Lane>(&self, norm: L) -> L {
        match self {
            Self::MaxNorm(constraint) => constraint.factor(norm),
            Self::MinMaxNorm(constraint) => constraint.factor(norm),
            Self::UnitNorm(constraint) => constraint.factor(norm),
            Self::NonNeg(_) => L::lit(1.0),
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the parameter, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        let check = |parameter, value: f64| {
            require(value.is_finite() && value >= 0.0, self.name(), parameter, "a finite number ≥ 0", value)
        };
        match self {
            Self::MaxNorm(constraint) => check("max_value", constraint.max_value),
            Self::MinMaxNorm(constraint) => {
                check("min_value", constraint.min_value)?;
                check("max_value", constraint.max_value)?;
                let (min, max) = (constraint.min_value, constraint.max_value);
                require(min <= max, self.name(), "max_value", "at least min_value", max)?;
                let share = (0.0..=1.0).contains(&constraint.rate);
                require(share, self.name(), "rate", "from 0 to 1", constraint.rate)
            }
            Self::NonNeg(_) | Self::UnitNorm(_) => Ok(()),
        }
    }

    /// Refuses a variable that has not the axes.
    ///
    /// # Errors
    /// [`InvalidParameter`] names what is allowed and what was received.
    pub fn validate_shape(&self, shape: &[usize]) -> Result<(), InvalidParameter> {
        let Some(axes) = self.axes() else { return Ok(()) };
        let known = axes.resolve(shape.len()).is_some();
        require(
            known,
            self.name(),
            "axis",
            "different axes that the variable has",
            format_args!("{axes} of {shape:?}"),
        )
    }
}

impl std::str::FromStr for Constraint {
    type Err = UnknownName;

    /// A constraint by its name, with Keras's defaults.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let table: [(&str, Self); 5] = [
            ("max_norm", MaxNorm::default().into()),
            ("min_max_norm", MinMaxNorm::default().into()),
            ("non_neg", NonNeg {}.into()),
            ("unit_norm", UnitNorm::default().into()),
            ("non_negative", NonNeg {}.into()),
        ];
        names::resolve("constraint", name, &table)
    }
}

impl Named for Constraint {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::MaxNorm(constraint) => constraint.parameters(),
            Self::MinMaxNorm(constraint) => constraint.parameters(),
            Self::UnitNorm(constraint) => constraint.parameters(),
            Self::NonNeg(_) => Vec::new(),
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
impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

/// A name, or a table with a name and parameters.
impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Constraint, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_parameters_survive_a_file() {
        for name in Constraint::NAMES {
            let constraint: Constraint = name.parse().unwrap();
            assert_eq!(
                (constraint.name(), serde_json::to_string(&constraint).unwrap()),
                (name, format!("{name:?}"))
            );
            assert_eq!(read(&format!("{{\"name\": {name:?}}}")), Ok(constraint));
        }
        for constraint in [
            Constraint::from(MaxNorm { max_value: 3.0, axis: Axes::from(1) }),
            MinMaxNorm { min_value: 0.5, max_value: 1.0, rate: 0.25, axis: Axes::from([0, 1, 2]) }.into(),
            UnitNorm { axis: Axes::from(-1) }.into(),
        ] {
            let json = serde_json::to_string(&constraint).unwrap();
            assert_eq!(read(&json), Ok(constraint), "{json}");
        }
        assert_eq!(read(r#""MaxNorm""#), Ok(MaxNorm::default().into()));
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            (r#""max_nrm""#, "unknown constraint `max_nrm`, did you mean `max_norm`?"),
            (
                r#"{"name": "max_norm", "max_value": -1}"#,
                "max_norm: max_value must be a finite number ≥ 0, but is -1",
            ),
            (
                r#"{"name": "min_max_norm", "min_value": 2}"#,
                "min_max_norm: max_value must be at least min_value, but is 1",
            ),
            (r#"{"name": "min_max_norm", "rate": 2}"#, "min_max_norm: rate must be from 0 to 1, but is 2"),
            (r#"{"name": "non_neg", "axis": 0}"#, "non_neg has no parameters, but `axis` was given"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let error = Constraint::from(UnitNorm { axis: Axes::from(2) }).validate_shape(&[3, 4]).unwrap_err();
        let expected = "unit_norm: axis must be different axes that the variable has, but is 2 of [3, 4]";
        assert_eq!(error.to_string(), expected);
    }
}
