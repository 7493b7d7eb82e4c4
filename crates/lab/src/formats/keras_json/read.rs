//! From Keras's JSON to a Sequential.

use super::{chain, check_in_common, defaults, metrics};
use crate::error::in_words;
use crate::recipe::CompileRecipe;
use seedbed_nn::layers::Layer;
use seedbed_nn::losses::Loss;
use seedbed_nn::optimizers::Optimizer;
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A problem and its place in the file.
pub(super) fn wrong<T>(path: &str, problem: impl std::fmt::Display) -> Result<T, String> {
    Err(format!("{path}: {problem}"))
}

/// One of Keras's serialized objects.
struct Object<'a> {
    class_name: &'a str,
    config: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// Takes an object apart; refuses what is not Keras's own.
    fn read(value: &'a Value, path: &str) -> Result<Self, String> {
        let Some(class_name) = value["class_name"].as_str() else {
            return wrong(path, "expected a table with `class_name` and `config`");
        };
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        let (module, registered) = (text("module"), text("registered_name"));
        if class_name == "Lambda" || class_name == "__lambda__" {
            return wrong(
                path,
                "Lambda holds code, and code from files is never run; use the layers that Seedbed has",
            );
        }
        let of_keras = module.is_empty() || module == "keras" || module.starts_with("keras.");
        if !of_keras || registered.contains('>') || class_name == "function" {
            let name = if registered.is_empty() { class_name } else { registered };
            return wrong(
                path,
                format!(
                    "the custom object `{name}` of module `{module}` is not supported: code from \
                 files is never run; {}",
                    supported()
                ),
            );
        }
        match &value["config"] {
            Value::Object(config) => Ok(Self { class_name, config }),
            _ => wrong(path, format!("{class_name}: expected a table under `config`")),
        }
    }

    /// The configuration without what has its default, in the engine's form.
    fn parameters(&self, kind: &str, path: &str) -> Result<Map<String, Value>, String> {
        let defaults = defaults::of(kind, self.class_name);
        let mut parameters = Map::new();
        for (key, value) in self.config {
            let path = format!("{path}.config.{key}");
            match (key.as_str(), value) {
                ("name", _) | (_, Value::Null) => {}
                ("dtype", _) => check_dtype(value, &path)?,
                _ if defaults.get(key).is_some_and(|default| defaults::same(default, value)) => {}
                _ => {
                    parameters.insert(key.clone(), engine_value(key, value, &path)?);
                }
            }
        }
        Ok(parameters)
    }
}

fn supported() -> String {
    format!("supported layers are {}", Layer::NAMES.join(", "))
}

pub(super) fn model(file: &Value) -> Result<(Sequential, CompileRecipe), String> {
    let object = Object::read(file, "the file")?;
    let Some(layers) = object.config.get("layers").and_then(Value::as_array) else {
        return wrong("config.layers", "expected a list of layers");
    };
    match object.class_name {
        "Sequential" => {}
        "Functional" => chain::check(object.config, layers)?,
        other => {
            return wrong("class_name", format!("expected `Sequential` or `Functional`, received `{other}`"));
        }
    }
    let (mut input, mut found) = (None, Vec::new());
    for (index, layer) in layers.iter().enumerate() {
        let path = format!("config.layers[{index}]");
        let object = Object::read(layer, &path)?;
        if object.class_name == "InputLayer" {
            if index > 0 {
                return wrong(&path, "expected the InputLayer before all others");
            }
            input = Some(input_layer(&object, &path)?);
        } else {
            found.push(read_layer(&object, &path)?);
        }
    }
    let input_shape = match input.or_else(|| object.config.get("build_input_shape").and_then(batch_shape)) {
        Some(shape) => shape,
        None => {
            return wrong(
                "config.layers[0]",
                "expected an InputLayer with the shape of one sample; add keras.Input(shape) to the model",
            );
        }
    };
    let model = named(input_shape, found)?;
    model.summary().map_err(|error| error.to_string())?;
    Ok((model, compile(&file["compile_config"])?))
}

fn input_layer(object: &Object<'_>, path: &str) -> Result<Shape, String> {
    for (key, default) in
        [("sparse", Value::Bool(false)), ("ragged", Value::Bool(false)), ("optional", Value::Bool(false))]
    {
        if object.config.get(key).is_some_and(|value| *value != default && !value.is_null()) {
            return wrong(&format!("{path}.config.{key}"), "only false is supported");
        }
    }
    if let Some(dtype) = object.config.get("dtype") {
        check_dtype(dtype, &format!("{path}.config.dtype"))?;
    }
    let shape = object.config.get("batch_shape").unwrap_or(&Value::Null);
    match batch_shape(shape) {
        Some(shape) => Ok(shape),
        None => wrong(
            &format!("{path}.config.batch_shape"),
            format!("expected [null, …] with a whole number for every axis of a sample, received {shape}"),
        ),
    }
}

/// The shape of a sample from that of a batch.
fn batch_shape(value: &Value) -> Option<Shape> {
    let (_, sample) = value.as_array()?.split_first()?;
    let axes = sample.iter().map(|axis| axis.as_u64().and_then(|axis| usize::try_from(axis).ok()));
    axes.collect::<Option<Vec<usize>>>().filter(|axes| !axes.is_empty()).map(Shape::from)
}

/// Everything is computed in 32-bit floats.
fn check_dtype(value: &Value, path: &str) -> Result<(), String> {
    let name =
        value.as_str().or_else(|| value["config"]["name"].as_str()).or_else(|| value["config"].as_str());
    match name {
        Some("float32") => Ok(()),
        _ => wrong(path, format!("only float32 is supported, received {value}")),
    }
}

/// A layer's name and its own form without that name.
fn read_layer(object: &Object<'_>, path: &str) -> Result<(String, Map<String, Value>), String> {
    let class_name = Layer::known(object.class_name).or_else(|error| wrong(path, error))?;
    let mut layer = object.parameters("layers", path)?;
    layer.insert("class_name".to_owned(), class_name.into());
    read_as::<Layer>(Value::Object(layer.clone()), path)?;
    let name = object.config.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok((name.to_owned(), layer))
}

pub(super) fn read_as<T: DeserializeOwned>(value: Value, path: &str) -> Result<T, String> {
    serde_json::from_value(value).or_else(|error| wrong(path, in_words(&error.to_string())))
}

/// The model, in which only those layers are named whose name is not the one they have anyway.
fn named(input_shape: Shape, layers: Vec<(String, Map<String, Value>)>) -> Result<Sequential, String> {
    let read = |layers: Vec<Map<String, Value>>| -> Result<Vec<Layer>, String> {
        layers
            .into_iter()
            .enumerate()
            .map(|(i, layer)| read_as(Value::Object(layer), &format!("layer {i}")))
            .collect()
    };
    let unnamed = Sequential {
        input_shape: input_shape.clone(),
        layers: read(layers.iter().map(|(_, layer)| layer.clone()).collect())?,
    };
    let summary = unnamed.summary().map_err(|error| error.to_string())?;
    let layers = layers.into_iter().zip(summary.rows).map(|((name, mut layer), row)| {
        if !name.is_empty() && name != row.name {
            layer.insert("name".to_owned(), name.into());
        }
        layer
    });
    Ok(Sequential { input_shape, layers: read(layers.collect())? })
}

/// Objects whose defaults are not those of the engine's thing: a LeakyReLU layer's slope is 0.3, that of the function
/// `leaky_relu` is 0.2.
const DEFAULTS_DIFFER: [&str; 5] = ["L1", "L2", "L1L2", "LeakyReLU", "ELU"];

/// A value in the engine's form: Keras's objects become `{name, parameters…}`.
fn engine_value(key: &str, value: &Value, path: &str) -> Result<Value, String> {
    match value {
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(i, value)| engine_value(key, value, &format!("{path}[{i}]")))
            .collect(),
        Value::Object(_) => {
            let object = Object::read(value, path)?;
            let kind =
                value["module"].as_str().and_then(|module| module.rsplit('.').next()).unwrap_or_default();
            let mut parameters = object.parameters(kind, path)?;
            if DEFAULTS_DIFFER.contains(&object.class_name) {
                let defaults = defaults::of(kind, object.class_name).into_iter();
                defaults.filter(|(_, default)| default.is_number()).for_each(|(key, default)| {
                    parameters.entry(key).or_insert(default);
                });
            }
            if !(kind == "regularizers" && object.class_name.starts_with('L')) {
                parameters.insert("name".to_owned(), object.class_name.into());
            }
            Ok(Value::Object(parameters))
        }
        Value::Number(number) if number.is_f64() => Ok(shortened(number.as_f64().unwrap_or_default())),
        Value::String(name) if key == "activation" => {
            check_in_common(name).or_else(|problem| wrong(path, problem))?;
            Ok(value.clone())
        }
        _ => Ok(value.clone()),
    }
}

/// Keras keeps rates and factors in 32 bits and writes them in 64: 0.0010000000474974513 was 0.001.
fn shortened(value: f64) -> Value {
    let short = value as f32;
    if f64::from(short) != value || value.fract() == 0.0 {
        return json!(value);
    }
    json!(short.to_string().parse::<f64>().unwrap_or(value))
}

/// What `model.compile` was told; defaults where nothing was.
fn compile(config: &Value) -> Result<CompileRecipe, String> {
    let mut recipe = CompileRecipe::default();
    if let Some(optimizer) = named_thing(&config["optimizer"], "optimizers", "compile_config.optimizer")? {
        recipe.optimizer = read_as::<Optimizer>(optimizer, "compile_config.optimizer")?;
    }
    if let Some(loss) = named_thing(&config["loss"], "losses", "compile_config.loss")? {
        recipe.loss = read_as::<Loss>(loss, "compile_config.loss")?;
    }
    recipe.metrics = metrics::from_keras(&config["metrics"], "compile_config.metrics")?;
    for key in ["loss_weights", "weighted_metrics"] {
        let value = &config[key];
        if !value.is_null() && *value != json!([]) {
            let problem = format!("only null or an empty list is supported, received {value}");
            return wrong(&format!("compile_config.{key}"), problem);
        }
    }
    Ok(recipe)
}

/// An object or a function of Keras's by its name, with the parameters that differ from the defaults.
pub(super) fn named_thing(value: &Value, kind: &str, path: &str) -> Result<Option<Value>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(_) => Ok(Some(value.clone())),
        _ if value["class_name"] == "function" && value["module"] == "builtins" => {
            Ok(Some(value["config"].clone()))
        }
        _ => {
            let object = Object::read(value, path)?;
            let mut parameters = object.parameters(kind, path)?;
            parameters.insert("name".to_owned(), object.class_name.into());
            Ok(Some(Value::Object(parameters)))
        }
    }
}
