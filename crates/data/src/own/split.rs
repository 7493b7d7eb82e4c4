//! Which samples are learned from and which are kept for the test.
//!
//! Stratified: of every class the same share, rounded, at least one sample where the class has two, so that small
//! classes are judged as well. Every class has a random stream of its own, keyed by the seed and its name: another
//! class more or less moves no sample of this one. ChaCha with 8 rounds (D. J. Bernstein, 2008), shuffled after
//! Fisher and Yates in the form of Durstenfeld (1964), numbers below a bound without bias after Lemire (2019).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::error::DataError;

/// Indices of the training and of the test samples. Both are shuffled: files are often sorted by class.
///
/// # Errors
/// [`DataError::Disagree`] where the test set would be empty.
pub(super) fn stratified(
    labels: &[u16],
    class_names: &[String],
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let mut members = vec![Vec::new(); class_names.len()];
    labels.iter().enumerate().for_each(|(index, &label)| members[usize::from(label)].push(index));
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (name, mut members) in class_names.iter().zip(members) {
        shuffle(&mut members, &mut stream(seed, "split", name));
        let judged = members.split_off(members.len() - judged(members.len(), fraction));
        train.extend(members);
        test.extend(judged);
    }
    if test.is_empty() {
        let expected = "classes of at least two samples, one to learn from and one to be judged by";
        return Err(DataError::disagree(
            "split",
            expected,
            format!("{} in {} classes", labels.len(), class_names.len()),
        ));
    }
    shuffle(&mut train, &mut stream(seed, "order", "train"));
    shuffle(&mut test, &mut stream(seed, "order", "test"));
    Ok((train, test))
}

/// A shuffled order of `count` samples, for a part whose file order says nothing.
pub(super) fn order(count: usize, part: &str, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    shuffle(&mut order, &mut stream(seed, "order", part));
    order
}

/// How many of a class's samples are kept for the test.
fn judged(count: usize, fraction: f64) -> usize {
    let rounded = (count as f64 * fraction).round() as usize;
    if count < 2 { 0 } else { rounded.clamp(1, count - 1) }
}

fn stream(seed: u64, purpose: &str, name: &str) -> ChaCha8Rng {
    let key = Sha256::new()
        .chain_update(b"seedbed data\0")
        .chain_update(seed.to_le_bytes())
        .chain_update(purpose)
        .chain_update(b"\0")
        .chain_update(name);
    ChaCha8Rng::from_seed(key.finalize().into())
}

fn shuffle(items: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last as u64 + 1, random) as usize);
    }
}

/// A whole number below `end`, each equally likely.
fn below(end: u64, random: &mut ChaCha8Rng) -> u64 {
    loop {
        let product = u128::from(random.next_u64()) * u128::from(end);
        if product as u64 >= end.wrapping_neg() % end {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| format!("class {class}")).collect()
    }

    #[test]
    fn every_class_gives_its_share_and_every_sample_is_used_once() {
        let counts = [100, 10, 3, 2, 1, 0];
        let labels: Vec<u16> = (0..6u16).flat_map(|class| vec![class; counts[usize::from(class)]]).collect();
        let (train, test) = stratified(&labels, &names(6), 0.2, 7).unwrap();
        let of = |part: &[usize], class: u16| part.iter().filter(|&&index| labels[index] == class).count();
        assert_eq!((0..6).map(|class| of(&test, class)).collect::<Vec<_>>(), [20, 2, 1, 1, 0, 0]);
        let mut all = [train, test].concat();
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, (0..116).collect::<Vec<_>>());
    }

    #[test]
    fn a_class_keeps_its_split_whatever_the_others_are() {
        let of_class_1 = |labels: &[u16], seed| {
            let (_, test) = stratified(labels, &names(3), 0.5, seed).unwrap();
            let first = labels.iter().position(|&label| label == 1).unwrap();
            let mut test: Vec<usize> =
                test.into_iter().filter(|&index| labels[index] == 1).map(|index| index - first).collect();
            test.sort_unstable();
            test
        };
        let few = [vec![0; 4], vec![1; 20]].concat();
        let many = [vec![0; 9], vec![1; 20], vec![2; 5]].concat();
        assert_eq!(of_class_1(&few, 3), of_class_1(&many, 3));
        assert_ne!(of_class_1(&few, 3), of_class_1(&few, 4));
    }

    #[test]
    fn nothing_to_judge_by_is_refused() {
        let error = stratified(&[0, 1], &names(2), 0.5, 0).unwrap_err().to_string();
        assert!(error.starts_with("split: expected classes of at least two samples"), "{error}");
    }

    #[test]
    fn orders_are_uniform() {
        let mut seen = std::collections::HashMap::new();
        for seed in 0..6000 {
            *seen.entry(order(3, "train", seed)).or_insert(0) += 1;
        }
        // Six orders, 1000 times each, standard deviation 29.
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|times| (850..1150).contains(times)), "{seen:?}");
    }

    #[test]
    fn orders_never_change() {
        assert_eq!(order(8, "train", 1), [0, 1, 6, 3, 7, 2, 5, 4]);
        assert_eq!(order(20, "test", (1 << 63) + 5), GOLDEN);
    }

    /// From `tests/fixtures/make_split.py`, which has ChaCha8 written down independently.
    const GOLDEN: [usize; 20] = [1, 17, 15, 5, 9, 6, 18, 13, 3, 16, 8, 7, 11, 19, 10, 2, 12, 4, 14, 0];
}
