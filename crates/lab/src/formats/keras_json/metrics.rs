//! `metrics` of a `compile_config`, both ways.
//!
//! Keras has a class of its own for most losses as metrics, and takes any other loss for a metric as it is. The names that
//! its metrics have in a history are not read: here they follow from the classes.

use super::{defaults, read, write};
use seedbed_nn::metrics::{self, Metric};
use serde_json::{Map, Value, json};

/// Keras's class of a metric that is not named as its loss is.
const LOG_COSH: (&str, &str) = ("LogCoshError", "log_cosh");

/// Keras's key for one threshold or several, and ours for one.
const THRESHOLDS: (&str, &str) = ("thresholds", "threshold");

/// How F scores are averaged by default; Keras's are not, unless it is told how.
const OUR_AVERAGE: &str = "macro";

/// What is measured beside accuracy, which always is.
pub(super) fn from_keras(metrics: &Value, path: &str) -> Result<Vec<Metric>, String> {
    let list = match metrics {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => return read::wrong(path, format!("expected a list of metrics, received {metrics}")),
    };
    let others = list.iter().enumerate().filter(|(_, metric)| !is_accuracy(metric));
    others.map(|(index, metric)| metric_from_keras(metric, &format!("{path}[{index}]"))).collect()
}

fn is_accuracy(metric: &Value) -> bool {
    metric.as_str().is_some_and(|name| ["accuracy", "acc"].contains(&name.to_lowercase().as_str()))
}

fn metric_from_keras(metric: &Value, path: &str) -> Result<Metric, String> {
    if metric["config"].get("average") == Some(&Value::Null) {
        let problem = "expected micro, macro or weighted, received null, which is one number per class";
        return read::wrong(&format!("{path}.config.average"), problem);
    }
    let kind = if metric["module"] == "keras.losses" { "losses" } else { "metrics" };
    let mut named = read::named_thing(metric, kind, path)?.unwrap_or_default();
    if named["name"] == LOG_COSH.0 {
        named["name"] = LOG_COSH.1.into();
    }
    if let Some(thresholds) = named.as_object_mut().and_then(|named| named.remove(THRESHOLDS.0)) {
        named[THRESHOLDS.1] = one_threshold(thresholds, path)?;
    }
    read::read_as(named, path)
}

/// One threshold, alone or in a list.
fn one_threshold(thresholds: Value, path: &str) -> Result<Value, String> {
    match thresholds {
        Value::Array(mut list) if list.len() == 1 => Ok(list.remove(0)),
        Value::Array(_) => {
            let problem = format!("expected one threshold, received {thresholds}");
            read::wrong(&format!("{path}.config.{}", THRESHOLDS.0), problem)
        }
        threshold => Ok(threshold),
    }
}

/// Accuracy, and what else is measured.
pub(super) fn to_keras(metrics: &[Metric]) -> Result<Value, String> {
    let others = metrics
        .iter()
        .zip(metrics::names(metrics))
        .map(|(metric, name)| metric_to_keras(metric, name).map_err(|problem| format!("metrics: {problem}")));
    std::iter::once(Ok(json!("accuracy"))).chain(others).collect()
}

fn metric_to_keras(metric: &Metric, name: String) -> Result<Value, String> {
    let (own_name, mut parameters) = write::apart(write::serialized(metric)?)?;
    let class =
        if own_name == LOG_COSH.1 { Ok(LOG_COSH.0.to_owned()) } else { write::class("metrics", &own_name) };
    let mut config = class.as_ref().map(|class| defaults::of("metrics", class)).unwrap_or_default();
    if let Some(average) = config.get_mut("average") {
        *average = OUR_AVERAGE.into();
    }
    if config.contains_key(THRESHOLDS.0)
        && let Some(threshold) = parameters.remove(THRESHOLDS.1)
    {
        parameters.insert(THRESHOLDS.0.to_owned(), threshold);
    }
    match (class, metric) {
        (Ok(class), _) if parameters.keys().all(|key| config.contains_key(key)) => {
            config.extend(parameters);
            config.insert("name".to_owned(), name.into());
            config.insert("dtype".to_owned(), "float32".into());
            Ok(write::object("metrics", &class, config))
        }
        (_, Metric::Mean(_)) => write::named("losses", with_name(parameters, own_name)),
        (class, _) => Err(class.err().unwrap_or_else(|| format!("Keras's {own_name} has other parameters"))),
    }
}

fn with_name(mut parameters: Map<String, Value>, name: String) -> Value {
    parameters.insert("name".to_owned(), name.into());
    Value::Object(parameters)
}
