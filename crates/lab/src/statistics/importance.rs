//! Which factors matter when everything varied at once: functional analysis of variance of a random forest.
//!
//! A forest learns the outcome from the factors' levels. Each of its trees cuts the space of all combinations into
//! boxes with one value each, so the mean over all other factors is a sum over boxes and needs no sampling: with
//! m the mean of everything, mᵤ(i) the mean where factor u has level i and mᵤᵥ(i, j) that of a pair of levels, factor u explains
//! E[(mᵤ − m)²] of the variance and the pair beyond its parts E[(mᵤᵥ − mᵤ − mᵥ + m)²]. Shares of the
//! tree's variance are averaged over the trees. F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing
//! hyperparameter importance" (ICML 2014); L. Breiman, "Random forests" (Machine Learning 45, 2001).
//!
//! Levels count the same wherever the study drew its samples. What the forest cannot predict for observations it did not learn
//! from ([`Importance::predicted`]) is noise or lies between its boxes, and shares say nothing about it.

use super::draw::Draws;
use serde::Serialize;

/// Trees in the forest.
const TREES: usize = 96;

/// A box is not cut below this many observations on either side.
const LEAST: usize = 2;

/// The most levels a factor can have: a box keeps them as the bits of one word.
pub const MOST_LEVELS: usize = 64;

/// The fewest observations a forest is grown from.
pub const FEWEST: usize = 12;

/// What is known of a factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// How many levels it has, 1 to [`MOST_LEVELS`].
    pub levels: usize,
    /// Whether neighbouring levels resemble each other, as numbers do and names do not.
    pub ordered: bool,
    /// The level of every observation, from 0.
    pub of: Vec<usize>,
}

/// What each factor explains.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The share of the forest's variance that each factor explains alone, 0 to 1.
    pub single: Vec<f64>,
    /// What pairs explain beyond their parts: both factors and the share, largest first.
    pub pairs: Vec<(usize, usize, f64)>,
    /// The mean outcome at each level of each factor, averaged over all others.
    pub marginals: Vec<Vec<f64>>,
    /// The share of the variance of observations a tree has not seen that the forest predicts (out-of-bag R²); below 0 where
    /// the mean would have done better.
    pub predicted: f64,
}

/// Grows a forest over the observations; the same `seed` gives the same forest.
///
/// `None` for fewer than [`FEWEST`] observations, values that are not finite or all alike, no factor at all, and factors with no
/// or too many levels or with levels they do not have.
pub fn of(values: &[f64], inputs: &[Input], seed: u64) -> Option<Importance> {
    let fits = |input: &Input| {
        (1..=MOST_LEVELS).contains(&input.levels)
            && input.of.len() == values.len()
            && input.of.iter().all(|&level| level < input.levels)
    };
    let usable = values.len() >= FEWEST && !inputs.is_empty() && inputs.iter().all(fits);
    if !usable || values.iter().any(|value| !value.is_finite()) || squares(values) <= 0.0 {
        return None;
    }
    let mut draws = Draws::new(seed);
    let mut unseen = vec![(0.0, 0usize); values.len()];
    let mut sums = Sums::new(inputs);
    for _ in 0..TREES {
        let bag: Vec<usize> = (0..values.len()).map(|_| draws.below(values.len())).collect();
        let tree = Tree::grow(values, inputs, &bag, &mut draws);
        let mut seen = vec![false; values.len()];
        bag.iter().for_each(|&index| seen[index] = true);
        for index in (0..values.len()).filter(|&index| !seen[index]) {
            unseen[index].0 += tree.predict(inputs, index);
            unseen[index].1 += 1;
        }
        sums.add(&tree, inputs);
    }
    Some(sums.finish(predicted(values, &unseen)))
}

fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// Out-of-bag R²: the sum of predictions of every observation by trees that had not seen it, and their number.
fn predicted(values: &[f64], unseen: &[(f64, usize)]) -> f64 {
    let known: Vec<(f64, f64)> = values
        .iter()
        .zip(unseen)
        .filter(|(_, (_, trees))| *trees > 0)
        .map(|(value, (sum, trees))| (*value, sum / *trees as f64))
        .collect();
    let errors: f64 = known.iter().map(|(value, guess)| (value - guess).powi(2)).sum();
    let values: Vec<f64> = known.iter().map(|(value, _)| *value).collect();
    1.0 - errors / squares(&values).max(f64::MIN_POSITIVE)
}

/// A box of combinations: the levels of each factor that lie in it, as bits.
struct Leaf {
    levels: Vec<u64>,
    value: f64,
}

struct Tree {
    leaves: Vec<Leaf>,
}

/// Where a box is cut in two.
struct Cut {
    input: usize,
    below: u64,
    error: f64,
}

impl Tree {
    fn grow(values: &[f64], inputs: &[Input], bag: &[usize], draws: &mut Draws) -> Self {
        let whole: Vec<u64> = inputs.iter().map(|input| u64::MAX >> (64 - input.levels)).collect();
        let mut open = vec![(whole, bag.to_vec())];
        let mut leaves = Vec::new();
        while let Some((levels, members)) = open.pop() {
            // Each cut chooses among two thirds of the factors, so that trees differ.
            let tried: Vec<usize> = (0..inputs.len()).filter(|_| draws.below(3) > 0).collect();
            let cuts = tried.iter().filter_map(|&input| {
                best_cut(values, &inputs[input], levels[input], &members).map(|(below, error)| Cut {
                    input,
                    below,
                    error,
                })
            });
            let before = squares_of(values, &members);
            let cut = cuts.min_by(|a, b| a.error.total_cmp(&b.error)).filter(|cut| cut.error < before);
            let Some(cut) = cut else {
                if tried.len() < inputs.len()
                    && before > 0.0
                    && members.len() >= 2 * LEAST
                    && draws.below(4) > 0
                {
                    open.push((levels, members));
                } else {
                    let sum: f64 = members.iter().map(|&index| values[index]).sum();
                    leaves.push(Leaf { levels, value: sum / members.len() as f64 });
                }
                continue;
            };
            let side = |bits: u64| {
                let mut levels = levels.clone();
                levels[cut.input] &= bits;
                let inside = |&&index: &&usize| bits >> inputs[cut.input].of[index] & 1 == 1;
                (levels, members.iter().filter(inside).copied().collect::<Vec<_>>())
            };
            open.push(side(cut.below));
            open.push(side(!cut.below));
        }
        Self { leaves }
    }

    fn predict(&self, inputs: &[Input], index: usize) -> f64 {
        let holds = |leaf: &&Leaf| {
            leaf.levels.iter().zip(inputs).all(|(levels, input)| levels >> input.of[index] & 1 == 1)
        };
        self.leaves.iter().find(holds).map_or(f64::NAN, |leaf| leaf.value)
    }
}

fn squares_of(values: &[f64], members: &[usize]) -> f64 {
    squares(&members.iter().map(|&index| values[index]).collect::<Vec<_>>())
}

/// The levels on one side of the best cut of a box along one factor, and the squares left on both sides. Names are
/// put in the order of their means first, which holds the best cut for squares (Breiman).
fn best_cut(values: &[f64], input: &Input, levels: u64, members: &[usize]) -> Option<(u64, f64)> {
    let mut sums = vec![(0.0, 0.0, 0usize); input.levels];
    for &index in members {
        let (sum, square, count) = &mut sums[input.of[index]];
        (*sum, *square, *count) = (*sum + values[index], *square + values[index].powi(2), *count + 1);
    }
    let all = sums.iter().fold((0.0, 0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    let mean = |level: usize| {
        let (sum, _, count) = sums[level];
        if count == 0 { all.0 / all.2 as f64 } else { sum / count as f64 }
    };
    let mut order: Vec<usize> = (0..input.levels).filter(|level| levels >> level & 1 == 1).collect();
    if !input.ordered {
        order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
    }
    let error = |(sum, square, count): (f64, f64, usize)| square - sum * sum / count as f64;
    let (mut bits, mut below) = (0u64, (0.0, 0.0, 0usize));
    let mut best: Option<(u64, f64)> = None;
    for &level in order.iter().take(order.len().saturating_sub(1)) {
        bits |= 1 << level;
        below = (below.0 + sums[level].0, below.1 + sums[level].1, below.2 + sums[level].2);
        let above = (all.0 - below.0, all.1 - below.1, all.2 - below.2);
        if below.2 >= LEAST && above.2 >= LEAST {
            let left = error(below) + error(above);
            if best.is_none_or(|(_, least)| left < least) {
                best = Some((bits, left));
            }
        }
    }
    best
}

/// Shares and marginals, summed over trees.
struct Sums {
    single: Vec<f64>,
    pairs: Vec<f64>,
    marginals: Vec<Vec<f64>>,
    trees: usize,
    shared: usize,
}

impl Sums {
    fn new(inputs: &[Input]) -> Self {
        Self {
            single: vec![0.0; inputs.len()],
            pairs: vec![0.0; inputs.len() * inputs.len()],
            marginals: inputs.iter().map(|input| vec![0.0; input.levels]).collect(),
            trees: 0,
            shared: 0,
        }
    }

    fn add(&mut self, tree: &Tree, inputs: &[Input]) {
        // The share of all combinations that a box takes along each factor.
        let part = |leaf: &Leaf, input: usize| {
            f64::from(leaf.levels[input].count_ones()) / inputs[input].levels as f64
        };
        let volume = |leaf: &Leaf, without: &[usize]| -> f64 {
            (0..inputs.len())
                .filter(|input| !without.contains(input))
                .map(|input| part(leaf, input))
                .product()
        };
        let mean: f64 = tree.leaves.iter().map(|leaf| leaf.value * volume(leaf, &[])).sum();
        let variance: f64 =
            tree.leaves.iter().map(|leaf| (leaf.value - mean).powi(2) * volume(leaf, &[])).sum();
        let alone: Vec<Vec<f64>> = (0..inputs.len())
            .map(|input| {
                let mut at = vec![0.0; inputs[input].levels];
                for leaf in &tree.leaves {
                    let weighted = leaf.value * volume(leaf, &[input]);
                    bits(leaf.levels[input]).for_each(|level| at[level] += weighted);
                }
                at
            })
            .collect();
        self.trees += 1;
        for (sum, at) in self.marginals.iter_mut().zip(&alone) {
            sum.iter_mut().zip(at).for_each(|(sum, value)| *sum += value);
        }
        if variance <= 0.0 {
            return;
        }
        self.shared += 1;
        for (share, at) in self.single.iter_mut().zip(&alone) {
            *share += at.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / at.len() as f64 / variance;
        }
        for a in 0..inputs.len() {
            for b in a + 1..inputs.len() {
                let mut together = vec![0.0; inputs[a].levels * inputs[b].levels];
                for leaf in &tree.leaves {
                    let weighted = leaf.value * volume(leaf, &[a, b]);
                    for i in bits(leaf.levels[a]) {
                        bits(leaf.levels[b]).for_each(|j| together[i * inputs[b].levels + j] += weighted);
                    }
                }
                let beyond = together.iter().enumerate().map(|(at, value)| {
                    let (i, j) = (at / inputs[b].levels, at % inputs[b].levels);
                    (value - alone[a][i] - alone[b][j] + mean).powi(2)
                });
                self.pairs[a * inputs.len() + b] += beyond.sum::<f64>() / together.len() as f64 / variance;
            }
        }
    }

    fn finish(self, predicted: f64) -> Importance {
        let shared = self.shared.max(1) as f64;
        let count = self.single.len();
        let mut pairs: Vec<(usize, usize, f64)> = (0..count)
            .flat_map(|a| (a + 1..count).map(move |b| (a, b)))
            .map(|(a, b)| (a, b, self.pairs[a * count + b] / shared))
            .collect();
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mean = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / self.trees.max(1) as f64).collect();
        Importance {
            single: self.single.iter().map(|sum| sum / shared).collect(),
            pairs,
            marginals: self.marginals.into_iter().map(mean).collect(),
            predicted,
        }
    }
}

/// The positions of the bits that are set.
fn bits(word: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |bit| word >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: usize = 6;

    /// Draws of four factors: the first three with numbers from −1 to 1, the last with names.
    fn inputs(count: usize) -> Vec<Input> {
        let mut draws = Draws::new(11);
        let mut input = |ordered| Input {
            levels: LEVELS,
            ordered,
            of: (0..count).map(|_| draws.below(LEVELS)).collect(),
        };
        vec![input(true), input(true), input(true), input(false)]
    }

    fn number(level: usize) -> f64 {
        2.0 * level as f64 / (LEVELS - 1) as f64 - 1.0
    }

    /// y = 3a + b + 2ab + n with names n worth ±1: the parts are uncorrelated, and with v the variance of a number, each
    /// part's share is known: 9v, v, 4v² and 1, of their sum.
    #[test]
    fn shares_are_those_of_a_function_that_is_known() {
        let inputs = inputs(4_000);
        let values: Vec<f64> = (0..4_000)
            .map(|i| {
                let (a, b) = (number(inputs[0].of[i]), number(inputs[1].of[i]));
                3.0 * a + b + 2.0 * a * b + if [0, 3, 4].contains(&inputs[3].of[i]) { 1.0 } else { -1.0 }
            })
            .collect();
        let v = (0..LEVELS).map(|level| number(level).powi(2)).sum::<f64>() / LEVELS as f64;
        let all = 9.0 * v + v + 4.0 * v * v + 1.0;
        let got = of(&values, &inputs, 1).unwrap();
        for (got, expected) in got.single.iter().zip([9.0 * v, v, 0.0, 1.0]) {
            assert!((got - expected / all).abs() < 0.02, "{got} is not {}", expected / all);
        }
        assert_eq!((got.pairs[0].0, got.pairs[0].1), (0, 1));
        assert!((got.pairs[0].2 - 4.0 * v * v / all).abs() < 0.02, "{:?}", got.pairs);
        assert!(got.pairs[1].2 < 0.01 && got.predicted > 0.97, "{got:?}");
        assert!(got.marginals[0].windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(got, of(&values, &inputs, 1).unwrap());
    }

    #[test]
    fn noise_is_not_predicted_and_what_cannot_be_grown_is_refused() {
        let inputs = inputs(200);
        let mut draws = Draws::new(4);
        let noise: Vec<f64> = (0..200).map(|_| draws.uniform()).collect();
        assert!(of(&noise, &inputs, 1).unwrap().predicted < 0.1);
        assert_eq!(of(&[0.5; 200], &inputs, 1), None);
        assert_eq!(of(&noise[..5], &inputs, 1), None);
        assert_eq!(of(&noise, &[], 1), None);
        let wrong = Input { levels: 2, ..inputs[0].clone() };
        assert_eq!(of(&noise, &[wrong], 1), None);
    }
}
