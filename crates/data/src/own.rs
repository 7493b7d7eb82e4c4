//! A person's own data: a file or a folder, with its own test samples or split by a fraction.
//!
//! | what the path is | read by |
//! |---|---|
//! | `*.npz` with `x_train`, `y_train`, `x_test`, `y_test`, or with `x` and `y` | `npz`, and `npy` above |
//! | `*.csv` or `*.tsv`, or a folder with `train.csv` and `test.csv` | `csv` |
//! | a folder with `train-images-idx3-ubyte`, its labels, and `t10k-…` beside them, plain or `.gz` | `four_idx` |
//! | a folder with a folder of PNG or JPEG files per class, or with `train` and `test` above these | `pictures` |
//!
//! Every reader gives [`Samples`](samples::Samples) with labels as their file has them; here labels become classes,
//! and one set of samples becomes two.

mod cores;
mod csv;
mod decoded;
mod four_idx;
#[cfg(test)]
mod golden;
mod npz;
mod pictures;
pub(crate) mod samples;
mod split;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::io;
use crate::dataset::{Dataset, Source};
use crate::error::{DataError, Place};
use crate::name::DataName;
use crate::pictures::Pictures;
use samples::{Classes, Samples, Values};

/// How the names of single files end that are read.
pub(crate) const ENDINGS: [&str; 3] = ["npz", "csv", "tsv"];

/// The share of samples that is kept for the test where neither the data nor the user say otherwise.
const TEST_FRACTION: f64 = 0.2;

/// The most values that one dataset may have, over all its samples.
pub(crate) const MAX_VALUES: u64 = 1 << 32;

/// The most values that one sample may have: as many as a network takes.
const MAX_SAMPLE: usize = 1 << 24;

/// The most classes. More are a sign that the labels are something else.
const MAX_CLASSES: usize = 1000;

/// Where a person's own data are, and how they are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnData {
    /// The file or folder; relative to the folder the program runs in.
    pub path: PathBuf,
    /// CSV: the name of the column with the labels. Without it: a column called `label` or `class`, else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// CSV: the name of the column, NPZ: of the array, that says what each training sample weighs: a finite number, 0 or more,
    /// by which its loss is multiplied. Test samples all count alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The shape of a sample, `[height, width]` or `[height, width, channels]`, where the data only have its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_shape: Option<Vec<usize>>,
    /// The share of each class, above 0 and below 1, that becomes the test set; 0.2 where the data have no test set
    /// of their own. Impossible where they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// The seed that decides which samples these are, and the order of samples that have none; 0 by default.
    #[serde(default)]
    pub split_seed: u64,
}

/// What a reader gives.
struct Found {
    train: Samples,
    /// The test samples, where the data have their own.
    test: Option<Samples>,
    /// Whether the samples are sorted by class, so that their order says nothing.
    sorted: bool,
}

impl OwnData {
    /// The data at a path, everything else left to defaults.
    pub fn at(path: impl Into<PathBuf>) -> OwnData {
        OwnData {
            path: path.into(),
            label: None,
            weight: None,
            sample_shape: None,
            test_fraction: None,
            split_seed: 0,
        }
    }

    /// Checks what can be checked without looking at the data.
    ///
    /// # Errors
    /// [`DataError::Disagree`], naming the choice.
    pub fn validate(&self) -> Result<(), DataError> {
        if let Some(fraction) = self.test_fraction
            && !(fraction > 0.0 && fraction < 1.0)
        {
            return Err(DataError::disagree("test_fraction", "a number above 0 and below 1", fraction));
        }
        if let Some(shape) = &self.sample_shape
            && (!(1..=3).contains(&shape.len()) || samples::size(shape).is_none())
        {
            let expected = format!("1 to 3 lengths whose product is 1 to {MAX_SAMPLE}");
            return Err(DataError::disagree("sample_shape", expected, format!("{shape:?}")));
        }
        Ok(())
    }

    /// Where the data are, if there is anything at the path.
    pub(crate) fn source(&self) -> Option<Source> {
        let kind = fs::metadata(&self.path).ok()?;
        Some(if kind.is_dir() { Source::Folder(self.path.clone()) } else { Source::File(self.path.clone()) })
    }

    /// The name as a sentence writes it: that of the file or folder, without its ending.
    fn title(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
        name.map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }
}

/// Reads, splits and checks a person's own data. Pictures that were decoded before come from `cache`.
///
/// # Errors
/// [`DataError::Io`] and [`DataError::Malformed`] with the file and the place in it, [`DataError::Disagree`] where
/// the choices do not fit the data.
pub(crate) fn load(own: &OwnData, cache: Option<&Path>) -> Result<Dataset, DataError> {
    own.validate()?;
    let found = find(own, cache)?;
    let resolved = OwnData {
        test_fraction: own.test_fraction.or(found.test.is_none().then_some(TEST_FRACTION)),
        ..own.clone()
    };
    let classes = Classes::of(&own.path, found.train.labels(), found.test.as_ref().map(Samples::labels))?;
    let (train, test) = parts(&resolved, found, &classes)?;
    let source = own.source().unwrap_or_else(|| Source::File(own.path.clone()));
    let title = own.title();
    let name = DataName::Own(resolved);
    let [train, test] = pictures_of(train, test, &classes)?;
    Ok(Dataset { name, title, source, class_names: classes.names, train, test })
}

/// Finds out what the path is, and reads it.
fn find(own: &OwnData, cache: Option<&Path>) -> Result<Found, DataError> {
    let path = &own.path;
    let kind = fs::metadata(path).map_err(io("read", path))?;
    let reads_csv = |path: &Path| path.is_file();
    if !kind.is_dir() {
        return find_file(own);
    }
    let [train, test] = ["train.csv", "test.csv"].map(|name| path.join(name));
    let found = if reads_csv(&train) && reads_csv(&test) {
        let [train, test] = [csv::read(&train, own)?, csv::read(&test, own)?];
        Found { train, test: Some(test), sorted: false }
    } else if four_idx::is_there(path) {
        let (train, test) = four_idx::read(path)?;
        Found { train, test: Some(test), sorted: false }
    } else {
        let (train, test) = pictures::read(path, cache)?;
        Found { train, test, sorted: true }
    };
    match (&own.label, &own.weight) {
        (Some(label), _) if !reads_csv(&train) => {
            Err(DataError::disagree("label", "none: only a CSV file has columns", format!("{label:?}")))
        }
        (_, Some(weight)) if !reads_csv(&train) => {
            let expected = "none: only CSV and NPZ files say what samples weigh";
            Err(DataError::disagree("weight", expected, format!("{weight:?}")))
        }
        _ => Ok(found),
    }
}

fn find_file(own: &OwnData) -> Result<Found, DataError> {
    let path = &own.path;
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match (ending.as_str(), &own.label) {
        ("csv" | "tsv", _) => Ok(Found { train: csv::read(path, own)?, test: None, sorted: false }),
        ("npz", None) => {
            let (train, test) = npz::read(path, own.weight.as_deref())?;
            Ok(Found { train, test, sorted: false })
        }
        ("npz", Some(label)) => {
            Err(DataError::disagree("label", "none: only a CSV file has columns", format!("{label:?}")))
        }
        _ => Err(DataError::malformed(
            &path.display().to_string(),
            Place::Whole,
            "ending",
            "a folder, or a file that ends in .npz, .csv or .tsv",
            format!(".{ending}"),
        )),
    }
}

/// Samples to learn from and samples to be judged on.
fn parts(own: &OwnData, found: Found, classes: &Classes) -> Result<(Samples, Samples), DataError> {
    let Found { mut train, test, sorted } = found;
    let reshape = |samples: &mut Samples| match &own.sample_shape {
        Some(shape) => samples.reshape(shape),
        None => Ok(()),
    };
    reshape(&mut train)?;
    let Some(mut test) = test else {
        let fraction = own.test_fraction.unwrap_or(TEST_FRACTION);
        let labels = classes.labels(train.labels());
        let (learned, judged) = split::stratified(&labels, &classes.names, fraction, own.split_seed)?;
        return Ok((train.select(&learned), train.select(&judged)));
    };
    if let Some(fraction) = own.test_fraction {
        let expected = format!("none: {} has test samples of its own", own.path.display());
        return Err(DataError::disagree("test_fraction", expected, fraction));
    }
    reshape(&mut test)?;
    if train.shape() != test.shape() {
        let expected = format!("{:?}, as the training samples have", train.shape());
        return Err(DataError::disagree(
            "shape of the test samples",
            expected,
            format!("{:?}", test.shape()),
        ));
    }
    if sorted {
        let [learned, judged] = [("train", &train), ("test", &test)]
            .map(|(part, samples)| split::order(samples.len(), part, own.split_seed));
        return Ok((train.select(&learned), test.select(&judged)));
    }
    Ok((train, test))
}

/// Samples as pictures with class numbers: bytes where both parts are bytes.
fn pictures_of(mut train: Samples, test: Samples, classes: &Classes) -> Result<[Pictures; 2], DataError> {
    let weights = train.take_weights();
    let [train, test] = unweighted(train, test, classes)?;
    Ok([Pictures { weights, ..train }, test])
}

fn unweighted(train: Samples, test: Samples, classes: &Classes) -> Result<[Pictures; 2], DataError> {
    let [learned, judged] = [classes.labels(train.labels()), classes.labels(test.labels())];
    let shape = train.height_width_channels();
    let count = classes.names.len();
    match (train.into_values(), test.into_values()) {
        (Values::Bytes(train), Values::Bytes(test)) => {
            Ok([Pictures::new(shape, train, learned, count)?, Pictures::new(shape, test, judged, count)?])
        }
        (train, test) => {
            let [train, test] = [train.into_numbers(), test.into_numbers()];
            if let Some([train, test]) = samples::bytes_of(&train, &test).filter(|_| shape[0] > 1) {
                let [train, test] = [(train, learned), (test, judged)];
                return Ok([
                    Pictures::new(shape, train.0, train.1, count)?,
                    Pictures::new(shape, test.0, test.1, count)?,
                ]);
            }
            let least = train.iter().copied().fold(f32::INFINITY, f32::min);
            let most = train.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let of = |numbers, labels| Pictures::of_numbers(shape, numbers, [least, most], labels, count);
            Ok([of(train, learned)?, of(test, judged)?])
        }
    }
}
