//! What is minimised: one loss per file, written over one sample's row.
//!
//! A loss sees one sample's target and prediction and gives the sample's loss and, where asked,
//! its gradient. The mean over the batch is taken by the plan.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) mod crossentropy;
mod mean_squared_error;

/// The probabilities that enter a logarithm stay this far from 0 and 1 (Keras's `epsilon()`).
pub(crate) const EPSILON: f64 = 1e-7;

/// Which loss, with its parameters.
///
/// ```
/// use seedbed_nn::losses::Loss;
/// let loss: Loss = "sparse_categorical_crossentropy".parse().unwrap();
/// assert_eq!(loss, Loss::SparseCategoricalCrossentropy { from_logits: false });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "snake_case")]
pub enum Loss {
    /// −ln p of the right class; labels are class numbers.
    SparseCategoricalCrossentropy {
        /// The prediction is logits, not probabilities.
        from_logits: bool,
    },
    /// −Σ t·ln p; labels are one-hot or soft.
    CategoricalCrossentropy {
        /// The prediction is logits, not probabilities.
        from_logits: bool,
        /// Share of the target that is spread evenly over all classes, from 0 to 1.
        label_smoothing: f64,
    },
    /// Mean of (t − p)² over the row.
    MeanSquaredError,
}

/// What one sample should give.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a, R> {
    /// The number of the right class.
    Class(usize),
    /// One number per output: one-hot, soft, or any values.
    Row(&'a [R]),
}

impl<R: Lane> Target<'_, R> {
    /// The target of output `i`.
    pub(crate) fn at(&self, i: usize) -> R {
        match self {
            Self::Class(class) => R::lit(if *class == i { 1.0 } else { 0.0 }),
            Self::Row(row) => row[i],
        }
    }
}

impl Loss {
    /// Every name.
    pub const NAMES: [&'static str; 3] =
        ["sparse_categorical_crossentropy", "categorical_crossentropy", "mean_squared_error"];

    /// The name in Keras's spelling.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SparseCategoricalCrossentropy { .. } => Self::NAMES[0],
            Self::CategoricalCrossentropy { .. } => Self::NAMES[1],
            Self::MeanSquaredError => Self::NAMES[2],
        }
    }

    /// Whether it is a crossentropy, which softmax fuses with.
    pub(crate) fn is_crossentropy(&self) -> bool {
        !matches!(self, Self::MeanSquaredError)
    }

    /// Whether the prediction is taken as logits.
    pub(crate) fn takes_logits(&self) -> bool {
        match self {
            Self::SparseCategoricalCrossentropy { from_logits }
            | Self::CategoricalCrossentropy { from_logits, .. } => *from_logits,
            Self::MeanSquaredError => false,
        }
    }

    /// Whether targets must be one number per output; class labels are then one-hot encoded.
    pub(crate) fn needs_rows(&self) -> bool {
        !matches!(self, Self::SparseCategoricalCrossentropy { .. })
    }

    /// The share of the target that is spread over all classes.
    pub(crate) fn label_smoothing(&self) -> f64 {
        match self {
            Self::CategoricalCrossentropy { label_smoothing, .. } => *label_smoothing,
            _ => 0.0,
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] for a `label_smoothing` below 0 or above 1.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        let smoothing = self.label_smoothing();
        require((0.0..=1.0).contains(&smoothing), self.name(), "label_smoothing", "from 0 to 1", smoothing)
    }

    /// The loss of one sample whose prediction is not a softmax's logits; writes the gradient
    /// with respect to the prediction where asked.
    pub(crate) fn row<R: Lane>(
        &self,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        match self {
            Self::SparseCategoricalCrossentropy { .. } => crossentropy::sparse(target, prediction, gradient),
            Self::CategoricalCrossentropy { .. } => crossentropy::categorical(target, prediction, gradient),
            Self::MeanSquaredError => mean_squared_error::row(target, prediction, gradient),
        }
    }
}

impl std::str::FromStr for Loss {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let sparse = Self::SparseCategoricalCrossentropy { from_logits: false };
        let categorical = Self::CategoricalCrossentropy { from_logits: false, label_smoothing: 0.0 };
        let table = [
            ("sparse_categorical_crossentropy", sparse),
            ("categorical_crossentropy", categorical),
            ("mean_squared_error", Self::MeanSquaredError),
            ("mse", Self::MeanSquaredError),
        ];
        names::resolve("loss", name, &table)
    }
}

impl Named for Loss {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        match *self {
            Self::SparseCategoricalCrossentropy { from_logits } => vec![("from_logits", from_logits.into())],
            Self::CategoricalCrossentropy { from_logits, label_smoothing } => {
                vec![("from_logits", from_logits.into()), ("label_smoothing", label_smoothing.into())]
            }
            Self::MeanSquaredError => vec![],
        }
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, ValueError> {
        Self::deserialize(table)
    }
}

impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Loss, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_parameters_survive_a_file() {
        for name in Loss::NAMES {
            let loss: Loss = name.parse().unwrap();
            assert_eq!((loss.name(), serde_json::to_string(&loss).unwrap()), (name, format!("{name:?}")));
            assert_eq!(read(&format!("{name:?}")), Ok(loss));
        }
        assert_eq!("mse".parse(), Ok(Loss::MeanSquaredError));
        assert_eq!("SparseCategoricalCrossentropy".parse::<Loss>().unwrap().name(), Loss::NAMES[0]);
        for loss in [
            Loss::SparseCategoricalCrossentropy { from_logits: true },
            Loss::CategoricalCrossentropy { from_logits: true, label_smoothing: 0.0 },
            Loss::CategoricalCrossentropy { from_logits: false, label_smoothing: 0.25 },
        ] {
            let json = serde_json::to_string(&loss).unwrap();
            assert_eq!(read(&json), Ok(loss), "{json}");
        }
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            (
                r#""mean_square_error""#,
                "unknown loss `mean_square_error`, did you mean `mean_squared_error`?",
            ),
            (
                r#"{"name": "mse", "from_logits": true}"#,
                "mean_squared_error has no parameters, but `from_logits`",
            ),
            (
                r#"{"name": "categorical_crossentropy", "label_smoothing": 1.5}"#,
                "categorical_crossentropy: label_smoothing must be from 0 to 1, but is 1.5",
            ),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let smoothing = f64::NAN;
        let loss = Loss::CategoricalCrossentropy { from_logits: false, label_smoothing: smoothing };
        assert!(loss.validate().is_err());
    }

    #[test]
    fn mean_squared_error_worked_out_by_hand() {
        let (target, prediction, mut gradient) = ([1.0, -1.0, 0.5, 0.0], [0.5, 1.0, 0.5, -1.0], [0.0; 4]);
        let loss = Loss::MeanSquaredError.row(Target::Row(&target), &prediction, Some(&mut gradient));
        assert_eq!((loss, gradient), ((0.25 + 4.0 + 0.0 + 1.0) / 4.0, [-0.25, 1.0, 0.0, -0.5]));
        let one_hot = Loss::MeanSquaredError.row(Target::Class(1), &[0.0, 1.0, 2.0, 0.0], None);
        assert_eq!(one_hot, 1.0);
    }
}
