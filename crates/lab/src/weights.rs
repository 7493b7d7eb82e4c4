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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepared::Prepared;
    use crate::recipe::{DataRecipe, Recipe};
    use crate::testing::rows;
    use std::fs;
    use std::num::NonZeroUsize;
    use std::path::PathBuf;

    fn model(hidden: usize, seed: u64) -> Model {
        let text = format!(
            "input_shape = [4, 4]\nlayers = [{{ class_name = 'Flatten' }}, \
             {{ class_name = 'Dense', units = {hidden}, activation = 'relu', bias_initializer = 'ones' }}, \
             {{ class_name = 'Dense', units = 3, activation = 'softmax' }}]"
        );
        Recipe::parse("m.toml", &text).unwrap().compile(seed, NonZeroUsize::MIN).unwrap()
    }

    fn saved(folder: &Path, model: &Model) -> PathBuf {
        let path = folder.join("w.safetensors");
        save(model, &path).unwrap();
        path
    }

    fn refused(path: &Path, bytes: &[u8]) -> String {
        fs::write(path, bytes).unwrap();
        let mut target = model(5, 2);
        let before = target.weight("dense/kernel");
        let error = load(&mut target, path).unwrap_err().to_string();
        assert_eq!(target.weight("dense/kernel"), before, "a refused file changes nothing");
        assert!(error.contains("w.safetensors"), "{error}");
        error
    }

    fn with_header(json: &str, data: usize) -> Vec<u8> {
        let header = json.as_bytes();
        [&(header.len() as u64).to_le_bytes(), header, &vec![0; data]].concat()
    }

    #[test]
    fn a_loaded_model_predicts_what_the_saved_one_did() {
        let folder = tempfile::tempdir().unwrap();
        let (mut original, mut other) = (model(5, 1), model(5, 2));
        original.set_weight("dense_1/bias", &[-1.0, 0.5, 2.0]).unwrap();
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        assert_ne!(other.predict(data.test()).unwrap(), original.predict(data.test()).unwrap());
        let path = saved(folder.path(), &original);
        load(&mut other, &path).unwrap();
        assert_eq!(other.predict(data.test()).unwrap(), original.predict(data.test()).unwrap());
        let bytes = fs::read(&path).unwrap();
        save(&other, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes, "equal weights give equal files");
    }

    #[test]
    fn tensors_have_kerass_names_and_shapes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = fs::read(saved(folder.path(), &model(5, 1))).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut shapes: Vec<_> =
            file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect();
        shapes.sort();
        let expected = [("dense/bias", vec![5]), ("dense/kernel", vec![16, 5]), ("dense_1/bias", vec![3])];
        assert_eq!(shapes[..3], expected.map(|(name, shape)| (name.to_owned(), shape)));
        let bias = file.tensor("dense/bias").unwrap();
        assert_eq!(bias.data(), 1.0_f32.to_le_bytes().repeat(5));
    }

    #[test]
    fn every_truncation_and_every_damaged_header_is_refused_without_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(folder.path(), &model(5, 1));
        let bytes = fs::read(&path).unwrap();
        let mut target = model(5, 2);
        for end in (0..bytes.len()).rev() {
            File::options().write(true).open(&path).unwrap().set_len(end as u64).unwrap();
            assert!(load(&mut target, &path).is_err(), "cut to {end} bytes");
        }
        assert_eq!(target.weight("dense/kernel"), model(5, 2).weight("dense/kernel"));
        refused(&path, &[bytes.as_slice(), &[0]].concat());
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for at in 0..header {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, damaged).unwrap();
            let _ = load(&mut target, &path);
        }
    }

    #[test]
    fn lying_headers_are_refused_before_anything_is_allocated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let error = refused(&path, &[&u64::MAX.to_le_bytes()[..], b"{}"].concat());
        assert!(
            error.contains("header: expected at most 2 bytes") && error.contains("safetensors file?"),
            "{error}"
        );
        let error = refused(&path, &[&(2_u64 << 20).to_le_bytes()[..], &vec![b' '; 3 << 20]].concat());
        assert!(error.contains("header: expected at most 1048576 bytes"), "{error}");
        let huge = r#"{"dense/kernel":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,0]}}"#;
        assert!(
            refused(&path, &with_header(huge, 0)).contains("header: expected the JSON of a safetensors file")
        );
        let many: Vec<String> = (0..=MAX_TENSORS)
            .map(|i| format!(r#""t{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#))
            .collect();
        let error = refused(&path, &with_header(&format!("{{{}}}", many.join(",")), 0));
        assert!(error.contains("tensors: expected at most 10000, received 10001"), "{error}");
    }

    #[test]
    fn weights_of_another_model_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(folder.path(), &model(6, 1));
        let error = load(&mut model(5, 2), &path).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "w.safetensors: dense/kernel: expected the shape [16, 5], received [16, 6]; \
                 these weights belong to another model"
            ),
            "{error}"
        );
        let half = r#"{"dense/kernel":{"dtype":"F16","shape":[16,5],"data_offsets":[0,160]}}"#;
        let error = refused(&path, &with_header(half, 160));
        assert!(error.ends_with("dense/kernel: expected the type F32, received F16"), "{error}");
        let other = r#"{"conv/kernel":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let error = refused(&path, &with_header(other, 4));
        assert!(error.ends_with("expected dense/kernel of shape [16, 5], received conv/kernel"), "{error}");
        let missing = load(&mut model(5, 2), Path::new("none.safetensors")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the weights file none.safetensors: "), "{missing}");
    }
}
