//! What Keras's objects are configured with by default, as Keras itself says.

use seedbed_nn::names::{UnknownName, resolve};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// One table per kind: class name → configuration without name, type and what has no default.
static ALL: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keras_defaults.json")).unwrap_or_default());

/// The configuration that objects of a class have by default; empty for a class that is not listed.
pub(super) fn of(kind: &str, class_name: &str) -> Map<String, Value> {
    ALL[kind][class_name].as_object().cloned().unwrap_or_default()
}

/// Keras's class for a name: `glorot_uniform` is `GlorotUniform`.
pub(super) fn class(kind: &'static str, name: &str) -> Result<String, UnknownName> {
    let classes = ALL[kind].as_object().into_iter().flat_map(Map::keys);
    let table: Vec<(&str, &str)> = classes.map(|class| (class.as_str(), class.as_str())).collect();
    resolve(kind, name, &table).map(str::to_owned)
}

/// Whether two values say the same: `3` and `3.0` do.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed_nn::initializers::Initializer;
    use seedbed_nn::layers::Layer;
    use seedbed_nn::losses::Loss;
    use seedbed_nn::metrics::Metric;
    use seedbed_nn::optimizers::Optimizer;
    use serde_json::json;

    #[test]
    fn every_class_of_the_engine_is_listed() {
        for class in Layer::NAMES {
            assert!(!of("layers", class).is_empty(), "add {class} to tests/interop/keras_defaults.py");
        }
        for name in Initializer::NAMES {
            assert!(class("initializers", name).is_ok(), "{name}");
        }
        for name in Optimizer::NAMES {
            assert!(class("optimizers", name).is_ok(), "{name}");
        }
        for name in Loss::NAMES {
            assert!(class("losses", name).is_ok(), "{name}");
        }
        let only_here = ["expected_calibration_error", "mean_margin"];
        for name in Metric::NAMES {
            assert_eq!(class("metrics", name).is_ok(), !only_here.contains(&name), "{name}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(same(&json!({"a": [1, 2]}), &json!({"a": [1.0, 2.0]})));
        assert!(!same(&json!([1]), &json!([1, 1])) && !same(&json!({"a": 1}), &json!({"b": 1})));
    }
}
