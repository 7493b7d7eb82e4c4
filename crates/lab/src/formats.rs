//! Other programs' files, in and out. What a file holds is told by its ending:
//!
//! | ending | holds | whose |
//! |---|---|---|
//! | `.toml` | model, training, data | Seedbed's model file |
//! | `.json` | model, optimizer, loss, metrics | Keras's `model.to_json()` |
//! | `.keras` | model, optimizer, loss, metrics, weights | Keras's `model.save()` |
//! | `.weights.h5` | weights | Keras's `model.save_weights()` |
//! | `.safetensors` | weights | safetensors; also PyTorch's names and layouts |
//! | `.npz` | weights | NumPy's `np.savez` |
//! | `.onnx` | model for inference, weights; to write, and to list its tensors | ONNX |
//!
//! Files are data from strangers: sizes are limited, shapes are checked against the model before anything is allocated,
//! and nothing in them is ever run.

use crate::error::LabError;
use crate::files::write_atomically;
use crate::recipe::{CompileRecipe, DataRecipe, FitRecipe, Recipe};
use seedbed_nn::examples::Normalization;
use seedbed_nn::model::Model;
use seedbed_nn::sequential::Sequential;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

mod archive;
#[cfg(feature = "hdf5")]
mod hdf5;
#[cfg(feature = "hdf5")]
mod keras;
mod keras_json;
mod npz;
mod onnx;
mod pytorch;
mod safetensors;
mod scaling;
mod weights;

pub use weights::{Entry as Tensor, list as list_weights, load as load_weights};

/// What a file is, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Seedbed's model file.
    Toml,
    /// Keras's JSON.
    KerasJson,
    /// Keras's `.keras`.
    Keras,
    /// Keras's `.weights.h5`.
    KerasWeights,
    /// safetensors.
    Safetensors,
    /// NumPy's archive of arrays.
    Npz,
    /// ONNX, to write and to list.
    Onnx,
}

/// Every format with its ending, the longest ending first where one ends with another.
const ENDINGS: [(&str, Format); 7] = [
    (".toml", Format::Toml),
    (".json", Format::KerasJson),
    (".keras", Format::Keras),
    (".weights.h5", Format::KerasWeights),
    (".safetensors", Format::Safetensors),
    (".npz", Format::Npz),
    (".onnx", Format::Onnx),
];

impl Format {
    /// The format that a file's name ends with.
    ///
    /// # Errors
    /// [`LabError::Choice`] for any other ending, and for a format that this build is without.
    pub fn of(path: &Path) -> Result<Self, LabError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let format = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| *format);
        let hdf5 = cfg!(feature = "hdf5");
        let format = format.filter(|format| hdf5 || !matches!(format, Self::Keras | Self::KerasWeights));
        format.ok_or_else(|| {
            let endings = ENDINGS.map(|(ending, _)| ending).join(", ");
            let without = if hdf5 { "" } else { "; this build is without .keras and .weights.h5" };
            let expected = format!("a name that ends with {endings}{without}");
            LabError::Choice { what: "file", expected, received: path.display().to_string() }
        })
    }

    /// Whether such a file holds a model's description.
    pub fn holds_model(self) -> bool {
        matches!(self, Self::Toml | Self::KerasJson | Self::Keras)
    }

    /// Whether such a file holds weights.
    pub fn holds_weights(self) -> bool {
        !matches!(self, Self::Toml | Self::KerasJson)
    }
}

/// The recipe in a model file of any format; what the format has no words for has its default, but data for a Keras model
/// are left as they are: only bytes are divided by 255, unless the model has a layer for that.
///
/// # Errors
/// [`LabError::Io`] if it cannot be read, [`LabError::ModelFile`] if it holds no model that Seedbed has, with the place
/// in the file, [`LabError::Choice`] if it is no model file.
pub fn read_recipe(path: &Path) -> Result<Recipe, LabError> {
    let (model, compile) = match Format::of(path)? {
        Format::Toml => return Recipe::read(path),
        Format::KerasJson => read_json(path)?,
        #[cfg(feature = "hdf5")]
        Format::Keras => {
            let file = File::open(path).map_err(LabError::io("read the model file", path))?;
            keras::read_model(file).map_err(|problem| problem.in_model(path))?
        }
        _ => {
            let expected = "a model file: .toml, .json or .keras".to_owned();
            return Err(LabError::Choice { what: "model", expected, received: path.display().to_string() });
        }
    };
    let data = DataRecipe { normalization: scaling::of(&model), ..DataRecipe::default() };
    let recipe = Recipe { model, compile, fit: FitRecipe::default(), data };
    let wrong = |error: LabError| LabError::ModelFile {
        file: path.display().to_string(),
        problem: error.to_string(),
    };
    recipe.validate().map_err(wrong)?;
    Ok(recipe)
}

/// The recipe in a model file and the model with the weights of another file, or of the same.
///
/// # Errors
/// Those of [`read_recipe`], [`Recipe::compile`] and [`load_weights`].
pub fn read_trained(
    model_file: &Path,
    weights: &Path,
    threads: NonZeroUsize,
) -> Result<(Recipe, Model), LabError> {
    let mut recipe = read_recipe(model_file)?;
    let mut model = recipe.compile(0, threads)?;
    load_weights(&mut model, weights)?;
    if Format::of(model_file)? != Format::Toml && scaling::is_adapted_to_bytes(&model) {
        recipe.data.normalization = Normalization::None;
    }
    Ok((recipe, model))
}

fn read_json(path: &Path) -> Result<(Sequential, CompileRecipe), LabError> {
    let file = File::open(path).map_err(LabError::io("read the model file", path))?;
    let mut text = Vec::new();
    let read = file.take(keras_json::MAX_BYTES + 1).read_to_end(&mut text);
    read.map_err(LabError::io("read the model file", path))?;
    let read = if text.len() as u64 > keras_json::MAX_BYTES {
        Err(format!("expected at most {} bytes of JSON, received more", keras_json::MAX_BYTES))
    } else {
        keras_json::read(&text)
    };
    read.map_err(|problem| LabError::ModelFile { file: path.display().to_string(), problem })
}

/// Finds out before a training whether [`write()`] will have words for its model.
///
/// # Errors
/// [`LabError::Choice`] for an unknown ending, [`LabError::ModelFile`] for what the format has no words for.
pub fn check(path: &Path, recipe: &Recipe, model: &Model) -> Result<(), LabError> {
    content(path, recipe, model).map(drop)
}

/// Writes what the file's format holds of a model: its description, its weights, or both.
///
/// # Errors
/// Those of [`check`], and [`LabError::Io`]; an old file is then as it was.
pub fn write(path: &Path, recipe: &Recipe, model: &Model) -> Result<(), LabError> {
    write_atomically(path, &content(path, recipe, model)?)
}

fn content(path: &Path, recipe: &Recipe, model: &Model) -> Result<Vec<u8>, LabError> {
    let wrong = |problem: String| LabError::ModelFile { file: path.display().to_string(), problem };
    match Format::of(path)? {
        Format::Toml => Ok(recipe.to_toml().into_bytes()),
        Format::KerasJson => {
            let json = keras_json::write(&recipe.model, &recipe.compile).map_err(wrong)?;
            Ok(json.to_string().into_bytes())
        }
        #[cfg(feature = "hdf5")]
        Format::Keras => keras::write(model, &recipe.compile).map_err(wrong),
        Format::Onnx => onnx::write(model).map_err(wrong),
        format => weights::write(format, model).map_err(LabError::io("write", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_endings() {
        for (name, format) in [
            ("a/model.TOML", Format::Toml),
            ("model.keras", Format::Keras),
            ("model.weights.h5", Format::KerasWeights),
            ("w.npz", Format::Npz),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format);
        }
        let error = Format::of(Path::new("model.h5")).unwrap_err().to_string();
        assert!(
            error.starts_with("file: expected a name that ends with .toml, ") && error.ends_with("model.h5"),
            "{error}"
        );
    }
}
