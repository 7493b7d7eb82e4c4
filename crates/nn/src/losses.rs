//! What is minimised: one loss per file, written over one sample's row.
//!
//! A loss sees one sample's target and prediction and gives the sample's loss and, where asked, its
//! gradient; [`Reduction`] says how the losses of a batch become one number. To add one: a file with its
//! equation and a struct that implements `LossRule`, a line in the table below.

use crate::config::{self, InvalidParameter, Named, Value};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod binary_crossentropy;
mod binary_focal_crossentropy;
mod categorical_crossentropy;
mod categorical_focal_crossentropy;
mod categorical_generalized_cross_entropy;
mod categorical_hinge;
mod cosine_similarity;
mod dice;
mod hinge;
mod huber;
mod kl_divergence;
mod log_cosh;
mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_squared_error;
mod mean_squared_logarithmic_error;
pub(crate) mod overlap;
mod poisson;
pub(crate) mod probability;
pub(crate) mod reduction;
mod sparse_categorical_crossentropy;
mod squared_hinge;
mod tversky;

#[cfg(test)]
mod testing;

pub use binary_crossentropy::BinaryCrossentropy;
pub use binary_focal_crossentropy::BinaryFocalCrossentropy;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub use categorical_focal_crossentropy::CategoricalFocalCrossentropy;
pub use categorical_generalized_cross_entropy::CategoricalGeneralizedCrossEntropy;
pub use categorical_hinge::CategoricalHinge;
pub use cosine_similarity::CosineSimilarity;
pub use dice::Dice;
pub use hinge::Hinge;
pub use huber::Huber;
pub use kl_divergence::KlDivergence;
pub use log_cosh::LogCosh;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_squared_error::MeanSquaredError;
pub use mean_squared_logarithmic_error::MeanSquaredLogarithmicError;
pub use poisson::Poisson;
pub use reduction::Reduction;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub use squared_hinge::SquaredHinge;
pub use tversky::Tversky;

/// The probabilities that enter a logarithm stay this far from 0 and 1 (Keras's `epsilon()`).
pub(crate) const EPSILON: f64 = 1e-7;

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
    #[inline(always)]
    pub(crate) fn at(&self, i: usize) -> R {
        match self {
            Self::Class(class) => R::lit(if *class == i { 1.0 } else { 0.0 }),
            Self::Row(row) => row[i],
        }
    }
}

/// What a sample's loss depends on beyond the sample: its whole batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<R> {
    /// Whether every target is 0 or 1.
    pub(crate) binary: bool,
    /// `[Σtp, Σt, Σp]`
    pub(crate) sums: [R; 3],
}

/// The formula of a loss and its parameters. What computes is `#[inline(always)]`.
pub(crate) trait LossRule: Copy {
    /// Keras's name.
    const NAME: &'static str;
    /// The parameters and their values.
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
    /// Refuses parameters out of range.
    fn validate(&self) -> Result<(), InvalidParameter> {
        Ok(())
    }
    /// The loss of one sample; writes the gradient with respect to the prediction where asked.
    fn row<R: Lane>(
        self,
        whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R;
}

/// A formula for each output alone.
pub(crate) trait ElementLoss: Copy {
    /// The loss of one output.
    fn value<R: Lane>(self, t: R, p: R) -> R;
    /// Its slope in p.
    fn slope<R: Lane>(self, t: R, p: R) -> R;
}

/// The mean over a row's outputs.
#[inline(always)]
fn mean<E: ElementLoss, R: Lane>(
    f: E,
    target: Target<'_, R>,
    prediction: &[R],
    gradient: Option<&mut [R]>,
) -> R {
    let count = R::lit(prediction.len() as f64);
    let mut sum = R::lit(0.0);
    for (i, &p) in prediction.iter().enumerate() {
        sum = sum + f.value(target.at(i), p);
    }
    if let Some(gradient) = gradient {
        for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
            *slot = f.slope(target.at(i), p) / count;
        }
    }
    sum / count
}

/// Writes, from one table of variants: the enum, its conversions, and a match for each thing a rule knows.
macro_rules! rules {
    ($($rule:ident: $what:literal),* $(,)?) => {
        /// Which formula, with its own parameters.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Rule {
            $(#[doc = $what] $rule($rule),)*
        }

        impl Loss {
            /// Every name, in Keras's spelling.
            pub const NAMES: [&'static str; [$($what),*].len()] = [$($rule::NAME),*];
        }

        impl Rule {
            /// Every rule with its default parameters.
            fn all() -> [Self; Loss::NAMES.len()] {
                [$(Self::$rule($rule::default())),*]
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$rule(_) => $rule::NAME,)* }
            }

            fn parameters(&self) -> Vec<(&'static str, Value)> {
                match self { $(Self::$rule(rule) => rule.parameters(),)* }
            }

            fn validate(&self) -> Result<(), InvalidParameter> {
                match self { $(Self::$rule(rule) => rule.validate(),)* }
            }

            /// The same rule with the parameters of a complete table.
            fn with(self, table: Value) -> Result<Self, ValueError> {
                Ok(match self { $(Self::$rule(_) => Self::$rule(Deserialize::deserialize(table)?),)* })
            }

            #[inline(always)]
            fn row<R: Lane>(
                self,
                whole: &Whole<R>,
                target: Target<'_, R>,
                prediction: &[R],
                gradient: Option<&mut [R]>,
            ) -> R {
                match self { $(Self::$rule(rule) => rule.row(whole, target, prediction, gradient),)* }
            }
        }

        $(impl From<$rule> for Loss {
            fn from(rule: $rule) -> Self {
                Self { rule: Rule::$rule(rule), reduction: Reduction::default() }
            }
        })*
    };
}

rules! {
    SparseCategoricalCrossentropy: "−ln p of the right class; targets are class numbers.",
    CategoricalCrossentropy: "−Σ t·ln p; targets are one-hot or soft.",
    BinaryCrossentropy: "Mean of −t·ln p − (1 − t)·ln(1 − p).",
    CategoricalFocalCrossentropy: "Categorical crossentropy that looks away from what is right.",
    BinaryFocalCrossentropy: "Binary crossentropy that looks away from what is right.",
    CategoricalGeneralizedCrossEntropy: "(1 − pᑫ) / q of the right class.",
    KlDivergence: "Σ t·ln(t / p).",
    Poisson: "Mean of p − t·ln p.",
    MeanSquaredError: "Mean of (t − p)².",
    MeanAbsoluteError: "Mean of |t − p|.",
    MeanAbsolutePercentageError: "100 times the mean of |t − p| / |t|.",
    MeanSquaredLogarithmicError: "Mean of (ln(t + 1) − ln(p + 1))².",
    Huber: "Quadratic up to `delta`, linear beyond.",
    LogCosh: "Mean of ln cosh(p − t).",
    CosineSimilarity: "Minus the cosine between target and prediction.",
    Hinge: "Mean of max(1 − t·p, 0).",
    SquaredHinge: "Mean of max(1 − t·p, 0)².",
    CategoricalHinge: "max(max((1 − t)·p) − Σ t·p + 1, 0).",
    Dice: "How little target and prediction overlap.",
    Tversky: "Dice with a weight for each kind of error.",
}

/// What is minimised: a formula, and how a batch's losses become one number.
///
/// ```
/// use seedbed_nn::losses::{Loss, SparseCategoricalCrossentropy};
/// let loss: Loss = "sparse_categorical_crossentropy".parse().unwrap();
/// assert_eq!(loss, SparseCategoricalCrossentropy::default().into());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// The formula.
    pub rule: Rule,
    /// How the losses of a batch become one number.
    pub reduction: Reduction,
}

impl Loss {
    /// The name in Keras's spelling.
    pub fn name(&self) -> &'static str {
        self.rule.name()
    }

    /// Sets how the losses of a batch become one number; Keras's `sum_over_batch_size` by default.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// Whether it is the crossentropy of one class in many, which has a step of its own on logits.
    pub(crate) fn is_categorical_crossentropy(&self) -> bool {
        matches!(self.rule, Rule::SparseCategoricalCrossentropy(_) | Rule::CategoricalCrossentropy(_))
    }

    /// Whether it needs one output per class.
    pub(crate) fn needs_classes(&self) -> bool {
        self.is_categorical_crossentropy()
            || matches!(
                self.rule,
                Rule::CategoricalFocalCrossentropy(_)
                    | Rule::CategoricalGeneralizedCrossEntropy(_)
                    | Rule::CategoricalHinge(_)
            )
    }

    /// Whether it is taken of the logits where the last layer ends in a softmax or sigmoid.
    pub(crate) fn undoes_activation(&self) -> bool {
        self.is_categorical_crossentropy()
            || matches!(self.rule, Rule::BinaryCrossentropy(_) | Rule::BinaryFocalCrossentropy(_))
    }

    /// Whether the prediction is taken as logits.
    pub fn takes_logits(&self) -> bool {
        match self.rule {
            Rule::SparseCategoricalCrossentropy(rule) => rule.from_logits,
            Rule::CategoricalCrossentropy(rule) => rule.from_logits,
            Rule::BinaryCrossentropy(rule) => rule.from_logits,
            Rule::CategoricalFocalCrossentropy(rule) => rule.from_logits,
            Rule::BinaryFocalCrossentropy(rule) => rule.from_logits,
            _ => false,
        }
    }

    /// The same loss of logits, where a binary one undoes the last activation.
    pub(crate) fn of_logits(mut self) -> Self {
        match &mut self.rule {
            Rule::BinaryCrossentropy(rule) => rule.from_logits = true,
            Rule::BinaryFocalCrossentropy(rule) => rule.from_logits = true,
            _ => {}
        }
        self
    }

    /// Whether targets must be one number per output; class labels are then one-hot encoded.
    pub(crate) fn needs_rows(&self) -> bool {
        !matches!(
            self.rule,
            Rule::SparseCategoricalCrossentropy(_) | Rule::CategoricalGeneralizedCrossEntropy(_)
        )
    }

    /// Whether one number is formed of the whole batch, not one per sample.
    pub(crate) fn is_of_batch(&self) -> bool {
        matches!(self.rule, Rule::Dice(Dice { axis: None }) | Rule::Tversky(Tversky { axis: None, .. }))
    }

    /// Whether it asks if every target of the batch is 0 or 1.
    pub(crate) fn asks_if_binary(&self) -> bool {
        matches!(self.rule, Rule::Hinge(_) | Rule::SquaredHinge(_))
    }

    /// The share of the target that is spread over all classes.
    pub(crate) fn label_smoothing(&self) -> f64 {
        match self.rule {
            Rule::SparseCategoricalCrossentropy(rule) => rule.label_smoothing,
            Rule::CategoricalCrossentropy(rule) => rule.label_smoothing,
            _ => 0.0,
        }
    }

    /// The class whose samples do not count.
    pub(crate) fn ignore_class(&self) -> Option<usize> {
        match self.rule {
            Rule::SparseCategoricalCrossentropy(rule) => {
                rule.ignore_class.and_then(|class| usize::try_from(class).ok())
            }
            _ => None,
        }
    }

    /// The parameters without the reduction.
    pub(crate) fn rule_parameters(&self) -> Vec<(&'static str, Value)> {
        self.rule.parameters()
    }

    /// The same loss with the parameters of a complete table.
    pub(crate) fn with_parameters(self, table: Value) -> Result<Self, ValueError> {
        Ok(Self { rule: self.rule.with(table)?, ..self })
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the parameter, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        self.rule.validate()
    }

    /// The loss of one sample whose prediction is not a softmax's logits; writes the gradient with respect
    /// to the prediction where asked.
    #[inline(always)]
    pub(crate) fn row<R: Lane>(
        &self,
        whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        match target {
            Target::Class(class) if Some(class) == self.ignore_class() => {
                gradient.into_iter().flatten().for_each(|slot| *slot = R::lit(0.0));
                R::lit(0.0)
            }
            target => self.rule.row(whole, target, prediction, gradient),
        }
    }
}

/// Keras's short names.
const ALIASES: [(&str, &str); 8] = [
    ("mse", MeanSquaredError::NAME),
    ("mae", MeanAbsoluteError::NAME),
    ("mape", MeanAbsolutePercentageError::NAME),
    ("msle", MeanSquaredLogarithmicError::NAME),
    ("bce", BinaryCrossentropy::NAME),
    ("kld", KlDivergence::NAME),
    ("kullback_leibler_divergence", KlDivergence::NAME),
    ("cosine_loss", CosineSimilarity::NAME),
];

impl std::str::FromStr for Loss {
    type Err = UnknownName;

    /// A loss by its name, with default parameters.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let rules = Rule::all();
        let named = |name| rules.iter().find(|rule| rule.name() == name).copied();
        let aliases = ALIASES.iter().filter_map(|&(alias, name)| Some((alias, named(name)?)));
        let table: Vec<(&str, Rule)> = rules.iter().map(|rule| (rule.name(), *rule)).chain(aliases).collect();
        names::resolve("loss", name, &table).map(|rule| Self { rule, reduction: Reduction::default() })
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
        let mut parameters = self.rule.parameters();
        parameters.push(("reduction", self.reduction.name().into()));
        parameters
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, ValueError> {
        let Value::Table(mut table) = table else { return Err(config::not_a_table()) };
        let name = config::take::<String>(&mut table, "name")?;
        let reduction = config::take(&mut table, "reduction")?;
        let named: Self = name.parse().map_err(serde::de::Error::custom)?;
        Ok(Self { rule: named.rule.with(Value::Table(table))?, reduction })
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
    use super::testing::row;
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
            assert_eq!(loss.validate(), Ok(()));
        }
        for (alias, name) in ALIASES {
            assert_eq!(alias.parse::<Loss>().unwrap().name(), name);
        }
        assert_eq!("KLDivergence".parse(), Ok(Loss::from(KlDivergence::default())));
        for loss in [
            Loss::from(SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }),
            SparseCategoricalCrossentropy { ignore_class: Some(255), ..Default::default() }.into(),
            CategoricalCrossentropy { from_logits: false, label_smoothing: 0.25 }.into(),
            Loss::from(MeanSquaredError::default()).reduction(Reduction::Sum),
            Dice { axis: Some(-1) }.into(),
            Tversky { alpha: 0.25, ..Default::default() }.into(),
        ] {
            let json = serde_json::to_string(&loss).unwrap();
            assert_eq!(read(&json), Ok(loss), "{json}");
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct File {
                loss: Loss,
            }
            let toml = toml::to_string(&File { loss }).unwrap();
            assert_eq!(toml::from_str(&toml), Ok(File { loss }), "{toml}");
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
                "mean_squared_error: unknown parameter `from_logits`; known are reduction",
            ),
            (
                r#"{"name": "mse", "reduction": "none"}"#,
                "mean_squared_error: reduction: unknown reduction `none`; known are sum_over_batch_size, ",
            ),
            (
                r#"{"name": "categorical_crossentropy", "label_smoothing": 1.5}"#,
                "categorical_crossentropy: label_smoothing must be from 0 to 1, but is 1.5",
            ),
            (
                r#"{"name": "sparse_categorical_crossentropy", "ignore_class": -1}"#,
                "sparse_categorical_crossentropy: ignore_class must be a class from 0 to 65535, but is -1",
            ),
            (r#"{"name": "huber", "delta": 0}"#, "huber: delta must be a finite number > 0, but is 0"),
            (
                r#"{"name": "binary_focal_crossentropy", "gamma": 0.5}"#,
                "binary_focal_crossentropy: gamma must be 0 or a finite number ≥ 1, but is 0.5",
            ),
            (r#"{"name": "dice", "axis": 0}"#, "dice: axis must be -1 (each sample) or left out"),
            (r#"{"name": "tversky", "beta": -1}"#, "tversky: beta must be a finite number ≥ 0, but is -1"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let loss = CategoricalCrossentropy { from_logits: false, label_smoothing: f64::NAN };
        assert!(Loss::from(loss).validate().is_err());
    }

    #[test]
    fn mean_squared_error_worked_out_by_hand() {
        let (loss, gradient) =
            row(MeanSquaredError::default(), Target::Row(&[1.0, -1.0, 0.5, 0.0]), &[0.5, 1.0, 0.5, -1.0]);
        assert_eq!((loss, gradient), ((0.25 + 4.0 + 0.0 + 1.0) / 4.0, vec![-0.25, 1.0, 0.0, -0.5]));
        assert_eq!(row(MeanSquaredError::default(), Target::Class(1), &[0.0, 1.0, 2.0, 0.0]).0, 1.0);
    }

    /// Two outputs tie for the largest wrong one: each gets half of the slope.
    #[test]
    fn categorical_hinge_worked_out_by_hand() {
        let (loss, gradient) = row(CategoricalHinge::default(), Target::Class(0), &[0.25, 0.5, 0.5]);
        assert_eq!((loss, gradient), (1.25, vec![-1.0, 0.5, 0.5]));
    }

    #[test]
    fn an_ignored_class_costs_nothing() {
        let loss = SparseCategoricalCrossentropy { ignore_class: Some(9), ..Default::default() };
        assert_eq!(row(loss, Target::Class(9), &[0.2, 0.8]), (0.0, vec![0.0, 0.0]));
    }
}
