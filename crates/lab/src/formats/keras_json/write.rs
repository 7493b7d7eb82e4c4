//! From a Sequential to Keras's JSON.

use super::{check_in_common, defaults, metrics};
use crate::recipe::CompileRecipe;
use seedbed_nn::layers::Layer;
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(super) fn model(model: &Sequential, compile: &CompileRecipe) -> Result<Value, String> {
    let summary = model.summary().map_err(|error| error.to_string())?;
    let mut input = model.input_shape.clone();
    let mut layers = vec![input_layer(&input)];
    for (layer, row) in model.layers.iter().zip(summary.rows) {
        layers.push(keras_layer(layer, &row.name, &input)?);
        input = row.output_shape;
    }
    let shape = batch(&model.input_shape);
    Ok(json!({
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "trainable": true,
            "dtype": dtype(),
            "layers": layers,
            "build_input_shape": shape,
        },
        "registered_name": null,
        "build_config": { "input_shape": shape },
        "compile_config": compile_config(compile)?,
    }))
}

/// Every key of a layer: in the engine's form where the engine has it, otherwise Keras's default.
pub(in crate::formats) fn complete_config(layer: &Layer) -> Result<Map<String, Value>, String> {
    let mut config = defaults::of("layers", layer.class_name());
    config.extend(table(layer)?);
    config.remove("class_name");
    Ok(config)
}

fn keras_layer(layer: &Layer, name: &str, input: &Shape) -> Result<Value, String> {
    let mut config = complete_config(layer)?;
    for (key, value) in &mut config {
        let converted = keras_value(key, value.take());
        *value = converted.map_err(|problem| format!("layer {name:?}: {key}: {problem}"))?;
    }
    config.insert("name".to_owned(), name.into());
    config.insert("dtype".to_owned(), dtype());
    let mut object = object("layers", layer.class_name(), config);
    object["build_config"] = json!({ "input_shape": batch(input) });
    Ok(object)
}

fn input_layer(shape: &Shape) -> Value {
    let config = json!({
        "batch_shape": batch(shape),
        "dtype": "float32",
        "sparse": false,
        "ragged": false,
        "name": "input_layer",
        "optional": false,
    });
    json!({ "module": "keras.layers", "class_name": "InputLayer", "config": config, "registered_name": null })
}

fn batch(shape: &Shape) -> Value {
    std::iter::once(Value::Null).chain(shape.axes().iter().map(|&axis| axis.into())).collect()
}

fn dtype() -> Value {
    json!({ "module": "keras", "class_name": "DTypePolicy", "config": { "name": "float32" }, "registered_name": null })
}

pub(super) fn object(kind: &str, class_name: &str, config: Map<String, Value>) -> Value {
    let module = if kind == "schedules" { "optimizers.schedules" } else { kind };
    json!({
        "module": format!("keras.{module}"),
        "class_name": class_name,
        "config": config,
        "registered_name": null,
    })
}

pub(super) fn serialized(thing: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(thing).map_err(|error| error.to_string())
}

/// The serialized form of a thing that is a table.
fn table(thing: &impl Serialize) -> Result<Map<String, Value>, String> {
    match serialized(thing)? {
        Value::Object(table) => Ok(table),
        other => Err(format!("expected a table, received {other}")),
    }
}

/// The value of a layer's key in Keras's words.
fn keras_value(key: &str, value: Value) -> Result<Value, String> {
    match key {
        _ if value.is_null() => Ok(value),
        "activation" => activation(value),
        // Keras's own default is an object already.
        _ if value.get("class_name").is_some() => Ok(value),
        _ if key.ends_with("_initializer") => named("initializers", value),
        _ if key.ends_with("_constraint") => named("constraints", value),
        _ if key.ends_with("_regularizer") => regularizer(value),
        _ => Ok(value),
    }
}

/// What Keras has no word for in one of its classes.
const ONLY_HERE: [(&str, &str); 1] = [("SparseCategoricalCrossentropy", "label_smoothing")];

/// `"name"` or `{name, parameters…}` as one of Keras's objects.
pub(super) fn named(kind: &'static str, value: Value) -> Result<Value, String> {
    let (name, mut parameters) = apart(value)?;
    let class_name = class(kind, &name)?;
    for (_, key) in ONLY_HERE.iter().filter(|(class, _)| *class == class_name) {
        // At 0 it does nothing.
        if parameters.remove(*key).is_some_and(|value| value.as_f64() != Some(0.0)) {
            return Err(format!("Keras's {class_name} has no `{key}`"));
        }
    }
    let mut config = defaults::of(kind, &class_name);
    config.extend(parameters);
    Ok(object(kind, &class_name, config))
}

pub(super) fn class(kind: &'static str, name: &str) -> Result<String, String> {
    defaults::class(kind, name).map_err(|error| format!("Keras does not have it: {error}"))
}

pub(super) fn apart(value: Value) -> Result<(String, Map<String, Value>), String> {
    match value {
        Value::String(name) => Ok((name, Map::new())),
        Value::Object(mut parameters) => match parameters.remove("name") {
            Some(Value::String(name)) => Ok((name, parameters)),
            _ => Err("expected a name".to_owned()),
        },
        other => Err(format!("expected a name or a table, received {other}")),
    }
}

/// The factors of a penalty say which of Keras's classes it is.
fn regularizer(value: Value) -> Result<Value, String> {
    let other = value.as_str().or(value["name"].as_str()).is_some_and(|name| name != "l1_l2");
    if other {
        return named("regularizers", value);
    }
    let factor = |key: &str| value[key].as_f64().unwrap_or_default();
    let (l1, l2) = (factor("l1"), factor("l2"));
    let (class_name, config) = match (l1 != 0.0, l2 != 0.0) {
        (true, false) => ("L1", json!({ "l1": l1 })),
        (false, true) => ("L2", json!({ "l2": l2 })),
        _ => ("L1L2", json!({ "l1": l1, "l2": l2 })),
    };
    Ok(object("regularizers", class_name, table(&config)?))
}

/// A function by its name; one with parameters of its own is, in Keras, the layer of that name.
fn activation(value: Value) -> Result<Value, String> {
    let (name, parameters) = apart(value)?;
    check_in_common(&name)?;
    if parameters.is_empty() {
        return Ok(name.into());
    }
    let class_name = defaults::class("layers", &name).map_err(|_| {
        format!(
            "Keras has {name} with its default parameters only, received {}",
            Value::Object(parameters.clone())
        )
    })?;
    let mut config = defaults::of("layers", &class_name);
    if let Some(stranger) = parameters.keys().find(|key| !config.contains_key(*key)) {
        return Err(format!("Keras's {class_name} has no `{stranger}`"));
    }
    config.extend(parameters);
    config.insert("name".to_owned(), seedbed_nn::sequential::snake_case(&class_name).into());
    config.insert("dtype".to_owned(), dtype());
    Ok(object("layers", &class_name, config))
}

fn compile_config(compile: &CompileRecipe) -> Result<Value, String> {
    let (optimizer, loss) = (serialized(&compile.optimizer)?, serialized(&compile.loss)?);
    Ok(json!({
        "optimizer": optimizer_object(optimizer).map_err(|problem| format!("optimizer: {problem}"))?,
        "loss": if loss.is_string() { loss } else { named("losses", loss).map_err(|problem| format!("loss: {problem}"))? },
        "loss_weights": null,
        "metrics": metrics::to_keras(&compile.metrics)?,
        "weighted_metrics": null,
        "run_eagerly": false,
        "steps_per_execution": 1,
        "jit_compile": false,
    }))
}

/// Keras writes "no decay" as null, and a schedule in the place of the rate.
fn optimizer_object(optimizer: Value) -> Result<Value, String> {
    let (name, mut parameters) = apart(optimizer)?;
    if parameters.get("weight_decay").and_then(Value::as_f64) == Some(0.0) {
        parameters.insert("weight_decay".to_owned(), Value::Null);
    }
    if let Some(rate) = parameters.get_mut("learning_rate").filter(|rate| !rate.is_number()) {
        *rate = named("schedules", rate.take())?;
    }
    let class_name = class("optimizers", &name)?;
    let mut config = defaults::of("optimizers", &class_name);
    if let Some(stranger) = parameters.keys().find(|key| !config.contains_key(*key)) {
        return Err(format!("Keras's files have no place for {stranger}"));
    }
    config.extend(parameters);
    config.insert("name".to_owned(), name.into());
    Ok(object("optimizers", &class_name, config))
}
