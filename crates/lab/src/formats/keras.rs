//! Keras's `.keras`: a zip of `config.json` (the model), `model.weights.h5` and `metadata.json`.
//!
//! Source: Keras `keras/src/saving/saving_lib.py`.

use super::weights::{Problem, content};
use super::{archive, hdf5, keras_json};
use crate::recipe::CompileRecipe;
use seedbed_nn::model::Model;
use seedbed_nn::sequential::Sequential;
use serde_json::json;
use std::io::{self, BufReader, Read, Seek};

/// The Keras whose formats these are.
const KERAS_VERSION: &str = "3.15.1";

/// The model's description.
pub(super) fn read_model(source: impl Read + Seek) -> Result<(Sequential, CompileRecipe), Problem> {
    let mut archive = archive::open(BufReader::new(source))?;
    let config = archive::member(&mut archive, "config.json", keras_json::MAX_BYTES)?;
    keras_json::read(&config).or_else(|problem| content("config.json", "a model that Seedbed has", problem))
}

/// The HDF5 file with the weights, if it has at most `most` bytes.
pub(super) fn weights(source: impl Read + Seek, most: u64) -> Result<Vec<u8>, Problem> {
    archive::member(&mut archive::open(BufReader::new(source))?, "model.weights.h5", most)
}

/// The whole file.
pub(super) fn write(model: &Model, compile: &CompileRecipe) -> Result<Vec<u8>, String> {
    let config = keras_json::write(model.sequential(), compile)?.to_string();
    let metadata = json!({ "keras_version": KERAS_VERSION, "date_saved": "1980-01-01@00:00:00" }).to_string();
    let write = || -> io::Result<Vec<u8>> {
        let weights = hdf5::write(model)?;
        archive::write([
            ("metadata.json".to_owned(), metadata.as_bytes()),
            ("config.json".to_owned(), config.as_bytes()),
            ("model.weights.h5".to_owned(), weights.as_slice()),
        ])
    };
    write().map_err(|error| error.to_string())
}
