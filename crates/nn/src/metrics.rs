//! What is measured beside the loss: one metric per file, fed sample by sample.
//!
//! A metric starts anew with every epoch and every evaluation, as in Keras. In training it sees the outputs
//! that the batch was trained with. To add one: a file with its definition and a struct that implements
//! `MetricRule`, a line in the table below.

use crate::config::{self, InvalidParameter, Named, Value};
use crate::losses::{Loss, Target, Whole, overlap};
use crate::names::{UnknownName, resolve, unknown};
use serde::de::Error as _;
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod accuracy;
mod auc;
mod cosine_similarity;
mod expected_calibration_error;
mod f_beta;
mod mean_margin;
mod positives;
mod root_mean_squared_error;
mod top_k;

pub use accuracy::{BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy};
pub use auc::{Auc, Curve};
pub use cosine_similarity::CosineSimilarity;
pub use expected_calibration_error::ExpectedCalibrationError;
pub use f_beta::{Average, F1Score, FbetaScore};
pub use mean_margin::MeanMargin;
pub use positives::{Precision, Recall};
pub use root_mean_squared_error::RootMeanSquaredError;
pub use top_k::{SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy};

/// What a metric is fed with, and what it found.
pub(crate) trait Accumulator {
    /// Hears of one sample.
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]);
    /// The number so far.
    fn result(&self) -> f64;
    /// Forgets everything.
    fn reset(&mut self);
}

/// What the model gives, as far as a metric must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outputs {
    /// How many numbers per sample.
    pub(crate) width: usize,
    /// Whether they are logits, as the loss has them.
    pub(crate) are_logits: bool,
}

impl Outputs {
    /// Refuses logits.
    fn need_probabilities(&self) -> Result<(), String> {
        let wrong = "expected probabilities, received logits (the loss has from_logits); end the model with a \
                     softmax or sigmoid";
        if self.are_logits { Err(wrong.to_owned()) } else { Ok(()) }
    }

    /// Refuses a single output.
    fn need_classes(&self) -> Result<(), String> {
        if self.width > 1 {
            return Ok(());
        }
        Err("expected at least 2 outputs (one per class), received 1".to_owned())
    }
}

/// A metric and its parameters.
pub(crate) trait MetricRule {
    /// Keras's name; those that Keras has not are named in its manner.
    const NAME: &'static str;
    /// The parameters and their values.
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
    /// Refuses parameters out of range.
    fn validate(&self) -> Result<(), InvalidParameter> {
        Ok(())
    }
    /// Says why it cannot be taken of these outputs, if it cannot.
    fn check(&self, _outputs: Outputs) -> Result<(), String> {
        Ok(())
    }
    /// An empty one.
    fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send>;
}

/// Writes, from one table of variants: the enum, its conversions, and a match for each thing a metric knows.
macro_rules! metrics {
    ($($metric:ident: $what:literal),* $(,)?) => {
        /// What is measured beside the loss.
        ///
        /// ```
        /// use seedbed_nn::metrics::{Metric, Precision};
        /// assert_eq!("precision".parse(), Ok(Metric::Precision(Precision::default())));
        /// assert_eq!("mae".parse::<Metric>().unwrap().name(), "mean_absolute_error");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Metric {
            $(#[doc = $what] $metric($metric),)*
            /// The mean of a loss over the samples; of any but `cosine_similarity`, which is a metric of its own.
            Mean(Loss),
        }

        impl Metric {
            /// Every name; beside these every loss is a metric too, the mean over the samples.
            pub const NAMES: [&'static str; [$($what),*].len()] = [$($metric::NAME),*];

            /// Every one with its default parameters.
            fn all() -> [(&'static str, Self); Self::NAMES.len()] {
                [$(($metric::NAME, Self::$metric($metric::default()))),*]
            }

            /// The name in Keras's spelling.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$metric(_) => $metric::NAME,)*
                    Self::Mean(loss) => loss.name(),
                }
            }

            pub(crate) fn check(&self, outputs: Outputs) -> Result<(), String> {
                self.validate().map_err(|error| error.to_string())?;
                match self {
                    $(Self::$metric(metric) => metric.check(outputs),)*
                    Self::Mean(loss) if loss.name() == CosineSimilarity::NAME => {
                        Err("as a metric, the cosine is not negated: expected Metric::CosineSimilarity".to_owned())
                    }
                    Self::Mean(loss) if loss.needs_classes() => outputs.need_classes(),
                    Self::Mean(_) => Ok(()),
                }
            }

            fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send> {
                match self {
                    $(Self::$metric(metric) => metric.start(outputs),)*
                    Self::Mean(loss) => Box::new(MeanOf { loss: *loss, mean: Mean::default() }),
                }
            }

            fn with(self, table: Value) -> Result<Self, ValueError> {
                Ok(match self {
                    $(Self::$metric(_) => Self::$metric(Deserialize::deserialize(table)?),)*
                    Self::Mean(_) => self,
                })
            }
        }

        impl Named for Metric {
            fn from_name(name: &str) -> Result<Self, UnknownName> {
                name.parse()
            }

            fn name(&self) -> &'static str {
                self.name()
            }

            fn parameters(&self) -> Vec<(&'static str, Value)> {
                match self {
                    $(Self::$metric(metric) => metric.parameters(),)*
                    Self::Mean(loss) => loss.rule_parameters(),
                }
            }

            fn validate(&self) -> Result<(), InvalidParameter> {
                match self {
                    $(Self::$metric(metric) => metric.validate(),)*
                    Self::Mean(loss) => loss.validate(),
                }
            }

            fn from_table(table: Value) -> Result<Self, ValueError> {
                let Value::Table(mut table) = table else { return Err(config::not_a_table()) };
                let name = config::take::<String>(&mut table, "name")?;
                match name.parse().map_err(ValueError::custom)? {
                    Self::Mean(loss) => {
                        let parameters = Value::Table(table);
                        loss.with_parameters(parameters).map(Self::Mean)
                    }
                    metric => metric.with(Value::Table(table)),
                }
            }
        }
    };
}

metrics! {
    BinaryAccuracy: "Share of outputs on the right side of a threshold.",
    CategoricalAccuracy: "Share of samples whose largest output is the right one.",
    SparseCategoricalAccuracy: "The same, of class numbers.",
    TopKCategoricalAccuracy: "Share of samples whose right class is among the k largest outputs.",
    SparseTopKCategoricalAccuracy: "The same, of class numbers.",
    Precision: "Share of what was found that is right.",
    Recall: "Share of what is right that was found.",
    F1Score: "Harmonic mean of precision and recall.",
    FbetaScore: "The same with recall `beta` times as important.",
    Auc: "Area under the ROC or precision-recall curve.",
    ExpectedCalibrationError: "How far confidence is from accuracy.",
    MeanMargin: "By how much the right output exceeds the largest other.",
    RootMeanSquaredError: "√ of the mean squared error.",
    CosineSimilarity: "The cosine of the angle between target and prediction.",
}

impl std::str::FromStr for Metric {
    type Err = UnknownName;

    /// A metric by its name, with default parameters.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let of_loss = |_| name.parse().map(Self::Mean);
        resolve("metric", name, &Self::all())
            .or_else(of_loss)
            .map_err(|_: UnknownName| unknown("metric", name, Self::NAMES.into_iter().chain(Loss::NAMES)))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

/// The names that metrics have in the history: one that is taken gets a number, `precision`, `precision_1`.
pub fn names(metrics: &[Metric]) -> Vec<String> {
    let name = |(index, metric): (usize, &Metric)| {
        let earlier = metrics[..index].iter().filter(|other| other.name() == metric.name()).count();
        let name = metric.name();
        if earlier == 0 { name.to_owned() } else { format!("{name}_{earlier}") }
    };
    metrics.iter().enumerate().map(name).collect()
}

/// The metrics of a fit or an evaluation, with the names they have in the history.
pub(crate) struct Metrics(Vec<(String, Box<dyn Accumulator + Send>)>);

impl Metrics {
    pub(crate) fn new(metrics: &[Metric], outputs: Outputs) -> Self {
        let started = metrics.iter().map(|metric| metric.start(outputs));
        Self(names(metrics).into_iter().zip(started).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        self.0.iter_mut().for_each(|(_, metric)| metric.add(target, prediction));
    }

    pub(crate) fn results(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, metric)| (name.as_str(), metric.result()))
    }

    pub(crate) fn reset(&mut self) {
        self.0.iter_mut().for_each(|(_, metric)| metric.reset());
    }
}

/// A running mean.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn result(&self) -> f64 {
        share(self.sum, self.count)
    }
}

/// `part/whole`, or 0 where the whole is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// The place of the right class: of the largest target, the first of several.
fn right_class(target: Target<'_, f32>) -> usize {
    match target {
        Target::Class(class) => class,
        Target::Row(row) => crate::kernels::score::arg_max(row),
    }
}

/// A loss, averaged.
struct MeanOf {
    loss: Loss,
    mean: Mean,
}

impl Accumulator for MeanOf {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        let binary = match target {
            Target::Class(_) => true,
            Target::Row(row) => row.iter().all(|&t| t == 0.0 || t == 1.0),
        };
        let whole = Whole { binary, sums: overlap::sums(target, prediction) };
        self.mean.add(f64::from(self.loss.row(&whole, target, prediction, None)));
    }

    fn result(&self) -> f64 {
        self.mean.result()
    }

    fn reset(&mut self) {
        self.mean = Mean::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters_survive_a_file() {
        let named = Metric::NAMES.into_iter().chain(Loss::NAMES).map(|name| name.parse::<Metric>().unwrap());
        let more: [Metric; 4] = [
            Metric::Precision(Precision { top_k: Some(2), ..Precision::default() }),
            Metric::FbetaScore(FbetaScore { beta: 2.0, average: Average::Weighted, threshold: Some(0.5) }),
            Metric::Auc(Auc { curve: Curve::Pr, num_thresholds: 50 }),
            serde_json::from_str(r#"{"name": "huber", "delta": 0.5}"#).unwrap(),
        ];
        for metric in named.chain(more) {
            let json = serde_json::to_string(&metric).unwrap();
            assert_eq!(serde_json::from_str::<Metric>(&json).unwrap(), metric, "{json}");
        }
        assert_eq!("MSE".parse::<Metric>().unwrap().name(), "mean_squared_error");
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            (r#""precison""#, "unknown metric `precison`, did you mean `precision`?"),
            (
                r#"{"name": "auc", "num_thresholds": 1}"#,
                "auc: num_thresholds must be from 2 to 65536, but is 1",
            ),
            (
                r#"{"name": "precision", "threshold": 1.5}"#,
                "precision: threshold must be from 0 to 1, but is 1.5",
            ),
            (
                r#"{"name": "fbeta_score", "beta": 0}"#,
                "fbeta_score: beta must be a finite number > 0, but is 0",
            ),
            (r#"{"name": "top_k_categorical_accuracy", "k": 0}"#, "k must be a whole number > 0, but is 0"),
        ] {
            let error = serde_json::from_str::<Metric>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let outputs = Outputs { width: 3, are_logits: true };
        for (metric, expected) in [
            (Metric::TopKCategoricalAccuracy(TopKCategoricalAccuracy { k: 4 }), "k: expected 1 to 3"),
            (Metric::Auc(Auc::default()), "expected probabilities, received logits"),
            (
                Metric::Recall(Recall { class_id: Some(3), ..Recall::default() }),
                "class_id: expected 0 to 2 (the model has 3 outputs), received 3",
            ),
            (Metric::Mean("cosine_similarity".parse().unwrap()), "expected Metric::CosineSimilarity"),
        ] {
            let error = metric.check(outputs).unwrap_err();
            assert!(error.contains(expected), "{metric:?}: {error}");
        }
    }

    /// Keras's doc: of two metrics with one name the second gets a number.
    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let metrics = ["recall", "auc", "recall"].map(|name| name.parse().unwrap());
        let metrics = Metrics::new(&metrics, Outputs { width: 2, are_logits: false });
        let names: Vec<&str> = metrics.results().map(|(name, _)| name).collect();
        assert_eq!(names, ["recall", "auc", "recall_1"]);
    }
}
