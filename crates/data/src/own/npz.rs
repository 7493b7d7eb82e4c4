//! NPZ, NumPy's archive of arrays: a zip file with one `.npy` file per array.
//!
//! Read are `x_train`, `y_train`, `x_test`, `y_test`, as in Keras's `mnist.npz`, or `x` and `y`, and the array of weights
//! that the user names. Other arrays are left alone. Archives are never unpacked onto the disk, so names in them cannot point anywhere.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;

use super::samples::{Labels, Samples, is_weight, too_many};
use super::{MAX_SAMPLE, MAX_VALUES};
use crate::cache::io;
use crate::error::{DataError, Place};
use crate::npy::{self, Wrong};

/// The most bytes of one array: numbers of eight bytes.
const MAX_BYTES: u64 = 8 * MAX_VALUES;

/// Above this size an array may not be larger than [`MAX_RATIO`] times its compressed form. Below it nothing is at
/// stake, and labels that are sorted do shrink more.
const SMALL: u64 = 64 << 20;
const MAX_RATIO: u64 = 100;

/// Reads the arrays of an NPZ file: training samples, and test samples where it has them.
pub(super) fn read(path: &Path, weight: Option<&str>) -> Result<(Samples, Option<Samples>), DataError> {
    let file = File::open(path).map_err(io("read", path))?;
    parse(&path.display().to_string(), BufReader::new(file), weight)
}

/// As [`read`], from anything; `file` is only used in messages.
pub(super) fn parse(
    file: &str,
    from: impl Read + Seek,
    weight: Option<&str>,
) -> Result<(Samples, Option<Samples>), DataError> {
    let archive = ZipArchive::new(from)
        .map_err(|error| DataError::malformed(file, Place::Whole, "zip archive", "an intact one", error))?;
    let mut archive = Archive { file, archive };
    let has = |archive: &Archive<'_, _>, names: &[&str]| {
        names.iter().all(|name| archive.archive.index_for_name(&format!("{name}.npy")).is_some())
    };
    if has(&archive, &["x_train", "y_train", "x_test", "y_test"]) {
        Ok((archive.weighted("x_train", "y_train", weight)?, Some(archive.samples("x_test", "y_test")?)))
    } else if has(&archive, &["x", "y"]) {
        Ok((archive.weighted("x", "y", weight)?, None))
    } else {
        let expected = "x_train, y_train, x_test and y_test, or x and y";
        let names = archive.archive.file_names().flatten();
        let mut received: Vec<String> =
            names.map(|name| name.trim_end_matches(".npy").to_owned()).take(20).collect();
        received.sort_unstable();
        Err(DataError::malformed(file, Place::Whole, "arrays", expected, received.join(", ")))
    }
}

struct Archive<'a, R> {
    file: &'a str,
    archive: ZipArchive<R>,
}

impl<R: Read + Seek> Archive<'_, R> {
    fn samples(&mut self, inputs: &str, labels: &str) -> Result<Samples, DataError> {
        let labels = self.labels(labels)?;
        let name = format!("{inputs}.npy");
        let bytes = self.bytes(&name)?;
        let array = npy::parse(&bytes).map_err(|wrong| self.wrong(&name, wrong))?;
        let count = labels.codes.len();
        let shape = match array.header.shape.split_first() {
            Some((&first, shape)) if first == count && (1..=3).contains(&shape.len()) => shape.to_vec(),
            _ => {
                let expected = format!("({count}, …), one sample per label, each with 1 to 3 axes");
                return Err(self.shape(&name, expected, &array.header.shape));
            }
        };
        if let [channels @ (1 | 3), _, width] = shape[..]
            && width > 4
        {
            let expected = "channels in the last axis; save x.transpose(0, 2, 3, 1)";
            return Err(self.shape(
                &name,
                format!("{expected}, as these look like {channels} in the first"),
                &array.header.shape,
            ));
        }
        if super::samples::size(&shape).is_none() {
            return Err(self.shape(
                &name,
                format!("samples of 1 to {MAX_SAMPLE} values"),
                &array.header.shape,
            ));
        }
        let values = array.values().map_err(|wrong| self.wrong(&name, wrong))?;
        Samples::new(shape, values, labels)
    }

    /// Samples with the weights of an array.
    fn weighted(&mut self, inputs: &str, labels: &str, weight: Option<&str>) -> Result<Samples, DataError> {
        let samples = self.samples(inputs, labels)?;
        let weights = weight.map(|name| self.weights(name, samples.len())).transpose()?;
        Ok(samples.weighted(weights))
    }

    /// A weight for each sample.
    fn weights(&mut self, name: &str, count: usize) -> Result<Vec<f32>, DataError> {
        let name = format!("{name}.npy");
        let bytes = self.bytes(&name)?;
        let array = npy::parse(&bytes).map_err(|wrong| self.wrong(&name, wrong))?;
        if !matches!(array.header.shape[..], [length] | [length, 1] if length == count) {
            let expected = format!("one weight per sample, ({count},)");
            return Err(self.shape(&name, expected, &array.header.shape));
        }
        let weights = array.values().map_err(|wrong| self.wrong(&name, wrong))?.into_numbers();
        match weights.iter().position(|&weight| !is_weight(weight)) {
            None => Ok(weights),
            Some(index) => {
                let place = Place::Entry(name.as_str().into(), 0);
                let received = format!("{} of sample {index}", weights[index]);
                Err(DataError::malformed(self.file, place, "weight", "finite numbers ≥ 0", received))
            }
        }
    }

    /// Labels in one column.
    fn labels(&mut self, name: &str) -> Result<Labels, DataError> {
        let name = format!("{name}.npy");
        let bytes = self.bytes(&name)?;
        let array = npy::parse(&bytes).map_err(|wrong| self.wrong(&name, wrong))?;
        if !matches!(array.header.shape[..], [_] | [_, 1]) {
            return Err(self.shape(
                &name,
                "one label per sample: (samples,) or (samples, 1)".into(),
                &array.header.shape,
            ));
        }
        let labels = array.labels().map_err(|wrong| self.wrong(&name, wrong))?;
        labels.ok_or_else(|| too_many(self.file, Place::Entry(name.into(), 0)))
    }

    /// The content of one file of the archive, checked by its CRC-32.
    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, DataError> {
        let file = self.file;
        let place = |byte| Place::Entry(name.into(), byte);
        let mut entry = self.archive.by_name(name).map_err(|error| {
            DataError::malformed(file, place(0), "entry of the zip archive", "an intact one", error)
        })?;
        let (size, compressed) = (entry.size(), entry.compressed_size());
        if size > MAX_BYTES || (size > SMALL && size / MAX_RATIO > compressed) {
            let expected =
                format!("at most {MAX_BYTES} bytes, {MAX_RATIO} times the compressed {compressed}");
            return Err(DataError::malformed(file, place(0), "expansion", expected, size));
        }
        // What the archive claims is only believed as far as bytes arrive.
        let likely = size.min(16 * compressed.min(MAX_BYTES));
        let mut bytes = Vec::with_capacity(usize::try_from(likely).unwrap_or_default());
        let read = entry.by_ref().take(size + 1).read_to_end(&mut bytes);
        if let Err(error) = read {
            let at = place(bytes.len() as u64);
            return Err(DataError::malformed(file, at, "compressed data", "an intact stream", error));
        }
        if bytes.len() as u64 != size {
            let at = place(bytes.len() as u64);
            return Err(DataError::malformed(
                file,
                at,
                "uncompressed size",
                format!("{size} bytes"),
                bytes.len(),
            ));
        }
        Ok(bytes)
    }

    fn wrong(&self, name: &str, wrong: Wrong) -> DataError {
        let Wrong { byte, what, expected, received } = wrong;
        DataError::malformed(self.file, Place::Entry(name.into(), byte as u64), what, expected, received)
    }

    fn shape(&self, name: &str, expected: String, received: &[usize]) -> DataError {
        let place = Place::Entry(name.into(), 0);
        DataError::malformed(self.file, place, "shape", expected, format!("{received:?}"))
    }
}
