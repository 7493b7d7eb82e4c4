//! A fraction of a grid from which every main effect can be told apart.
//!
//! The model is a constant and one contrast per level beyond the first (effects coded: level, last level −1). Its
//! estimates are sharpest together where det(XᵀX) is largest. The fraction is found by coordinate exchange: from random
//! cells, each cell's level of each factor is changed as long as the determinant grows; the best of several starts is
//! kept. The baseline's cell is always in. Where an orthogonal array of that size exists (eight runs for seven factors
//! of two levels, nine for four of three), it is the optimum.
//!
//! Source: Meyer and Nachtsheim, "The coordinate-exchange algorithm for constructing exact optimal experimental
//! designs" (Technometrics 37, 1995).

use super::design::{Grid, MAX_VARIANTS, too_many};
use crate::error::LabError;
use seedbed_nn::random::{Purpose, Seed, Stream, Streams};
use std::collections::HashSet;

/// How many random starts are tried for a small fraction; a large one has fewer.
const STARTS: usize = 30;

/// How often all coordinates are gone through from one start, at most.
const PASSES: usize = 50;

/// The most contrasts: beyond, the search would take minutes.
const MAX_CONTRASTS: usize = 64;

/// The cells of the fraction, the baseline's first. Without `samples` it has the smallest multiple of all level counts
/// that can tell the effects apart: then each level of a factor can be equally frequent.
///
/// # Errors
/// [`LabError::Study`] for fewer samples than effects, or more than cells.
pub(super) fn choose(grid: Grid<'_>, samples: Option<usize>) -> Result<Vec<Vec<usize>>, LabError> {
    let contrasts = 1 + grid.counts.iter().map(|count| count - 1).sum::<usize>();
    let cells =
        grid.counts.iter().try_fold(1_usize, |size, &count| size.checked_mul(count)).unwrap_or(usize::MAX);
    if contrasts > MAX_CONTRASTS {
        return Err(LabError::Study(format!(
            "a fractional design can tell at most {MAX_CONTRASTS} effects apart; these factors have {contrasts}. Take fewer levels"
        )));
    }
    let common = grid.counts.iter().fold(1, |common, &count| common / gcd(common, count) * count);
    let runs = samples.unwrap_or_else(|| (contrasts.div_ceil(common) * common).min(cells));
    if runs < contrasts || runs > cells {
        return Err(LabError::Study(format!(
            "samples: expected {contrasts} (one for each effect and the baseline) to {cells} (all cells), received {runs}"
        )));
    }
    if runs > MAX_VARIANTS {
        return Err(too_many(runs));
    }
    if runs == cells {
        return Ok((0..cells).map(|number| grid.cell(number)).collect());
    }
    let starts = (STARTS * 100 / (contrasts * runs)).clamp(2, STARTS) as u64;
    let best = (0..starts).map(|start| exchange(grid, runs, start)).max_by(|a, b| a.0.total_cmp(&b.0));
    let cells = best.map(|(_, cells)| cells).unwrap_or_default();
    let mut seen = HashSet::new();
    Ok(cells.into_iter().filter(|cell| seen.insert(cell.clone())).collect())
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One search: the logarithm of the determinant it reached, and the cells.
fn exchange(grid: Grid<'_>, runs: usize, start: u64) -> (f64, Vec<Vec<usize>>) {
    let mut stream = Streams::new(Seed(0)).open(Purpose::Split, "fraction", start);
    let mut cells = vec![grid.baseline.to_vec()];
    cells.extend((1..runs).map(|_| random_cell(grid, &mut stream)));
    let mut best = log_determinant(grid, &cells);
    for _ in 0..PASSES {
        let before = best;
        for run in 1..runs {
            for factor in 0..grid.counts.len() {
                best = best_level(grid, &mut cells, run, factor, best);
            }
        }
        // A sum that was singular may only become regular after several changes.
        if best <= before + 1e-9 && best.is_finite() {
            break;
        }
    }
    (best, cells)
}

fn random_cell(grid: Grid<'_>, stream: &mut Stream) -> Vec<usize> {
    grid.counts.iter().map(|&count| stream.below(count as u32) as usize).collect()
}

/// Gives one coordinate the level that makes the determinant largest, and returns that.
fn best_level(grid: Grid<'_>, cells: &mut [Vec<usize>], run: usize, factor: usize, now: f64) -> f64 {
    let (mut best, mut kept) = (now, cells[run][factor]);
    for level in 0..grid.counts[factor] {
        cells[run][factor] = level;
        let reached = log_determinant(grid, cells);
        if reached > best + 1e-9 {
            (best, kept) = (reached, level);
        }
    }
    cells[run][factor] = kept;
    best
}

/// ln det(XᵀX + 10⁻⁶·I), by Cholesky. The small ridge gives singular designs an order, so that a search can leave them.
fn log_determinant(grid: Grid<'_>, cells: &[Vec<usize>]) -> f64 {
    let rows: Vec<Vec<f64>> = cells.iter().map(|cell| contrasts(grid, cell)).collect();
    let size = rows.first().map_or(0, Vec::len);
    let mut matrix = vec![vec![0.0; size]; size];
    for (i, line) in matrix.iter_mut().enumerate() {
        for (j, sum) in line.iter_mut().enumerate().take(i + 1) {
            *sum = rows.iter().map(|row| row[i] * row[j]).sum::<f64>() + if i == j { 1e-6 } else { 0.0 };
        }
    }
    let mut log = 0.0;
    for i in 0..size {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - inner;
            matrix[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / matrix[j][j] };
        }
        log += 2.0 * matrix[i][i].ln();
    }
    log
}

/// A cell's row of X.
fn contrasts(grid: Grid<'_>, cell: &[usize]) -> Vec<f64> {
    let mut row = vec![1.0];
    for (&count, &level) in grid.counts.iter().zip(cell) {
        row.extend((0..count - 1).map(|contrast| match level {
            level if level == contrast => 1.0,
            level if level == count - 1 => -1.0,
            _ => 0.0,
        }));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(counts: &[usize], samples: Option<usize>) -> Result<Vec<Vec<usize>>, String> {
        let baseline = vec![0; counts.len()];
        choose(Grid { counts, baseline: &baseline }, samples).map_err(|error| error.to_string())
    }

    /// Every pair of levels of every pair of factors is equally frequent: an orthogonal array of strength 2.
    fn orthogonal(cells: &[Vec<usize>], counts: &[usize]) -> bool {
        (0..counts.len()).all(|a| {
            (0..a).all(|b| {
                let share = cells.len() / (counts[a] * counts[b]);
                (0..counts[a] * counts[b]).all(|pair| {
                    let [x, y] = [pair / counts[b], pair % counts[b]];
                    cells.iter().filter(|cell| cell[a] == x && cell[b] == y).count() == share
                })
            })
        })
    }

    #[test]
    fn known_orthogonal_arrays_are_found() {
        for (counts, runs) in [(vec![2; 3], 4), (vec![2; 7], 8), (vec![3; 4], 9), (vec![2, 2], 4)] {
            let cells = fraction(&counts, None).unwrap();
            assert_eq!((cells.len(), &cells[0]), (runs, &vec![0; counts.len()]));
            assert!(orthogonal(&cells, &counts), "{cells:?}");
        }
        assert!(orthogonal(&fraction(&[2, 3, 3], Some(18)).unwrap(), &[2, 3, 3]), "the whole grid");
    }

    #[test]
    fn every_effect_can_be_told_apart_in_mixed_designs() {
        for counts in [vec![2, 3, 4], vec![5, 2, 2, 3], vec![3, 3, 2, 2, 4]] {
            let baseline = vec![0; counts.len()];
            let grid = Grid { counts: &counts, baseline: &baseline };
            let cells = fraction(&counts, None).unwrap();
            // A singular design has a determinant near the ridge: 10⁻⁶.
            assert!(log_determinant(grid, &cells) > 0.0, "{counts:?}: {cells:?}");
            assert!(cells.len() < counts.iter().product::<usize>());
        }
    }

    #[test]
    fn too_few_too_many_and_too_large_are_refused() {
        assert!(
            fraction(&[3; 4], Some(8))
                .unwrap_err()
                .contains("expected 9 (one for each effect and the baseline) to 81")
        );
        assert!(fraction(&[2; 2], Some(5)).unwrap_err().contains("to 4 (all cells), received 5"));
        assert!(
            fraction(&[100; 9], None)
                .unwrap_err()
                .contains("at most 64 effects apart; these factors have 892")
        );
    }
}
