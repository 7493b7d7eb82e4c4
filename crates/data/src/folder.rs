//! A folder with the four IDX files of a dataset, each plain or compressed: what is there, and reading it verified.
//!
//! A file is verified by the hash of its content where the catalogue knows it, otherwise by the hash of its
//! compressed form. A file that was compressed by another program and whose content's hash nobody published can
//! only be checked for its structure; [`Content::verified`] tells.

use std::path::{Path, PathBuf};
use std::thread;

use crate::catalog::{Entry, File};
use crate::error::{DataError, Place};
use crate::hash::sha256;
use crate::idx::{self, Idx};
use crate::pictures::Pictures;

/// The pictures read from a folder.
pub(crate) struct Content {
    pub(crate) train: Pictures,
    pub(crate) test: Pictures,
    /// Whether every file matched a hash of the catalogue.
    pub(crate) verified: bool,
}

/// The files of `entry` that `folder` does not hold, plain or compressed.
pub(crate) fn missing<'a>(entry: &'a Entry, folder: &Path) -> Vec<&'a File> {
    entry.files.iter().filter(|file| path_of(file, folder).is_none()).collect()
}

/// Whether `folder` holds all files of `entry` (`true`) or none of them (`false`).
///
/// # Errors
/// [`DataError::Incomplete`] if it holds some.
pub(crate) fn holds(entry: &Entry, folder: &Path) -> Result<bool, DataError> {
    let missing = missing(entry, folder);
    match missing.len() {
        0 => Ok(true),
        all if all == entry.files.len() => Ok(false),
        _ => Err(DataError::Incomplete {
            title: entry.title,
            folder: folder.to_owned(),
            missing: missing.iter().map(|file| file.gz_name()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Reads and verifies all four files.
///
/// # Errors
/// [`DataError::Io`] and [`DataError::Malformed`], naming the file.
pub(crate) fn read(entry: &Entry, folder: &Path) -> Result<Content, DataError> {
    let [train_images, train_labels, test_images, test_labels] = &entry.files;
    // The training images are most of the work; the other three files fit beside them on a second core.
    let (train_images, others) = thread::scope(|scope| {
        let others =
            scope.spawn(|| [train_labels, test_images, test_labels].map(|file| read_file(file, folder)));
        (read_file(train_images, folder), others.join())
    });
    let [train_labels, test_images, test_labels] =
        others.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (train, train_verified) = pair(entry, train_images?, train_labels?)?;
    let (test, test_verified) = pair(entry, test_images?, test_labels?)?;
    Ok(Content { train, test, verified: train_verified && test_verified })
}

/// Reads and verifies one file.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_file(file: &File, folder: &Path) -> Result<ReadFile, DataError> {
    let path = path_of(file, folder).unwrap_or_else(|| folder.join(file.gz_name()));
    let name = path.display().to_string();
    let bytes = idx::read_bytes(&path, file.bytes())?;

    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    let mut verified = compressed && file.sha256.is_none() && sha256(&bytes) == file.gz_sha256;
    let plain = if compressed { idx::gunzip(&name, &bytes, file.bytes())? } else { bytes };
    let hash = file.sha256.map(|_| sha256(&plain));

    // The structure first: its message says more than two hashes that differ.
    let idx = idx::parse_plain(&name, plain, file.bytes())?;
    let malformed = |what, expected: String, received: String| {
        DataError::malformed(&name, Place::Whole, what, expected, received)
    };
    if idx.dims != file.dims {
        return Err(malformed("dimensions", format!("{:?}", file.dims), format!("{:?}", idx.dims)));
    }
    if let (Some(expected), Some(received)) = (file.sha256, hash) {
        if received != expected {
            return Err(malformed("SHA-256 of the uncompressed content", expected.to_owned(), received));
        }
        verified = true;
    }
    Ok(ReadFile { name, idx, verified })
}

/// One file's content.
pub(crate) struct ReadFile {
    name: String,
    idx: Idx,
    /// Whether it matched a hash of the catalogue.
    pub(crate) verified: bool,
}

/// The compressed file if it is there, else the plain one.
fn path_of(file: &File, folder: &Path) -> Option<PathBuf> {
    [folder.join(file.gz_name()), folder.join(file.stem)].into_iter().find(|path| path.is_file())
}

/// Images and labels that belong together.
fn pair(entry: &Entry, images: ReadFile, labels: ReadFile) -> Result<(Pictures, bool), DataError> {
    let &[count, height, width] = images.idx.dims.as_slice() else {
        return Err(wrong(&images, "number of dimensions", "3", images.idx.dims.len()));
    };
    if labels.idx.dims != [count] {
        return Err(wrong(&labels, "number of labels", count, format!("{:?}", labels.idx.dims)));
    }
    let classes = entry.class_names.len();
    if let Some(index) = labels.idx.values.iter().position(|&label| usize::from(label) >= classes) {
        let received = format!("{} at picture {index}", labels.idx.values[index]);
        return Err(wrong(&labels, "label", format!("0 to {}", classes - 1), received));
    }
    let values = labels.idx.values.iter().map(|&label| u16::from(label)).collect();
    let pictures = Pictures::new([height, width, 1], images.idx.values, values, classes)?;
    Ok((pictures, images.verified && labels.verified))
}

fn wrong(file: &ReadFile, what: &'static str, expected: impl ToString, received: impl ToString) -> DataError {
    DataError::malformed(&file.name, Place::Whole, what, expected.to_string(), received.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::MNIST;
    use crate::testing::{gzip, tiny, tiny_entry};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn folder_with(files: [Vec<u8>; 4], suffix: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in MNIST.files.iter().zip(files) {
            std::fs::write(folder.path().join(format!("{}{suffix}", file.stem)), bytes).unwrap();
        }
        folder
    }

    fn message(entry: &Entry, files: [Vec<u8>; 4], suffix: &str) -> String {
        let folder = folder_with(files, suffix);
        let error = read(entry, folder.path()).err().expect("must be refused").to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn plain_and_compressed_folders_are_read() {
        for known in [true, false] {
            let entry = tiny_entry(known);
            let plain = read(&entry, folder_with(tiny(), "").path()).unwrap();
            let compressed = read(&entry, folder_with(tiny().map(|file| gzip(&file)), ".gz").path()).unwrap();
            assert_eq!(plain.train.labels, [7, 0, 9]);
            assert_eq!(plain.test.picture(1), [255; 4]);
            assert_eq!((&plain.train, &plain.test), (&compressed.train, &compressed.test));
            // Plain files can only be verified by the hash of their content.
            assert_eq!((plain.verified, compressed.verified), (known, true));
        }
    }

    #[test]
    fn another_compressor_is_accepted_and_told_apart() {
        let stored = tiny().map(|file| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(&file).unwrap();
            encoder.finish().unwrap()
        });
        let folder = folder_with(stored, ".gz");
        assert!(read(&tiny_entry(true), folder.path()).unwrap().verified);
        assert!(!read(&tiny_entry(false), folder.path()).unwrap().verified);
    }

    #[test]
    fn other_content_is_refused_by_its_hash() {
        let mut files = tiny();
        files[0][20] ^= 1;
        let error = message(&tiny_entry(true), files, "");
        assert!(
            error.starts_with("DIR/train-images-idx3-ubyte: SHA-256 of the uncompressed content: expected ")
        );
    }

    #[test]
    fn counts_that_disagree_are_refused() {
        let mut files = tiny();
        files[1] = files[3].clone();
        assert_eq!(
            message(&tiny_entry(false), files, ""),
            "DIR/train-labels-idx1-ubyte: dimensions: expected [3], received [2]"
        );
    }

    #[test]
    fn a_label_beyond_the_classes_is_refused() {
        let mut files = tiny();
        files[3][9] = 10;
        assert_eq!(
            message(&tiny_entry(false), files, ""),
            "DIR/t10k-labels-idx1-ubyte: label: expected 0 to 9, received 10 at picture 1"
        );
    }

    #[test]
    fn every_truncation_of_every_file_is_refused() {
        let entry = tiny_entry(false);
        for suffix in ["", ".gz"] {
            let whole = tiny().map(|file| if suffix.is_empty() { file } else { gzip(&file) });
            for index in 0..4 {
                for length in 0..whole[index].len() {
                    let mut files = whole.clone();
                    files[index].truncate(length);
                    let error = message(&entry, files, suffix);
                    assert!(
                        error.starts_with(&format!("DIR/{}{suffix}: ", entry.files[index].stem)),
                        "{error}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_incomplete_folder_names_what_is_missing() {
        let folder = folder_with(tiny(), "");
        assert!(holds(&MNIST, folder.path()).unwrap());
        std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let error = holds(&MNIST, folder.path()).unwrap_err();
        assert!(
            error.is_damage() && error.to_string().contains("t10k-labels-idx1-ubyte.gz missing"),
            "{error}"
        );
        assert!(!holds(&MNIST, Path::new("no/such/folder")).unwrap());
    }
}
