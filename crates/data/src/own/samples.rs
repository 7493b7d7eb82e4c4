//! Samples and labels as a file has them, before labels have become classes.

use std::collections::HashMap;
use std::path::Path;

use super::{MAX_CLASSES, MAX_SAMPLE, MAX_VALUES};
use crate::error::{DataError, Place};

/// Samples of one shape, each with its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples {
    /// `[length]`, `[height, width]` or `[height, width, channels]`.
    shape: Vec<usize>,
    /// All samples, one after the other.
    values: Values,
    labels: Labels,
    /// How much each weighs, where the file says so.
    weights: Option<Vec<f32>>,
}

/// The values of all samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

/// A label per sample: the names that occur, and which of them each sample has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub(crate) names: Vec<String>,
    pub(crate) codes: Vec<u32>,
    known: HashMap<String, u32>,
}

/// The classes of a dataset.
#[derive(Debug)]
pub(super) struct Classes {
    /// Sorted: by value where all are whole numbers, else by letters.
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u16>,
}

/// How many values a sample of this shape has; `None` if none or too many.
pub(super) fn size(shape: &[usize]) -> Option<usize> {
    let size = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis))?;
    (1..=MAX_SAMPLE).contains(&size).then_some(size)
}

/// How many values `count` samples of this shape have; `None` if none or too many.
pub(super) fn total(count: usize, shape: &[usize]) -> Option<usize> {
    let total = (count as u64).checked_mul(size(shape)? as u64)?;
    (1..=MAX_VALUES).contains(&total).then_some(usize::try_from(total).ok()?)
}

impl Samples {
    /// Samples from their parts, which the caller has counted.
    pub(super) fn new(shape: Vec<usize>, values: Values, labels: Labels) -> Result<Samples, DataError> {
        let expected = total(labels.codes.len(), &shape);
        if expected != Some(values.len()) {
            let expected =
                format!("1 to {MAX_VALUES}, {:?} for each of {} labels", shape, labels.codes.len());
            return Err(DataError::disagree("number of values", expected, values.len()));
        }
        Ok(Samples { shape, values, labels, weights: None })
    }

    /// The same with a weight for each sample, which the caller has counted.
    pub(super) fn weighted(self, weights: Option<Vec<f32>>) -> Samples {
        Samples { weights, ..self }
    }

    /// Takes the weights away.
    pub(super) fn take_weights(&mut self) -> Option<Vec<f32>> {
        self.weights.take()
    }

    pub(super) fn len(&self) -> usize {
        self.labels.codes.len()
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    pub(super) fn into_values(self) -> Values {
        self.values
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The shape as pictures have it: a row of numbers is a picture one pixel high.
    pub(super) fn height_width_channels(&self) -> [usize; 3] {
        match self.shape[..] {
            [height, width, channels] => [height, width, channels],
            [height, width] => [height, width, 1],
            _ => [1, self.shape.iter().product(), 1],
        }
    }

    /// Gives every sample another shape of as many values.
    pub(super) fn reshape(&mut self, shape: &[usize]) -> Result<(), DataError> {
        if size(shape) != size(&self.shape) {
            let expected = format!("{} values, as {:?} has", self.values.len() / self.len(), self.shape);
            return Err(DataError::disagree("sample_shape", expected, format!("{shape:?}")));
        }
        self.shape = shape.to_vec();
        Ok(())
    }

    /// The samples at `indices`, in that order.
    pub(super) fn select(&self, indices: &[usize]) -> Samples {
        let size = self.values.len() / self.len().max(1);
        let codes = indices.iter().map(|&index| self.labels.codes[index]).collect();
        Samples {
            shape: self.shape.clone(),
            values: match &self.values {
                Values::Bytes(bytes) => Values::Bytes(pick(bytes, size, indices)),
                Values::Numbers(numbers) => Values::Numbers(pick(numbers, size, indices)),
            },
            labels: Labels { codes, ..self.labels.clone() },
            weights: self.weights.as_ref().map(|weights| pick(weights, 1, indices)),
        }
    }
}

fn pick<T: Copy>(values: &[T], size: usize, indices: &[usize]) -> Vec<T> {
    let mut picked = Vec::with_capacity(indices.len() * size);
    for index in indices {
        picked.extend_from_slice(&values[index * size..][..size]);
    }
    picked
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Values::Bytes(bytes) => bytes.len(),
            Values::Numbers(numbers) => numbers.len(),
        }
    }

    pub(super) fn into_numbers(self) -> Vec<f32> {
        match self {
            Values::Bytes(bytes) => bytes.into_iter().map(f32::from).collect(),
            Values::Numbers(numbers) => numbers,
        }
    }
}

/// Numbers of pictures as bytes, where nothing is lost: whole numbers whose training part reaches from 0 to 255, so
/// that scaling them by their own range and dividing bytes by 255 is the same.
pub(super) fn bytes_of(train: &[f32], test: &[f32]) -> Option<[Vec<u8>; 2]> {
    let whole = |&number: &f32| (0.0..=255.0).contains(&number) && number.fract() == 0.0;
    let exact = train.iter().chain(test).all(whole) && train.contains(&0.0) && train.contains(&255.0);
    exact.then(|| [train, test].map(|part| part.iter().map(|&number| number as u8).collect()))
}

impl Labels {
    /// Adds a sample's label; `None` if there are more different ones than there may be classes.
    pub(crate) fn push(&mut self, name: &str) -> Option<()> {
        let code = match self.known.get(name) {
            Some(&code) => code,
            None if self.names.len() == MAX_CLASSES => return None,
            None => {
                let code = self.names.len() as u32;
                self.names.push(name.to_owned());
                self.known.insert(name.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
        Some(())
    }

    /// Labels from names and codes; `None` where a code has no name.
    pub(super) fn of(names: Vec<String>, codes: Vec<u32>) -> Option<Labels> {
        let valid = names.len() <= MAX_CLASSES && codes.iter().all(|&code| (code as usize) < names.len());
        let known = names.iter().cloned().zip(0..).collect();
        valid.then_some(Labels { names, codes, known })
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        (&self.names, &self.codes) == (&other.names, &other.codes)
    }
}

/// Whether a sample may weigh so much.
pub(super) fn is_weight(number: f32) -> bool {
    number.is_finite() && number >= 0.0
}

/// The error of a file whose labels are too many to be classes.
pub(super) fn too_many(file: &str, place: Place) -> DataError {
    let expected = format!("2 to {MAX_CLASSES} different ones; are these labels?");
    DataError::malformed(file, place, "labels", expected, "more")
}

impl Classes {
    /// The classes of all samples.
    pub(super) fn of(path: &Path, train: &Labels, test: Option<&Labels>) -> Result<Classes, DataError> {
        let mut names: Vec<String> =
            train.names.iter().chain(test.iter().flat_map(|test| &test.names)).cloned().collect();
        let value = |name: &String| name.parse::<i64>().ok();
        if names.iter().all(|name| value(name).is_some()) {
            names.sort_by_key(value);
        } else {
            names.sort();
        }
        names.dedup();
        if !(2..=MAX_CLASSES).contains(&names.len()) {
            let file = path.display().to_string();
            let expected = format!("2 to {MAX_CLASSES}");
            return Err(DataError::malformed(
                &file,
                Place::Whole,
                "number of classes",
                expected,
                names.len(),
            ));
        }
        let numbers = names.iter().cloned().zip(0..).collect();
        Ok(Classes { names, numbers })
    }

    /// The class of every sample.
    pub(super) fn labels(&self, labels: &Labels) -> Vec<u16> {
        let class: Vec<u16> =
            labels.names.iter().map(|name| self.numbers.get(name).copied().unwrap_or_default()).collect();
        labels.codes.iter().map(|&code| class[code as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Labels {
        let mut labels = Labels::default();
        names.iter().for_each(|name| labels.push(name).unwrap());
        labels
    }

    #[test]
    fn classes_are_sorted_by_value_or_by_letters() {
        let classes = |train: &[&str], test: &[&str]| {
            Classes::of(Path::new("f"), &labels(train), Some(&labels(test))).map(|classes| classes.names)
        };
        assert_eq!(classes(&["10", "9", "-1"], &["9", "100"]).unwrap(), ["-1", "9", "10", "100"]);
        assert_eq!(classes(&["10", "9"], &["b", "a"]).unwrap(), ["10", "9", "a", "b"]);
        let error = classes(&["a"], &["a"]).unwrap_err().to_string();
        assert_eq!(error, "f: number of classes: expected 2 to 1000, received 1");
        let both = Classes::of(Path::new("f"), &labels(&["b", "a", "b"]), None).unwrap();
        assert_eq!(both.labels(&labels(&["b", "a", "b"])), [1, 0, 1]);
    }

    #[test]
    fn the_thousand_and_first_label_is_one_too_many() {
        let mut labels = Labels::default();
        assert!((0..MAX_CLASSES).all(|i| labels.push(&i.to_string()).is_some()));
        assert_eq!((labels.push("7"), labels.push("x")), (Some(()), None));
    }

    #[test]
    fn numbers_become_bytes_where_nothing_is_lost() {
        assert_eq!(bytes_of(&[0.0, 7.0, 255.0], &[3.0]), Some([vec![0, 7, 255], vec![3]]));
        for (train, test) in [
            ([0.0, 7.5, 255.0], 3.0),
            ([0.0, 7.0, 254.0], 255.0),
            ([1.0, 7.0, 255.0], 0.0),
            ([0.0, 0.0, 255.0], -1.0),
            ([0.0, 0.0, 255.0], 0.5),
        ] {
            assert_eq!(bytes_of(&train, &[test]), None, "{train:?} {test}");
        }
    }

    #[test]
    fn samples_are_selected_and_reshaped() {
        let values = Values::Bytes((0..12).collect());
        let mut samples = Samples::new(vec![4], values, labels(&["a", "b", "a"])).unwrap();
        let picked = samples.select(&[2, 1]);
        assert_eq!(picked.values(), &Values::Bytes(vec![8, 9, 10, 11, 4, 5, 6, 7]));
        assert_eq!(picked.labels().codes, [0, 1]);
        samples.reshape(&[2, 2]).unwrap();
        assert_eq!(samples.height_width_channels(), [2, 2, 1]);
        let error = samples.reshape(&[3, 2]).unwrap_err().to_string();
        assert_eq!(error, "sample_shape: expected 4 values, as [2, 2] has, received [3, 2]");
        assert!(Samples::new(vec![5], Values::Bytes(vec![0; 12]), labels(&["a", "b", "a"])).is_err());
        assert!(Samples::new(vec![usize::MAX, 2], Values::Bytes(vec![]), labels(&["a"])).is_err());
    }
}
