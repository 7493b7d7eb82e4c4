//! A model's variables in a file, and what every format has in common: nothing is believed before names, types and
//! shapes agree with the model, and a refused file changes nothing.

use super::{Format, archive, npz, onnx, pytorch, safetensors};
#[cfg(feature = "hdf5")]
use super::{hdf5, keras};
use crate::error::LabError;
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The most tensors a file may hold.
pub(super) const MAX_TENSORS: usize = 10_000;

/// Reads a model's variables from `.safetensors`, `.npz`, `.weights.h5` or `.keras`.
///
/// A safetensors file whose tensors are named as PyTorch names those of an `nn.Sequential` (`0.weight`, `0.bias`) is
/// turned into Keras's layouts.
///
/// # Errors
/// [`LabError::Io`] if the file cannot be read, [`LabError::WeightsFile`] if it is damaged or belongs to another
/// model, [`LabError::Choice`] for any other ending. The model is then as it was.
pub fn load(model: &mut Model, path: &Path) -> Result<(), LabError> {
    let format = Format::of(path)?;
    let values = File::open(path)
        .map_err(Problem::from)
        .and_then(|file| read(model, format, file))
        .map_err(|problem| problem.of(path))?;
    for (name, values) in values {
        model.set_weight(&name, &values)?;
    }
    Ok(())
}

/// A file with a model's variables alone; equal weights give equal bytes.
pub(super) fn write(format: Format, model: &Model) -> io::Result<Vec<u8>> {
    match format {
        Format::Safetensors => safetensors::write(model),
        Format::Npz => npz::write(model),
        #[cfg(feature = "hdf5")]
        Format::KerasWeights => hdf5::write(model),
        _ => Err(io::Error::other("a format of weights was expected")),
    }
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, in Keras's words where a model has such a variable.
    pub name: String,
    /// The type of its numbers, as safetensors calls it: `F32`; another in the file's own words.
    pub dtype: String,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
}

/// The type that tensors must have, as safetensors calls it.
pub(super) const F32: &str = "F32";

/// The tensors of an open file; only [`Tensors::values`] reads numbers.
pub(super) trait Tensors {
    fn entries(&self) -> &[Entry];
    /// The numbers of a tensor, row-major.
    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem>;
}

/// A layer's variables in Keras's order; `None` is a variable that Keras keeps and Seedbed does not: the number of samples
/// that a Normalization was adapted to.
pub(super) fn keras_variables<'a>(
    model: &'a Model,
    layer: usize,
    class_name: &str,
) -> Vec<Option<&'a Param>> {
    let params = model.params().iter().filter(|param| param.layer == layer);
    let mut variables: Vec<Option<&Param>> = params.map(Some).collect();
    if class_name == "Normalization" && !variables.is_empty() {
        variables.push(None);
    }
    variables
}

/// The role of that variable.
const COUNT: &str = "/count";

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Problem {
    Io(io::Error),
    Content { what: String, expected: String, received: String },
}

impl Problem {
    #[cfg(feature = "hdf5")]
    pub(super) fn in_model(self, path: &Path) -> LabError {
        match self {
            Self::Io(source) => LabError::Io { doing: "read the model file", path: path.to_owned(), source },
            Self::Content { what, expected, received } => {
                let problem = format!("{what}: expected {expected}, received {received}");
                LabError::ModelFile { file: path.display().to_string(), problem }
            }
        }
    }

    fn of(self, path: &Path) -> LabError {
        match self {
            Self::Io(source) => {
                LabError::Io { doing: "read the weights file", path: path.to_owned(), source }
            }
            Self::Content { what, expected, received } => {
                LabError::WeightsFile { file: path.display().to_string(), what, expected, received }
            }
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) fn content<T>(
    what: impl Into<String>,
    expected: impl Into<String>,
    received: impl Into<String>,
) -> Result<T, Problem> {
    Err(Problem::Content { what: what.into(), expected: expected.into(), received: received.into() })
}

/// The tensors that a file of weights holds, whatever model they belong to; of a `.weights.h5` file the variables are
/// named by their place: `layers/dense/vars/0`, and an ONNX file's tensors are all that its graph keeps.
///
/// # Errors
/// [`LabError::Io`] and [`LabError::WeightsFile`] as from [`load`], [`LabError::Choice`] for any other ending.
pub fn list(path: &Path) -> Result<Vec<Entry>, LabError> {
    let format = Format::of(path)?;
    let entries = File::open(path).map_err(Problem::from).and_then(|file| match format {
        Format::Onnx => {
            let length = file.metadata()?.len();
            onnx::list(BufReader::new(file), length)
        }
        _ => open(None, format, file).map(|tensors| tensors.entries().to_vec()),
    });
    entries.map_err(|problem| problem.of(path))
}

/// Every variable's name and values, checked against the model.
fn read(model: &Model, format: Format, file: File) -> Result<Vec<(String, Vec<f32>)>, Problem> {
    let mut tensors = open(Some(model), format, file)?;
    let order = check(tensors.entries(), model.params())?;
    let mut values = Vec::with_capacity(order.len());
    for (param, index) in model.params().iter().zip(order) {
        values.push((param.name.clone(), tensors.values(index)?));
    }
    Ok(values)
}

/// The tensors of a file; with a model under the names of its variables.
fn open(model: Option<&Model>, format: Format, file: File) -> Result<Box<dyn Tensors>, Problem> {
    let length = file.metadata()?.len();
    Ok(match (format, model) {
        (Format::Safetensors, model) => {
            let tensors = safetensors::open(BufReader::new(file), length)?;
            match model {
                Some(model) if pytorch::is_of_pytorch(tensors.entries()) => {
                    Box::new(pytorch::open(tensors, model)?)
                }
                _ => Box::new(tensors),
            }
        }
        (Format::Npz, model) => Box::new(npz::open(archive::open(BufReader::new(file))?, model)?),
        #[cfg(feature = "hdf5")]
        (Format::KerasWeights, model) => Box::new(hdf5::open(whole(file, length, model)?, model)?),
        #[cfg(feature = "hdf5")]
        (Format::Keras, model) => Box::new(hdf5::open(keras::weights(file, most_bytes(model))?, model)?),
        _ => {
            let received = match format {
                Format::Onnx => "an ONNX file, which is written and listed only",
                _ => "a file without weights",
            };
            return content("file", "weights: .safetensors, .npz, .weights.h5 or .keras", received);
        }
    })
}

/// The largest file that is listed without a model.
const MAX_LISTED: u64 = 1 << 30;

/// Room for the weights, an optimizer's moments and names: no honest file is larger.
fn most_bytes(model: Option<&Model>) -> u64 {
    let Some(model) = model else { return MAX_LISTED };
    let weights: usize = model.params().iter().map(Param::count).sum();
    (16 << 20) + 16 * weights as u64
}

fn whole(file: File, length: u64, model: Option<&Model>) -> Result<Vec<u8>, Problem> {
    let most = most_bytes(model);
    if length > most {
        return content("length", format!("at most {most} bytes for this model"), length.to_string());
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks that the file holds the model's variables, in their shapes, and nothing else; where each of them is.
fn check(entries: &[Entry], wanted: &[Param]) -> Result<Vec<usize>, Problem> {
    if entries.len() > MAX_TENSORS {
        return content("tensors", format!("at most {MAX_TENSORS}"), entries.len().to_string());
    }
    let listed = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut order = Vec::with_capacity(wanted.len());
    for param in wanted {
        let Some(index) = entries.iter().position(|entry| entry.name == param.name) else {
            let received = listed(entries.iter().take(20).map(|entry| entry.name.as_str()).collect());
            return content("tensors", format!("{} of shape {:?}", param.name, param.spec.shape), received);
        };
        let entry = &entries[index];
        if entry.dtype != F32 {
            return content(&param.name, "the type F32", &entry.dtype);
        }
        if entry.shape != param.spec.shape {
            let received = format!("{:?}; these weights belong to another model", entry.shape);
            return content(&param.name, format!("the shape {:?}", param.spec.shape), received);
        }
        order.push(index);
    }
    let unknown = |entry: &&Entry| wanted.iter().all(|param| param.name != entry.name);
    match entries.iter().filter(|entry| !entry.name.ends_with(COUNT)).find(unknown) {
        Some(stranger) => {
            let expected = listed(wanted.iter().map(|param| param.name.as_str()).collect());
            content("tensors", format!("only {expected}"), format!("{} as well", stranger.name))
        }
        None => Ok(order),
    }
}
