//! Weights in safetensors files: tensors named as Keras names variables, kernels `[inputs, units]`, 32-bit floats.
//!
//! Format: eight bytes with the header's length, a JSON header, then the numbers, little-endian. A file is checked
//! before it is believed: header first, every shape against the model, and only then are the numbers read.

use super::weights::{Entry, MAX_TENSORS, Problem, Tensors, content};
use safetensors::tensor::{Dtype, Metadata, TensorView};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use std::io::{self, Read, Seek, SeekFrom};

/// The largest header that is read, in bytes.
const MAX_HEADER: u64 = 1 << 20;

/// A model's weights; equal weights give equal bytes.
pub(super) fn write(model: &Model) -> io::Result<Vec<u8>> {
    let variables = model.params().iter().filter_map(|param| {
        let values = model.weight(&param.name)?;
        Some((param, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()))
    });
    let variables: Vec<(&Param, Vec<u8>)> = variables.collect();
    let views = variables.iter().map(|(param, bytes)| {
        TensorView::new(Dtype::F32, param.spec.shape.clone(), bytes).map(|view| (param.name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    safetensors::serialize(views, None).map_err(io::Error::other)
}

/// An open file: its header was read and agrees with its length.
pub(super) struct Safetensors<R> {
    source: R,
    entries: Vec<Entry>,
    /// First byte and length of each tensor, from the file's beginning.
    places: Vec<(u64, usize)>,
}

/// Reads the header of a file of `length` bytes.
pub(super) fn open<R: Read + Seek>(mut source: R, length: u64) -> Result<Safetensors<R>, Problem> {
    let (header, data) = header(&mut source, length)?;
    if header.data_len() as u64 != data {
        return content("length", format!("{} bytes of numbers", header.data_len()), data.to_string());
    }
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let (from, to) = info.data_offsets;
        places.push((length - data + from as u64, to - from));
        entries.push(Entry { dtype: info.dtype.to_string(), shape: info.shape.clone(), name });
    }
    Ok(Safetensors { source, entries, places })
}

impl<R: Read + Seek> Tensors for Safetensors<R> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem> {
        let (from, length) = self.places[index];
        let mut bytes = vec![0; length];
        self.source.seek(SeekFrom::Start(from))?;
        self.source.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

/// The header, and how many bytes follow it.
fn header(source: &mut impl Read, length: u64) -> Result<(Metadata, u64), Problem> {
    if length < 8 {
        return content("length", "at least 8 bytes", length.to_string());
    }
    let mut size = [0; 8];
    source.read_exact(&mut size)?;
    let (size, rest) = (u64::from_le_bytes(size), length - 8);
    if size > rest.min(MAX_HEADER) {
        let expected = format!("at most {} bytes", rest.min(MAX_HEADER));
        return content("header", expected, format!("a length of {size}; is this a safetensors file?"));
    }
    let mut text = vec![0; size as usize];
    source.read_exact(&mut text)?;
    let header = match serde_json::from_slice::<Metadata>(&text) {
        Ok(header) => header,
        Err(error) => return content("header", "the JSON of a safetensors file", error.to_string()),
    };
    let tensors = header.offset_keys().len();
    if tensors > MAX_TENSORS {
        return content("tensors", format!("at most {MAX_TENSORS}"), tensors.to_string());
    }
    Ok((header, rest - size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::LabError;
    use crate::files::write_atomically;
    use crate::formats::load_weights as load;
    use crate::prepared::Prepared;
    use crate::recipe::{DataRecipe, Recipe};
    use crate::testing::rows;
    use std::fs::{self, File};
    use std::num::NonZeroUsize;
    use std::path::{Path, PathBuf};

    fn model(hidden: usize, seed: u64) -> Model {
        let text = format!(
            "input_shape = [4, 4]\nlayers = [{{ class_name = 'Flatten' }}, \
             {{ class_name = 'Dense', units = {hidden}, activation = 'relu', bias_initializer = 'ones' }}, \
             {{ class_name = 'Dense', units = 3, activation = 'softmax' }}]"
        );
        Recipe::parse("m.toml", &text).unwrap().compile(seed, NonZeroUsize::MIN).unwrap()
    }

    fn save(model: &Model, path: &Path) -> Result<(), LabError> {
        write_atomically(path, &write(model).unwrap())
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
