//! Which test pictures a choice gains and loses.
//!
//! All runs see the same test pictures, so over seeds each picture is right some number of times with the baseline and some number
//! of times with the variant. A picture counts as known if more than half of the seeds get it right; McNemar's test
//! is made on these majorities, because pictures are independent and seeds of one picture are not.

use crate::record::{StudyRecord, StudyTrial};
use crate::statistics::mcnemar::McNemar;
use serde::Serialize;
use std::collections::HashMap;

/// How many contested pictures are kept.
const CONTESTED: usize = 20;

/// One variant against the baseline, picture by picture, over the seeds that both finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PictureComparison {
    /// The variant's place in [`StudyRecord::variants`].
    pub variant: usize,
    /// How many seeds were compared.
    pub seeds: usize,
    /// How many test pictures there are.
    pub pictures: usize,
    /// By majority over the seeds; first the baseline, second the variant.
    pub majority: McNemar,
    /// Seed by seed; first the baseline, second the variant.
    pub by_seed: Vec<McNemar>,
    /// The pictures with the largest difference in how many seeds get them right, at most 20, largest first.
    pub contested: Vec<Contested>,
}

/// A picture that tells two variants apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Contested {
    /// Its index in the test set, from 0.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// How many seeds get it right with the baseline.
    pub baseline_right: usize,
    /// How many seeds get it right with the variant.
    pub variant_right: usize,
    /// What the side that gets it wrong more often takes it for most often.
    pub taken_for: usize,
}

/// One comparison per variant whose predicted classes were stored.
pub(super) fn compare(study: &StudyRecord, main: &[Vec<&StudyTrial>]) -> Vec<PictureComparison> {
    let Some((baseline, others)) = main.split_first() else { return Vec::new() };
    let usable = |trial: &&&StudyTrial| trial.predicted.len() == study.test_labels.len();
    let of_seed: HashMap<u64, &[u8]> =
        baseline.iter().filter(usable).map(|trial| (trial.seed, trial.predicted.as_slice())).collect();
    let pairs_of = |trials: &Vec<&StudyTrial>| -> Vec<(Vec<u8>, Vec<u8>)> {
        let pair = |trial: &&StudyTrial| Some((of_seed.get(&trial.seed)?.to_vec(), trial.predicted.clone()));
        trials.iter().filter(usable).filter_map(pair).collect()
    };
    let compared = others
        .iter()
        .enumerate()
        .map(|(index, trials)| PictureComparison::of(index + 1, &study.test_labels, &pairs_of(trials)));
    if study.test_labels.is_empty() { Vec::new() } else { compared.flatten().collect() }
}

impl PictureComparison {
    /// `pairs` holds, for each seed, the classes the baseline and the variant gave every picture.
    fn of(variant: usize, labels: &[u8], pairs: &[(Vec<u8>, Vec<u8>)]) -> Option<Self> {
        let seeds = pairs.len();
        if seeds == 0 {
            return None;
        }
        let mut right = vec![[0u32; 2]; labels.len()];
        let mut by_seed = Vec::new();
        for (baseline, trial) in pairs {
            let mut only = [0usize; 2];
            for (((label, right), a), b) in labels.iter().zip(&mut right).zip(baseline).zip(trial) {
                let (a, b) = (a == label, b == label);
                right[0] += u32::from(a);
                right[1] += u32::from(b);
                only[0] += usize::from(a && !b);
                only[1] += usize::from(b && !a);
            }
            by_seed.push(McNemar::of(only[0], only[1]));
        }
        let known = |count: u32| 2 * count as usize > seeds;
        let only = |this: usize, other: usize| {
            right.iter().filter(|right| known(right[this]) && !known(right[other])).count()
        };
        let majority = McNemar::of(only(0, 1), only(1, 0));
        let mut order: Vec<usize> = (0..labels.len()).filter(|&i| right[i][0] != right[i][1]).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(right[i][0].abs_diff(right[i][1])), i));
        let contested = order.into_iter().take(CONTESTED).map(|index| {
            let [baseline_right, variant_right] = right[index].map(|count| count as usize);
            let of = |pair: &(Vec<u8>, Vec<u8>)| {
                if variant_right < baseline_right { pair.1[index] } else { pair.0[index] }
            };
            let label = labels[index];
            let taken_for =
                most_frequent(pairs.iter().map(of).filter(|&class| class != label)).unwrap_or(label);
            let (label, taken_for) = (usize::from(label), usize::from(taken_for));
            Contested { index, label, baseline_right, variant_right, taken_for }
        });
        let contested = contested.collect();
        Some(Self { variant, seeds, pictures: labels.len(), majority, by_seed, contested })
    }
}

/// The most frequent class, the smallest of several.
fn most_frequent(classes: impl Iterator<Item = u8>) -> Option<u8> {
    let mut counts = [0usize; 256];
    classes.for_each(|class| counts[usize::from(class)] += 1);
    let (class, count) =
        counts.iter().enumerate().max_by_key(|&(class, count)| (*count, std::cmp::Reverse(class)))?;
    (*count > 0).then_some(class as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::by_variant;
    use crate::record::example::study;

    #[test]
    fn pictures_are_counted_over_seeds() {
        let labels = [0, 1, 2, 3];
        let pairs = [
            (vec![0, 1, 9, 3], vec![0, 7, 2, 3]),
            (vec![0, 1, 8, 3], vec![0, 7, 2, 5]),
            (vec![0, 1, 8, 3], vec![0, 6, 2, 3]),
        ];
        let got = PictureComparison::of(4, &labels, &pairs).unwrap();
        assert_eq!((got.majority.only_first, got.majority.only_second), (1, 1));
        assert_eq!((got.by_seed[1].only_first, got.by_seed[1].only_second), (2, 1));
        let picture = |index, baseline_right, variant_right, taken_for| Contested {
            index,
            label: index,
            baseline_right,
            variant_right,
            taken_for,
        };
        assert_eq!(got.contested, [picture(1, 3, 0, 7), picture(2, 0, 3, 8), picture(3, 3, 2, 5)]);
        assert_eq!(PictureComparison::of(1, &labels, &[]), None);
    }

    #[test]
    fn trials_without_classes_are_left_out() {
        let study = study(4);
        let got = compare(&study, &by_variant(&study));
        assert_eq!(got.iter().map(|of| of.variant).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((got[0].seeds, got[3].seeds), (4, 3));
        let none = StudyRecord { test_labels: Vec::new(), ..study.clone() };
        assert!(compare(&none, &by_variant(&none)).is_empty());
    }
}
