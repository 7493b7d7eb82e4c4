//! `metrics = ["precision", { name = "top_k_categorical_accuracy", k = 3 }]`.
//!
//! Accuracy, the one that fits the model as Keras chooses it, is measured whether it is asked for or not: `accuracy` in the
//! list changes nothing.

use seedbed_nn::metrics::Metric;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub(super) fn serialize<S: Serializer>(metrics: &[Metric], to: S) -> Result<S::Ok, S::Error> {
    metrics.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Metric>, D::Error> {
    let wrong = |problem: serde_json::Error| D::Error::custom(format!("metrics: {problem}"));
    let chosen = Vec::<Value>::deserialize(from)?.into_iter().filter(|metric| !is_accuracy(metric));
    chosen.map(|metric| Metric::deserialize(metric).map_err(wrong)).collect()
}

fn is_accuracy(metric: &Value) -> bool {
    metric.as_str().is_some_and(|name| ["accuracy", "acc"].contains(&name))
}
