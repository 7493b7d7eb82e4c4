//! Designs: which combinations of levels are run.
//!
//! Every design gives lists of level numbers, one per factor. The baseline is not among what a design gives: it is
//! always run.

use super::fraction;
use crate::error::LabError;
use crate::record::Design;
use seedbed_nn::random::{Purpose, Seed, Stream, Streams};
use std::collections::HashSet;

/// The most variants a study may have.
pub const MAX_VARIANTS: usize = 10_000;

/// What a design has to choose from: how many levels each factor has, and which is the baseline's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid<'a> {
    pub(super) counts: &'a [usize],
    pub(super) baseline: &'a [usize],
}

impl Grid<'_> {
    /// How many combinations there are; `None` if more than a number can hold.
    fn size(&self) -> Option<usize> {
        self.counts.iter().try_fold(1_usize, |size, &count| size.checked_mul(count))
    }

    /// The combination with this number, the last factor fastest.
    pub(super) fn cell(&self, mut number: usize) -> Vec<usize> {
        let mut levels: Vec<usize> = self
            .counts
            .iter()
            .rev()
            .map(|&count| {
                let level = number % count;
                number /= count;
                level
            })
            .collect();
        levels.reverse();
        levels
    }

    /// Refuses a grid that is too large to be run, with its size.
    fn bounded(&self) -> Result<usize, LabError> {
        match self.size() {
            Some(size) if size <= MAX_VARIANTS => Ok(size),
            size => {
                let size = size.map_or("more than 10^19".to_owned(), |size| size.to_string());
                let counts: Vec<String> = self.counts.iter().map(usize::to_string).collect();
                Err(LabError::Study(format!(
                    "the grid of {} levels has {size} cells; at most {MAX_VARIANTS} can be run. Take fewer levels, or \
                     design = \"fractional\", \"random\" or \"quasi-random\"",
                    counts.join(" × ")
                )))
            }
        }
    }
}

/// The combinations of a design of levels, baseline left out.
///
/// # Errors
/// [`LabError::Study`] for a design that is too large, or for more samples than there are combinations.
pub(super) fn combinations(
    design: Design,
    grid: Grid<'_>,
    samples: Option<usize>,
) -> Result<Vec<Vec<usize>>, LabError> {
    let others = |cells: Vec<Vec<usize>>| cells.into_iter().filter(|cell| cell != grid.baseline).collect();
    match (design, samples) {
        (Design::OneAtATime | Design::Grid, Some(_)) => Err(LabError::Study(
            "samples: this design has none; leave it out, or take design = \"random\"".into(),
        )),
        (Design::OneAtATime, None) => one_at_a_time(grid),
        (Design::Grid, None) => Ok(others((0..grid.bounded()?).map(|number| grid.cell(number)).collect())),
        (Design::Fractional, samples) => Ok(others(fraction::choose(grid, samples)?)),
        (Design::Random | Design::QuasiRandom, None) => Err(LabError::Study(
            "samples: expected a number of variants to draw, as in `samples = 50`".into(),
        )),
        (Design::Random | Design::QuasiRandom, Some(samples)) => drawn(design, grid, samples),
    }
}

fn one_at_a_time(grid: Grid<'_>) -> Result<Vec<Vec<usize>>, LabError> {
    let mut variants = Vec::new();
    for (factor, &count) in grid.counts.iter().enumerate() {
        for level in (0..count).filter(|&level| level != grid.baseline[factor]) {
            let mut levels = grid.baseline.to_vec();
            levels[factor] = level;
            variants.push(levels);
        }
    }
    if variants.len() < MAX_VARIANTS { Ok(variants) } else { Err(too_many(variants.len() + 1)) }
}

/// Refuses a number of variants.
pub(super) fn too_many(received: usize) -> LabError {
    LabError::Study(format!("samples: expected 1 to {} variants, received {received}", MAX_VARIANTS - 1))
}

/// Different combinations, drawn until there are enough of them.
fn drawn(design: Design, grid: Grid<'_>, samples: usize) -> Result<Vec<Vec<usize>>, LabError> {
    if !(1..MAX_VARIANTS).contains(&samples) {
        return Err(too_many(samples));
    }
    // The baseline is one of the combinations and is run anyway.
    if let Some(size) = grid.size().filter(|&size| samples >= size) {
        return Err(LabError::Study(format!(
            "samples: expected at most {} (there are {size} combinations, the baseline among them), received {samples}; \
             design = \"grid\" runs them all",
            size - 1
        )));
    }
    let mut seen = HashSet::from([grid.baseline.to_vec()]);
    let mut cells = Vec::with_capacity(samples);
    for point in points(design, grid.counts.len()) {
        let level = |(&count, u): (&usize, f64)| ((u * count as f64) as usize).min(count - 1);
        let cell: Vec<usize> = grid.counts.iter().zip(point).map(level).collect();
        if seen.insert(cell.clone()) {
            cells.push(cell);
        }
        if cells.len() == samples {
            break;
        }
    }
    Ok(cells)
}

/// Points of the unit cube without end: independent, or Halton's, scrambled.
pub(super) fn points(design: Design, dimensions: usize) -> Box<dyn Iterator<Item = Vec<f64>>> {
    let stream = Streams::new(Seed(0)).open(Purpose::Split, "design", 0);
    match design {
        Design::QuasiRandom => Box::new(halton(dimensions, stream)),
        _ => Box::new(independent(dimensions, stream)),
    }
}

fn independent(dimensions: usize, mut stream: Stream) -> impl Iterator<Item = Vec<f64>> {
    std::iter::repeat_with(move || (0..dimensions).map(|_| f64::from(stream.uniform())).collect())
}

/// Halton's sequence: coordinate d of point n is n's digits in the d-th prime, mirrored at the point. Each digit's
/// place has its own random permutation, without which higher primes walk in step.
///
/// Sources: Halton, "On the efficiency of certain quasi-random sequences" (Numerische Mathematik 2, 1960); Owen, "A
/// randomized Halton algorithm in R" (2017).
fn halton(dimensions: usize, mut stream: Stream) -> impl Iterator<Item = Vec<f64>> {
    let primes = (2_usize..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let scrambled: Vec<(usize, Vec<Vec<usize>>)> = primes
        .take(dimensions)
        .map(|base| {
            // Beyond 24 binary digits' worth nothing is to be seen.
            let places = (24.0 / (base as f64).log2()).ceil() as usize;
            let mut place = || {
                let mut digits: Vec<usize> = (0..base).collect();
                stream.shuffle(&mut digits);
                digits
            };
            (base, (0..places).map(|_| place()).collect())
        })
        .collect();
    (0_usize..).map(move |number| {
        let coordinate = |(base, places): &(usize, Vec<Vec<usize>>)| {
            let (mut left, mut share, mut at) = (number, 1.0, 0.0);
            for digits in places {
                share /= *base as f64;
                at += share * digits[left % base] as f64;
                left /= base;
            }
            at
        };
        scrambled.iter().map(coordinate).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(design: Design, counts: &[usize], samples: Option<usize>) -> Result<Vec<Vec<usize>>, String> {
        let baseline = vec![0; counts.len()];
        combinations(design, Grid { counts, baseline: &baseline }, samples).map_err(|error| error.to_string())
    }

    #[test]
    fn one_at_a_time_changes_one_factor() {
        let grid = Grid { counts: &[3, 2], baseline: &[1, 0] };
        let cells = combinations(Design::OneAtATime, grid, None).unwrap();
        assert_eq!(cells, [[0, 0], [2, 0], [1, 1]]);
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let mut cells = cells(Design::Grid, &[2, 3, 2], None).unwrap();
        assert_eq!((cells.len(), &cells[0], cells.last().unwrap()), (11, &vec![0, 0, 1], &vec![1, 2, 1]));
        cells.sort();
        cells.dedup();
        assert_eq!(cells.len(), 11);
    }

    #[test]
    fn too_much_is_refused_with_its_size_before_any_work() {
        let error = cells(Design::Grid, &[1000; 3], None).unwrap_err();
        assert!(
            error.contains("the grid of 1000 × 1000 × 1000 levels has 1000000000 cells; at most 10000"),
            "{error}"
        );
        assert!(cells(Design::Grid, &[1000; 30], None).unwrap_err().contains("more than 10^19 cells"));
        for (design, samples, expected) in [
            (Design::Random, Some(6), "expected at most 5 (there are 6 combinations"),
            (Design::Random, Some(0), "expected 1 to 9999 variants, received 0"),
            (Design::QuasiRandom, None, "as in `samples = 50`"),
            (Design::Grid, Some(3), "this design has none"),
        ] {
            let error = cells(design, &[2, 3], samples).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn draws_differ_and_are_the_same_every_time() {
        for design in [Design::Random, Design::QuasiRandom] {
            let some = cells(design, &[3, 3, 4], Some(20)).unwrap();
            let different: HashSet<_> = some.iter().collect();
            assert_eq!((some.len(), different.len()), (20, 20));
            assert_eq!(some, cells(design, &[3, 3, 4], Some(20)).unwrap());
            // More samples keep the first ones: their trials are not run again.
            assert_eq!(some[..], cells(design, &[3, 3, 4], Some(30)).unwrap()[..20]);
        }
    }

    /// Each coordinate of the first bᵏ points falls once into each of bᵏ equal parts: what makes Halton's sequence
    /// even.
    #[test]
    fn halton_leaves_no_part_empty() {
        for (dimension, base) in [(0, 2_usize), (1, 3), (2, 5), (3, 7)] {
            let parts = base * base;
            let mut seen = vec![0; parts];
            for point in points(Design::QuasiRandom, 4).take(parts) {
                seen[(point[dimension] * parts as f64 + 1e-6) as usize] += 1;
            }
            assert!(seen.iter().all(|&count| count == 1), "base {base}: {seen:?}");
        }
        // The mean of x·y over the unit square is 1/4; independent draws would be off by about 0.007.
        let mean = points(Design::QuasiRandom, 2).take(1000).map(|p| p[0] * p[1]).sum::<f64>() / 1000.0;
        assert!((mean - 0.25).abs() < 0.003, "{mean}");
    }
}
