//! Samples that occur more than once, value for value.
//!
//! A test sample that was also learned from says nothing about unseen ones; the same sample under two labels cannot be
//! told right twice.

use std::collections::HashMap;

use crate::dataset::Dataset;
use crate::pictures::Pictures;

/// How many samples occur more than once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Test samples that are training samples as well.
    pub test_in_training: usize,
    /// How many of these have another label there.
    pub with_another_label: usize,
    /// Training samples that are the same as an earlier one.
    pub within_training: usize,
    /// Test samples that are the same as an earlier one.
    pub within_test: usize,
}

impl Duplicates {
    /// Compares every sample with every other, by way of a table.
    pub fn of(dataset: &Dataset) -> Duplicates {
        let [train, test] = [&dataset.train, &dataset.test].map(keys);
        let mut known: HashMap<&[u8], usize> = HashMap::with_capacity(dataset.train.count);
        let mut duplicates = Duplicates::default();
        for (index, key) in samples(&train, dataset.train.count).enumerate() {
            if known.contains_key(key) {
                duplicates.within_training += 1;
            } else {
                known.insert(key, index);
            }
        }
        let mut judged: HashMap<&[u8], ()> = HashMap::with_capacity(dataset.test.count);
        for (index, key) in samples(&test, dataset.test.count).enumerate() {
            duplicates.within_test += usize::from(judged.insert(key, ()).is_some());
            if let Some(&learned) = known.get(key) {
                duplicates.test_in_training += 1;
                let same = dataset.train.labels[learned] == dataset.test.labels[index];
                duplicates.with_another_label += usize::from(!same);
            }
        }
        duplicates
    }
}

/// What samples are told apart by.
fn keys(part: &Pictures) -> Vec<u8> {
    match &part.numbers {
        // 0 and −0 are the same number.
        Some(numbers) => numbers.iter().flat_map(|number| (number + 0.0).to_le_bytes()).collect(),
        None => part.pixels.clone(),
    }
}

fn samples(keys: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    keys.chunks_exact((keys.len() / count.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Source;
    use crate::name::DataName;

    fn dataset(train: Pictures, test: Pictures) -> Dataset {
        let class_names = vec!["a".into(), "b".into()];
        Dataset {
            name: DataName::Digits,
            title: "T".into(),
            source: Source::BuiltIn,
            class_names,
            train,
            test,
        }
    }

    #[test]
    fn duplicates_are_counted() {
        let part = |pixels: &[u8], labels: &[u16]| {
            Pictures::new([1, 2, 1], pixels.to_vec(), labels.to_vec(), 2).unwrap()
        };
        let train = part(&[1, 2, 3, 4, 1, 2, 5, 6], &[0, 1, 0, 1]);
        let test = part(&[1, 2, 5, 6, 7, 8, 7, 8, 1, 2], &[0, 0, 1, 1, 1]);
        let expected =
            Duplicates { test_in_training: 3, with_another_label: 2, within_training: 1, within_test: 2 };
        assert_eq!(Duplicates::of(&dataset(train, test)), expected);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let part = |numbers: &[f32]| {
            let labels = vec![0; numbers.len()];
            Pictures::of_numbers([1, 1, 1], numbers.to_vec(), [0.0, 100.0], labels, 1).unwrap()
        };
        // The first two are shown by the same byte and are not the same.
        let found = Duplicates::of(&dataset(part(&[0.1, 0.2, 0.0]), part(&[0.15, 0.2, -0.0])));
        assert_eq!((found.test_in_training, found.within_training), (2, 0));
    }
}
