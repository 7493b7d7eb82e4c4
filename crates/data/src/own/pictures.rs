//! A folder with a folder of PNG or JPEG files per class, or with `train` and `test` above these.
//!
//! All pictures have the same size. They are grey where every file is grey, otherwise red, green, blue; transparency
//! is left out, 16 bits become the upper 8, as TensorFlow's `decode_png` does. Hidden files and files that are no
//! pictures are left alone; pictures of other formats are refused, so that none goes missing silently.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use super::MAX_VALUES;
use super::cores::on_all_cores;
use super::decoded::Store;
use super::samples::{Labels, Samples, Values, too_many, total};
use crate::cache::io;
use crate::error::{DataError, Place};

pub(super) mod decode;

use decode::Picture;

/// What is read.
const READ: [&str; 3] = ["png", "jpg", "jpeg"];

/// Formats that a person may take for read.
const NOT_READ: [&str; 9] = ["gif", "bmp", "webp", "tif", "tiff", "heic", "avif", "jp2", "svg"];

/// What the folders of training and of test samples may be called, best first.
const TRAIN: [&str; 1] = ["train"];
const TEST: [&str; 3] = ["test", "val", "validation"];

/// The picture files of one part, class after class.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) paths: Vec<PathBuf>,
    pub(super) labels: Labels,
}

/// Reads a folder: training pictures, and test pictures where it has them. Pictures that were decoded before come
/// from `cache`.
pub(super) fn read(folder: &Path, cache: Option<&Path>) -> Result<(Samples, Option<Samples>), DataError> {
    let (train, test) = list(folder)?;
    let store = cache.map(|cache| Store::new(cache, folder, [Some(&train), test.as_ref()]));
    if let Some(found) = store.as_ref().and_then(Store::load) {
        return Ok(found);
    }
    let decoded = decode_parts(&train, test.as_ref())?;
    if let Some(store) = &store {
        store.save(&decoded);
    }
    Ok(decoded)
}

/// The files of both parts, in the order of their names.
fn list(folder: &Path) -> Result<(Files, Option<Files>), DataError> {
    let folders = subfolders(folder)?;
    let called = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| folders.iter().find(|path| path.file_name().is_some_and(|own| own == *name)))
    };
    match (called(&TRAIN), called(&TEST)) {
        (Some(train), Some(test)) => Ok((part(train)?, Some(part(test)?))),
        _ => Ok((part(folder)?, None)),
    }
}

/// The files of one part: a folder per class.
fn part(folder: &Path) -> Result<Files, DataError> {
    let mut files = Files::default();
    let name = folder.display().to_string();
    for class in subfolders(folder)? {
        let label = class.file_name().unwrap_or_default().to_string_lossy();
        for path in pictures(&class)? {
            files.labels.push(&label).ok_or_else(|| too_many(&name, Place::Whole))?;
            files.paths.push(path);
        }
    }
    if files.paths.is_empty() {
        let expected = "a folder per class with PNG or JPEG files in it, or train and test above these, or train.csv and test.csv, or four IDX files";
        return Err(DataError::malformed(&name, Place::Whole, "pictures", expected, "none"));
    }
    Ok(files)
}

/// The visible folders in a folder, sorted.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = entries(folder)?.into_iter();
    Ok(entries.filter(|(_, kind)| kind.is_dir()).map(|(path, _)| path).collect())
}

/// The pictures in a folder, sorted.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut pictures = Vec::new();
    for (path, kind) in entries(folder)? {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if NOT_READ.contains(&ending.as_str()) {
            let file = path.display().to_string();
            return Err(DataError::malformed(
                &file,
                Place::Whole,
                "format",
                "PNG or JPEG",
                format!(".{ending}"),
            ));
        }
        // Pipes and devices could be read for ever.
        if READ.contains(&ending.as_str()) && kind.is_file() {
            pictures.push(path);
        }
    }
    Ok(pictures)
}

/// What a folder holds, sorted, without what is hidden and links that lead nowhere. Links are what they lead to.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, FileType)>, DataError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(io("read the folder", folder))? {
        let entry = entry.map_err(io("read the folder", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // The folder itself knows the kind: no question to the disk for each of its files.
        let kind = match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => Some(kind),
            _ => fs::metadata(&path).ok().map(|data| data.file_type()),
        };
        entries.extend(kind.map(|kind| (path, kind)));
    }
    // By bytes: components, as paths compare, take several times as long.
    entries.sort_by(|(one, _), (other, _)| one.as_os_str().cmp(other.as_os_str()));
    Ok(entries)
}

/// Decodes all files.
fn decode_parts(train: &Files, test: Option<&Files>) -> Result<(Samples, Option<Samples>), DataError> {
    let all: Vec<&Path> = [Some(train), test]
        .into_iter()
        .flatten()
        .flat_map(|files| &files.paths)
        .map(PathBuf::as_path)
        .collect();
    let Some(first) = all.first() else { return Err(DataError::disagree("pictures", "at least one", 0)) };
    let Picture { height, width, .. } = decode::picture(first, None)?;
    // As if all had colours, so that nothing is decoded that cannot be kept.
    if total(all.len(), &[height, width, 3]).is_none() {
        let expected = format!("at most {MAX_VALUES} values in {} pictures", all.len());
        let file = first.display().to_string();
        return Err(DataError::malformed(
            &file,
            Place::Byte(0),
            "size",
            expected,
            format!("{height}×{width}"),
        ));
    }
    let mut pictures = on_all_cores(&all, |path| decode::picture(path, Some([height, width])))?;
    let colour = pictures.iter().any(|picture| picture.channels == 3);
    let shape = if colour { vec![height, width, 3] } else { vec![height, width] };
    let test_pictures = pictures.split_off(train.paths.len());
    let of = |pictures: Vec<Picture>, files: &Files| {
        let mut bytes = Vec::with_capacity(pictures.len() * shape.iter().product::<usize>());
        for picture in pictures {
            match (colour, picture.channels) {
                (true, 1) => picture.bytes.iter().for_each(|&grey| bytes.extend([grey; 3])),
                _ => bytes.extend(picture.bytes),
            }
        }
        Samples::new(shape.clone(), Values::Bytes(bytes), files.labels.clone())
    };
    Ok((of(pictures, train)?, test.map(|files| of(test_pictures, files)).transpose()?))
}
