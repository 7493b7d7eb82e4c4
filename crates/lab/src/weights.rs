//! Weights in safetensors files: tensors named as Keras names variables, kernels `[inputs, units]`, 32-bit floats.
//!
//! Format: eight bytes with the header's length, a JSON header, then the numbers, little-endian. A file is checked
//! before it is believed: header first, every shape against the model, and only then are the numbers read.

use crate::error::LabError;
use crate::files::write_atomically;
use safetensors::tensor::{Dtype, Metadata, TensorView};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest header that is read, in bytes.
const MAX_HEADER: u64 = 1 << 20;

/// The most tensors a file may hold.
const MAX_TENSORS: usize = 10_000;

/// Writes a model's weights; equal weights give equal files.
///
/// # Errors
/// [`LabError::Io`]; an old file is then as it was.
pub fn save(model: &Model, path: &Path) -> Result<(), LabError> {
    let variables = model.params().iter().filter_map(|param| {
        let values = model.weight(&param.name)?;
        Some((param, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()))
    });
    let variables: Vec<(&Param, Vec<u8>)> = variables.collect();
    let serialize = || {
        let views = variables.iter().map(|(param, bytes)| {
            TensorView::new(Dtype::F32, param.spec.shape.clone(), bytes)
                .map(|view| (param.name.as_str(), view))
        });
        safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, None)
    };
    let bytes = serialize().map_err(|error| LabError::io("write", path)(io::Error::other(error)))?;
    write_atomically(path, &bytes)
}

/// Reads a model's weights.
///
/// # Errors
/// [`LabError::Io`] if the file cannot be read, [`LabError::WeightsFile`] if it is damaged or belongs to another
/// model. The model is then as it was.
pub fn load(model: &mut Model, path: &Path) -> Result<(), LabError> {
    let wrong = |problem: Problem| match problem {
        Problem::Io(source) => LabError::Io { doing: "read the weights file", path: path.to_owned(), source },
        Problem::Content { what, expected, received } => {
            LabError::WeightsFile { file: path.display().to_string(), what, expected, received }
        }
    };
    let values = read(model, path).map_err(wrong)?;
    for (name, values) in values {
        model.set_weight(&name, &values)?;
    }
    Ok(())
}

enum Problem {
    Io(io::Error),
    Content { what: String, expected: String, received: String },
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn content<T>(what: &str, expected: impl Into<String>, received: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Content { what: what.to_owned(), expected: expected.into(), received: received.into() })
}

fn read(model: &Model, path: &Path) -> Result<Vec<(String, Vec<f32>)>, Problem> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let (header, data) = header(&mut file, length)?;
    let wanted = model.params();
    check(&header, wanted)?;
    if header.data_len() as u64 != data {
        return content("length", format!("{} bytes of numbers", header.data_len()), data.to_string());
    }
    let mut bytes = vec![0; header.data_len()];
    file.read_exact(&mut bytes)?;
    let values = wanted.iter().filter_map(|param| {
        let (from, to) = header.info(&param.name)?.data_offsets;
        let numbers = bytes[from..to].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Some((param.name.clone(), numbers.collect()))
    });
    Ok(values.collect())
}

/// The header, and how many bytes follow it.
fn header(file: &mut File, length: u64) -> Result<(Metadata, u64), Problem> {
    if length < 8 {
        return content("length", "at least 8 bytes", length.to_string());
    }
    let mut size = [0; 8];
    file.read_exact(&mut size)?;
    let (size, rest) = (u64::from_le_bytes(size), length - 8);
    if size > rest.min(MAX_HEADER) {
        let expected = format!("at most {} bytes", rest.min(MAX_HEADER));
        return content("header", expected, format!("a length of {size}; is this a safetensors file?"));
    }
    let mut text = vec![0; size as usize];
    file.read_exact(&mut text)?;
    match serde_json::from_slice::<Metadata>(&text) {
        Ok(header) => Ok((header, rest - size)),
        Err(error) => content("header", "the JSON of a safetensors file", error.to_string()),
    }
}

/// Checks that the file holds the model's variables, in their shapes, and nothing else.
fn check(header: &Metadata, wanted: &[Param]) -> Result<(), Problem> {
    let names = header.offset_keys();
    if names.len() > MAX_TENSORS {
        return content("tensors", format!("at most {MAX_TENSORS}"), names.len().to_string());
    }
    let listed = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    for param in wanted {
        let Some(info) = header.info(&param.name) else {
            let received = listed(names.iter().take(20).map(String::as_str).collect());
            return content("tensors", format!("{} of shape {:?}", param.name, param.spec.shape), received);
        };
        if info.dtype != Dtype::F32 {
            return content(&param.name, "the type F32", info.dtype.to_string());
        }
        if info.shape != param.spec.shape {
            let received = format!("{:?}; these weights belong to another model", info.shape);
            return content(&param.name, format!("the shape {:?}", param.spec.shape), received);
        }
    }
    match names.iter().find(|name| wanted.iter().all(|param| param.name != **name)) {
        Some(stranger) => {
            let expected = listed(wanted.iter().map(|param| param.name.as_str()).collect());
            content("tensors", format!("only {expected}"), format!("{stranger} as well"))
        }
        None => Ok(()),
    }
}
