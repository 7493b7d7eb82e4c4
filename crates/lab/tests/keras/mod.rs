//! Where Keras's records are.

use serde::de::DeserializeOwned;

/// Reads a file of `benches/peers/fixtures`.
pub(crate) fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/../../benches/peers/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
