//! Analysis of variance: which factors, and which pairs of them, make how much of the spread.
//!
//! Every term is judged by what it adds to all terms that do not hold it (type II sums of squares, which need no
//! balance): SS = RSS(without) − RSS(with), F = (SS / df) / (RSS / df of the whole model), share η² = SS / SS of all,
//! and ω² = (SS − df·MS) / (SS of all + MS), which takes off what chance alone would explain (MS: the residual mean
//! square). R. A. Fisher, "Statistical methods for research workers" (1925); F. Yates, "The analysis of multiple
//! classifications with unequal numbers" (Journal of the American Statistical Association 29, 1934).
//!
//! RSS comes from eliminating a term's columns from the normal equations, whose entries are counts and therefore exact.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// More columns than this are not solved for: a model of so many levels says nothing a person can read.
const MOST_COLUMNS: usize = 500;

/// A pivot that elimination has worn down to this share of itself belongs to a column that others already explain.
const DEPENDENT: f64 = 1e-9;

/// What is taken apart: one level per observation for every factor.
#[derive(Clone, Copy, Debug)]
pub struct Classification<'a> {
    /// Each factor's level of every observation.
    pub factors: &'a [Vec<usize>],
    /// What observations have in common beside the factors, as the seed: its spread is told apart and not judged.
    pub block: Option<&'a [usize]>,
    /// Whether pairs of factors are looked at too.
    pub pairs: bool,
}

/// Where the spread comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Anova {
    /// The factors in their order, then the pairs.
    pub terms: Vec<Term>,
    /// The block, where there is one.
    pub block: Option<Term>,
    /// The sum of squares that nothing explains.
    pub residual_squares: f64,
    /// Its degrees of freedom.
    pub residual_freedom: usize,
    /// The sum of squares around the mean of all.
    pub total_squares: f64,
}

/// One factor or pair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// Which factors: one or two.
    pub factors: Vec<usize>,
    /// The sum of squares it adds.
    pub squares: f64,
    /// Its degrees of freedom; 0 where the design cannot tell it from other terms.
    pub freedom: usize,
    /// F and its p-value; `None` without degrees of freedom left to judge by.
    pub test: Option<(f64, f64)>,
    /// η²: the share of all spread, 0 to 1. In an unbalanced design the shares need not add up to 1.
    pub share: f64,
    /// ω²: the share less what chance would give it; may be a little below 0.
    pub omega_squared: f64,
}

/// Takes the spread of `values` apart; `None` for fewer than three values, values that are all alike or not finite,
/// and classifications of another length.
///
/// ```
/// use seedbed_lab::statistics::anova::{Classification, of};
///
/// let dropout = vec![vec![0, 0, 0, 1, 1, 1]];
/// let anova = of(&[97.0, 97.2, 97.1, 98.0, 98.1, 98.2], Classification { factors: &dropout, block: None, pairs: false });
/// assert!(anova.expect("six values").terms[0].share > 0.95);
/// ```
pub fn of(values: &[f64], by: Classification<'_>) -> Option<Anova> {
    let count = values.len();
    let lengths = by.factors.iter().map(Vec::len).chain(by.block.map(<[usize]>::len));
    if count < 3 || values.iter().any(|value| !value.is_finite()) || lengths.into_iter().any(|n| n != count) {
        return None;
    }
    let model = Model::new(values, by)?;
    let total = model.equations.squares();
    if total <= 0.0 {
        return None;
    }
    let mut whole = model.equations.clone();
    let rank: usize = model.columns.iter().map(|columns| whole.eliminate(columns.clone())).sum();
    let residual =
        Residual { squares: whole.squares().max(0.0), freedom: (count - 1).saturating_sub(rank), total };
    let mut terms: Vec<Term> = (0..model.terms.len()).map(|index| model.term(index, residual)).collect();
    let block = by.block.map(|_| terms.remove(0));
    Some(Anova {
        terms,
        block,
        residual_squares: residual.squares,
        residual_freedom: residual.freedom,
        total_squares: total,
    })
}

#[derive(Clone, Copy)]
struct Residual {
    squares: f64,
    freedom: usize,
    total: f64,
}

/// The normal equations with the columns of every term.
struct Model {
    /// The factors of each term; the block's stand first and are none.
    terms: Vec<Vec<usize>>,
    columns: Vec<std::ops::Range<usize>>,
    equations: Equations,
}

impl Model {
    fn new(values: &[f64], by: Classification<'_>) -> Option<Self> {
        let codes: Vec<Coded> = by.factors.iter().map(|levels| Coded::of(levels)).collect();
        let mut terms: Vec<(Vec<usize>, Coded)> = Vec::new();
        terms.extend(by.block.map(|block| (Vec::new(), Coded::of(block))));
        terms.extend(codes.iter().enumerate().map(|(factor, code)| (vec![factor], code.clone())));
        if by.pairs {
            for (a, first) in codes.iter().enumerate() {
                for (b, second) in codes.iter().enumerate().skip(a + 1) {
                    terms.push((vec![a, b], first.crossed(second)));
                }
            }
        }
        let mut width = 1;
        let mut columns = Vec::new();
        for (_, code) in &terms {
            columns.push(width..width + code.count);
            width += code.count;
        }
        if width > MOST_COLUMNS {
            return None;
        }
        let equations = Equations::new(values, width, |row| {
            let ones = terms.iter().zip(&columns).map(|((_, code), columns)| columns.start + code.of[row]);
            std::iter::once(0).chain(ones).collect()
        });
        Some(Self { terms: terms.into_iter().map(|(factors, _)| factors).collect(), columns, equations })
    }

    /// What a term adds to all terms that do not hold it.
    fn term(&self, index: usize, residual: Residual) -> Term {
        let factors = &self.terms[index];
        let holds =
            |other: &Vec<usize>| !factors.is_empty() && factors.iter().all(|factor| other.contains(factor));
        let mut equations = self.equations.clone();
        for (i, other) in self.terms.iter().enumerate() {
            if i != index && !holds(other) {
                equations.eliminate(self.columns[i].clone());
            }
        }
        let before = equations.squares();
        let freedom = equations.eliminate(self.columns[index].clone());
        let squares = (before - equations.squares()).max(0.0);
        let mean_square = residual.squares / residual.freedom as f64;
        let judged = freedom > 0 && residual.freedom > 0;
        let test = judged.then(|| f_test(squares / freedom as f64, mean_square, freedom, residual.freedom));
        let chance = if residual.freedom > 0 { mean_square } else { 0.0 };
        Term {
            factors: factors.clone(),
            squares,
            freedom,
            test: test.flatten(),
            share: squares / residual.total,
            omega_squared: (squares - freedom as f64 * chance) / (residual.total + chance),
        }
    }
}

fn f_test(mean_square: f64, residual: f64, freedom: usize, residual_freedom: usize) -> Option<(f64, f64)> {
    if residual <= 0.0 {
        return Some(if mean_square > 0.0 { (f64::INFINITY, 0.0) } else { (0.0, 1.0) });
    }
    let f = mean_square / residual;
    let distribution = FisherSnedecor::new(freedom as f64, residual_freedom as f64).ok()?;
    Some((f, distribution.sf(f)))
}

/// Levels renumbered from 0 without gaps.
#[derive(Clone)]
struct Coded {
    of: Vec<usize>,
    count: usize,
}

impl Coded {
    fn of(levels: &[usize]) -> Self {
        let mut known: Vec<usize> = levels.to_vec();
        known.sort_unstable();
        known.dedup();
        let of = levels.iter().map(|level| known.partition_point(|other| other < level)).collect();
        Self { of, count: known.len() }
    }

    fn crossed(&self, other: &Self) -> Self {
        let pairs: Vec<usize> = self.of.iter().zip(&other.of).map(|(a, b)| a * other.count + b).collect();
        Self::of(&pairs)
    }
}

/// XᵀX with the centred values as its last column, eliminated step by step.
#[derive(Clone)]
struct Equations {
    /// Row by row, symmetric.
    entries: Vec<f64>,
    width: usize,
    /// The diagonal before any elimination.
    first: Vec<f64>,
}

impl Equations {
    /// `ones` gives the columns in which an observation has a 1; column 0 is the mean, and is eliminated at once.
    fn new(values: &[f64], columns: usize, ones: impl Fn(usize) -> Vec<usize>) -> Self {
        let width = columns + 1;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let mut entries = vec![0.0; width * width];
        for (row, value) in values.iter().enumerate() {
            let ones = ones(row);
            let centred = value - mean;
            for &a in &ones {
                ones.iter().for_each(|&b| entries[a * width + b] += 1.0);
                entries[a * width + columns] += centred;
                entries[columns * width + a] += centred;
            }
            entries[columns * width + columns] += centred * centred;
        }
        let first = (0..width).map(|i| entries[i * width + i]).collect();
        let mut equations = Self { entries, width, first };
        equations.eliminate(0..1);
        equations
    }

    /// The sum of squares that the eliminated columns do not explain.
    fn squares(&self) -> f64 {
        self.entries.last().copied().unwrap_or(0.0)
    }

    /// Eliminates these columns; how many of them were new.
    fn eliminate(&mut self, columns: std::ops::Range<usize>) -> usize {
        columns.filter(|&column| self.eliminate_one(column)).count()
    }

    fn eliminate_one(&mut self, column: usize) -> bool {
        let width = self.width;
        let pivot = self.entries[column * width + column];
        if pivot <= DEPENDENT * self.first[column] {
            return false;
        }
        let row: Vec<f64> = self.entries[column * width..(column + 1) * width].to_vec();
        for (i, entries) in self.entries.chunks_exact_mut(width).enumerate() {
            let factor = row[i] / pivot;
            if factor != 0.0 {
                entries.iter_mut().zip(&row).for_each(|(entry, other)| *entry -= factor * other);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_statsmodels() {
        for case in fixture().anova {
            let by =
                Classification { factors: &case.factors, block: case.block.as_deref(), pairs: case.pairs };
            let anova = of(&case.values, by).unwrap();
            let terms: Vec<&Term> = anova.block.iter().chain(&anova.terms).collect();
            assert_eq!(terms.len(), case.terms.len(), "{}", case.name);
            for (got, expected) in terms.into_iter().zip(&case.terms) {
                let (f, p) = got.test.unwrap();
                assert_close(got.squares, expected.squares, 1e-8, &case.name);
                assert_close(got.freedom as f64, expected.freedom, 1e-12, &case.name);
                assert_close(f, expected.f, 1e-8, &case.name);
                assert_close(p, expected.p, 1e-7, &case.name);
            }
            assert_close(anova.residual_squares, case.residual_squares, 1e-8, &case.name);
            assert_close(anova.residual_freedom as f64, case.residual_freedom, 1e-12, &case.name);
        }
    }

    #[test]
    fn shares_of_a_balanced_grid_add_up() {
        let case = &fixture().anova[1];
        let by = Classification { factors: &case.factors, block: None, pairs: true };
        let anova = of(&case.values, by).unwrap();
        let shares: f64 = anova.terms.iter().map(|term| term.share).sum();
        assert_close(shares + anova.residual_squares / anova.total_squares, 1.0, 1e-10, "shares");
        assert!(anova.terms.iter().all(|term| term.omega_squared < term.share));
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_judged() {
        let same = vec![vec![0, 0, 1, 1, 2, 2], vec![5, 5, 7, 7, 9, 9]];
        let values = [1.0, 1.1, 2.0, 2.2, 3.0, 2.9];
        let anova = of(&values, Classification { factors: &same, block: None, pairs: false }).unwrap();
        assert!(anova.terms.iter().all(|term| term.freedom == 0 && term.test.is_none()), "{anova:?}");
        let each = vec![vec![0, 1, 2, 3, 4, 5]];
        let anova = of(&values, Classification { factors: &each, block: None, pairs: false }).unwrap();
        assert_eq!((anova.residual_freedom, anova.terms[0].test), (0, None));
        let none = Classification { factors: &[], block: None, pairs: false };
        assert_eq!(of(&[1.0; 6], none), None);
        assert_eq!(of(&[1.0, f64::NAN, 2.0], none), None);
        let wide = vec![(0..600).collect::<Vec<_>>()];
        let values: Vec<f64> = (0..600).map(f64::from).collect();
        assert_eq!(of(&values, Classification { factors: &wide, block: None, pairs: false }), None);
    }
}
