//! A person's own four IDX files in one folder, named as MNIST's are, each plain or compressed.
//!
//! Images are `[samples, height, width]` or `[samples, height, width, channels]`, labels `[samples]`.

use std::path::{Path, PathBuf};

use super::MAX_VALUES;
use super::samples::{Labels, Samples, Values, too_many};
use crate::error::{DataError, Place};
use crate::idx;

/// Images and labels to learn from, images and labels to be judged on.
const STEMS: [[&str; 2]; 2] = [["train-images", "train-labels"], ["t10k-images", "t10k-labels"]];

/// The file that begins so, whatever number of dimensions its name claims.
fn path_of(folder: &Path, stem: &str) -> Option<PathBuf> {
    let kinds = (1..=4).flat_map(|dims| ["", ".gz"].map(|end| format!("{stem}-idx{dims}-ubyte{end}")));
    kinds.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Whether the folder has any of the files.
pub(super) fn is_there(folder: &Path) -> bool {
    STEMS.as_flattened().iter().any(|stem| path_of(folder, stem).is_some())
}

/// Reads all four files.
pub(super) fn read(folder: &Path) -> Result<(Samples, Samples), DataError> {
    let [train, test] = STEMS.map(|[images, labels]| part(folder, images, labels));
    Ok((train?, test?))
}

fn part(folder: &Path, images: &str, labels: &str) -> Result<Samples, DataError> {
    let (images_file, images) = file(folder, images)?;
    let (labels_file, labels) = file(folder, labels)?;
    let wrong = |file: &str, expected: &str, received: &[usize]| {
        DataError::malformed(file, Place::Byte(3), "dimensions", expected, format!("{received:?}"))
    };
    let [count] = labels.dims[..] else {
        return Err(wrong(&labels_file, "[samples]", &labels.dims));
    };
    let shape = match images.dims.split_first() {
        Some((&first, shape)) if first == count && (2..=3).contains(&shape.len()) => shape.to_vec(),
        _ => {
            let expected = format!(
                "[{count}, height, width] or [{count}, height, width, channels], as there are labels"
            );
            return Err(wrong(&images_file, &expected, &images.dims));
        }
    };
    let mut names = Labels::default();
    for label in labels.values {
        names.push(&label.to_string()).ok_or_else(|| too_many(&labels_file, Place::Whole))?;
    }
    Samples::new(shape, Values::Bytes(images.values), names)
}

fn file(folder: &Path, stem: &str) -> Result<(String, idx::Idx), DataError> {
    let path = path_of(folder, stem).ok_or_else(|| {
        let name = folder.display().to_string();
        let expected = STEMS.as_flattened().join(", ");
        DataError::malformed(&name, Place::Whole, "IDX files", expected, format!("no {stem}-idx…-ubyte"))
    })?;
    let limit = usize::try_from(MAX_VALUES).unwrap_or(usize::MAX);
    Ok((path.display().to_string(), idx::read(&path, limit)?))
}
