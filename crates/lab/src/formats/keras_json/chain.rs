//! A Functional model whose layers are a chain: `Model(inputs, outputs)` of what a Sequential could say as well. Its
//! layers stand in the order in which they are called.

use super::read::wrong;
use serde_json::{Map, Value, json};

/// Checks that every layer is called once, with the one before it, that the first takes what goes in and the last gives
/// what comes out.
pub(super) fn check(config: &Map<String, Value>, layers: &[Value]) -> Result<(), String> {
    let mut before: Option<&Value> = None;
    for (index, layer) in layers.iter().enumerate() {
        let path = format!("config.layers[{index}].inbound_nodes");
        let called = layer["inbound_nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        match (before, called) {
            (None, []) => {}
            (Some(before), [call]) => calls(call, before).or_else(|problem| wrong(&path, problem))?,
            (None, _) => return wrong(&path, "expected an InputLayer first, which calls nothing"),
            (Some(_), _) => {
                return wrong(
                    &path,
                    format!("expected a layer that is called once, received {} calls", called.len()),
                );
            }
        }
        before = Some(&layer["name"]);
    }
    let ends = [("input_layers", layers.first()), ("output_layers", layers.last())];
    for (key, layer) in ends {
        let name = layer.map_or(&Value::Null, |layer| &layer["name"]);
        let (said, expected) = (config.get(key).unwrap_or(&Value::Null), json!([name, 0, 0]));
        if *said != expected && *said != json!([expected]) {
            let problem = format!("expected {expected}, the end of a chain of layers, received {said}");
            return wrong(&format!("config.{key}"), problem);
        }
    }
    Ok(())
}

/// A call with the output of `before` and nothing else.
fn calls(call: &Value, before: &Value) -> Result<(), String> {
    let arguments = call["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [argument] = arguments else {
        return Err(format!(
            "expected one input, received {}; a model must be a chain of layers",
            arguments.len()
        ));
    };
    let history = &argument["config"]["keras_history"];
    if argument["class_name"] != "__keras_tensor__" || *history != json!([before, 0, 0]) {
        return Err(format!(
            "expected the output of {before}, received {history}; a model must be a chain of layers"
        ));
    }
    // `training = false` stands for whatever `fit` and `predict` say.
    let said = |(_, value): &(&String, &Value)| !value.is_null() && **value != Value::Bool(false);
    match call["kwargs"].as_object().into_iter().flatten().find(said) {
        Some((name, value)) => Err(format!("expected no arguments, received {name} = {value}")),
        None => Ok(()),
    }
}
