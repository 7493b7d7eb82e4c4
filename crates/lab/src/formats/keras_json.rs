//! Keras's JSON: what `model.to_json()` writes and `keras.models.model_from_json` reads.
//!
//! Every object stands as `{"module", "class_name", "config", "registered_name"}`; a Sequential's configuration is the
//! list of its layers, the first an `InputLayer`. A Functional model is read where it is such a list. Both ways go through the layers' own serialized form, so that a layer
//! needs nothing here but its entry in `keras_defaults.json`, which `tests/interop/keras_defaults.py` writes.
//!
//! A file is data. Lambda, custom objects and whatever else would run code are refused, with their place in the file.

use crate::recipe::CompileRecipe;
use seedbed_nn::sequential::Sequential;
use serde_json::Value;

mod chain;
mod defaults;
mod metrics;
mod read;
mod write;

pub(super) use write::complete_config;

/// The most bytes of JSON that are read.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// Activations that Keras 3.15 and Seedbed do not have in common, and why.
const NOT_IN_COMMON: [(&str, &str); 2] = [
    ("sparsemax", "Keras 3.15 computes another function under this name, whose rows do not sum to 1"),
    ("threshold", "Keras has it as a function of three arguments, which no file of Keras can hold"),
];

fn check_in_common(activation: &str) -> Result<(), String> {
    match NOT_IN_COMMON.iter().find(|(name, _)| *name == activation) {
        Some((name, why)) => Err(format!("{name} cannot be exchanged with Keras: {why}")),
        None => Ok(()),
    }
}

/// How deeply lists and tables may be nested.
const MAX_DEPTH: usize = 32;

/// Reads a model; the error begins with the place in the file: `config.layers[2].config.rate: …`.
///
/// # Errors
/// What is damaged, or what Seedbed does not have, with what it has.
pub(super) fn read(text: &[u8]) -> Result<(Sequential, CompileRecipe), String> {
    check_depth(text)?;
    let file: Value = serde_json::from_slice(text).map_err(|error| {
        format!("expected the JSON of Keras's model.to_json(), received other text: {error}")
    })?;
    read::model(&file)
}

/// Writes a model so that Keras reads it.
///
/// # Errors
/// What Keras has no words for.
pub(super) fn write(model: &Sequential, compile: &CompileRecipe) -> Result<Value, String> {
    write::model(model, compile)
}

/// Refuses nesting before a parser recurses into it.
fn check_depth(text: &[u8]) -> Result<(), String> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!(
                "expected at most {MAX_DEPTH} levels of nesting, received more at byte {offset}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
