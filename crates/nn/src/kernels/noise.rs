//! Random numbers of a step: masks and normal numbers, each thread those of its own samples.

use super::matrix::Matrix;
use crate::ops::noise::{WORDS_PER_SAMPLE, alpha_dropout};
use crate::random::Stream;
use std::ops::Range;

/// Words drawn at once.
const CHUNK: usize = 256;

/// The 32-bit words below this are dropped: `rate` of all words.
pub(crate) fn threshold(rate: f64) -> u32 {
    (rate * 4_294_967_296.0) as u32
}

/// Fills rows of a mask of 0 and `1/(1 − rate)`, one draw for each of a sample's `channels`.
///
/// # Safety
/// The mask must have the rows, of `width` numbers.
pub(crate) unsafe fn fill_mask(
    stream: &mut Stream,
    (rate, channels): (f64, usize),
    mask: Matrix,
    width: usize,
    rows: Range<usize>,
) {
    let kept = (1.0 / (1.0 - rate)) as f32;
    for row in rows {
        // SAFETY: as the caller promises.
        let (first, repeats) = unsafe { mask.row_mut(row, width) }.split_at_mut(channels);
        draw(stream, rate, row, first.len(), |i, dropped| first[i] = if dropped { 0.0 } else { kept });
        repeats.chunks_mut(channels).for_each(|position| position.copy_from_slice(first));
    }
}

/// Fills rows of AlphaDropout's factor and offset.
///
/// # Safety
/// Both must have the rows, of `width` numbers.
pub(crate) unsafe fn fill_alpha_mask(
    stream: &mut Stream,
    rate: f64,
    (factor, offset): (Matrix, Matrix),
    width: usize,
    rows: Range<usize>,
) {
    let (a, b, replacement) = alpha_dropout(rate);
    for row in rows {
        // SAFETY: as the caller promises.
        let (factor, offset) = unsafe { (factor.row_mut(row, width), offset.row_mut(row, width)) };
        draw(stream, rate, row, width, |i, dropped| {
            (factor[i], offset[i]) = if dropped { (0.0, replacement as f32) } else { (a as f32, b as f32) };
        });
    }
}

/// Whether each of `count` numbers of a row is dropped: number i takes word `row·count + i`.
fn draw(stream: &mut Stream, rate: f64, row: usize, count: usize, mut each: impl FnMut(usize, bool)) {
    let below = threshold(rate);
    let mut words = [0; CHUNK];
    stream.seek((row * count) as u64);
    for first in (0..count).step_by(CHUNK) {
        let words = &mut words[..CHUNK.min(count - first)];
        stream.fill_u32(words);
        for (i, &word) in words.iter().enumerate() {
            each(first + i, word < below);
        }
    }
}

/// Fills rows with `mean + stddev·z`.
///
/// # Safety
/// The matrix must have the rows, of `width` numbers.
pub(crate) unsafe fn fill_normal(
    stream: &mut Stream,
    (mean, stddev): (f64, f64),
    to: Matrix,
    width: usize,
    rows: Range<usize>,
) {
    let (mean, stddev) = (mean as f32, stddev as f32);
    for row in rows {
        stream.seek(row as u64 * WORDS_PER_SAMPLE);
        // SAFETY: as the caller promises.
        for number in unsafe { to.row_mut(row, width) } {
            *number = stream.normal().mul_add(stddev, mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Draws;
    use crate::plan::buffer::Buffer;
    use crate::random::testing::{kolmogorov_smirnov, normal_cdf};
    use crate::random::{Purpose, Seed, Streams};

    const WIDTH: usize = 1000;
    const ROWS: usize = 200;

    fn stream(step: u64) -> Stream {
        let draws = Draws { purpose: Purpose::Dropout, name: "noise".into(), seed: None };
        draws.open(&Streams::new(Seed(3)), step)
    }

    /// Rows of a matrix that `fill` fills in two parts, as two threads do.
    fn filled(step: u64, fill: impl Fn(&mut Stream, Matrix, Range<usize>)) -> Vec<f32> {
        let stride = WIDTH.next_multiple_of(16);
        let mut buffer = Buffer::new(ROWS * stride);
        // SAFETY: the buffer has these rows.
        let matrix = unsafe { Matrix::new(buffer.start(), stride) };
        fill(&mut stream(step), matrix, 70..ROWS);
        fill(&mut stream(step), matrix, 0..70);
        buffer.as_slice().chunks(stride).flat_map(|row| row[..WIDTH].to_vec()).collect()
    }

    fn moments(numbers: &[f32]) -> (f64, f64) {
        let n = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        (mean, numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
    }

    /// Correlation of two lists; 4.5 standard deviations either side are allowed.
    fn assert_uncorrelated(what: &str, pairs: impl Iterator<Item = (f32, f32)> + Clone) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.unzip();
        let ((mean_a, var_a), (mean_b, var_b)) = (moments(&a), moments(&b));
        let product: f64 =
            a.iter().zip(&b).map(|(&a, &b)| (f64::from(a) - mean_a) * (f64::from(b) - mean_b)).sum();
        let correlation = product / (a.len() as f64 * (var_a * var_b).sqrt());
        assert!(correlation.abs() < 4.5 / (a.len() as f64).sqrt(), "{what}: {correlation}");
    }

    /// Numbers of one step do not know their neighbours, other samples or other steps.
    fn assert_independent(what: &str, now: &[f32], next: &[f32]) {
        assert_uncorrelated(what, now.iter().copied().zip(now[1..].iter().copied()));
        assert_uncorrelated(what, now.iter().copied().zip(now[WIDTH..].iter().copied()));
        assert_uncorrelated(what, now.iter().copied().zip(next.iter().copied()));
    }

    #[test]
    fn a_mask_drops_its_share_and_keeps_the_mean() {
        for rate in [0.1, 0.5, 0.8] {
            let mask = |step| {
                // SAFETY: the matrix has these rows.
                filled(step, |s, m, rows| unsafe { fill_mask(s, (rate, WIDTH), m, WIDTH, rows) })
            };
            let numbers = mask(7);
            let kept = (1.0 / (1.0 - rate)) as f32;
            assert!(numbers.iter().all(|&x| x == 0.0 || x == kept));
            let (mean, variance) = moments(&numbers);
            let spread = (rate / (1.0 - rate)).sqrt();
            assert!((mean - 1.0).abs() < 4.5 * spread / 200_000_f64.sqrt(), "{rate}: {mean}");
            assert!((variance / (spread * spread) - 1.0).abs() < 0.02, "{rate}: {variance}");
            assert_independent(&format!("rate {rate}"), &numbers, &mask(8));
        }
    }

    #[test]
    fn a_channel_is_dropped_at_all_positions_or_none() {
        // SAFETY: the matrix has these rows.
        let numbers = filled(1, |s, m, rows| unsafe { fill_mask(s, (0.5, 8), m, WIDTH, rows) });
        let firsts: Vec<f32> = numbers
            .chunks(WIDTH)
            .flat_map(|row| {
                assert!(row.chunks(8).all(|position| position == &row[..8]));
                row[..8].to_vec()
            })
            .collect();
        let (mean, _) = moments(&firsts);
        assert!((mean - 1.0).abs() < 4.5 / 1600_f64.sqrt(), "{mean}");
        assert_uncorrelated("channels", firsts.iter().copied().zip(firsts[1..].iter().copied()));
        assert_uncorrelated("samples", firsts.iter().copied().zip(firsts[8..].iter().copied()));
    }

    /// Of inputs with mean 0 and variance 1, what AlphaDropout gives has them too.
    #[test]
    fn alpha_dropout_keeps_mean_and_variance() {
        for rate in [0.1, 0.4] {
            let inputs = normal(1, 0.0, 1.0);
            let fill = |which: usize| {
                filled(2, |s, m, rows| {
                    let mut other = Buffer::new(ROWS * WIDTH.next_multiple_of(16));
                    // SAFETY: both have these rows.
                    unsafe {
                        let other = Matrix::new(other.start(), WIDTH.next_multiple_of(16));
                        let both = if which == 0 { (m, other) } else { (other, m) };
                        fill_alpha_mask(s, rate, both, WIDTH, rows);
                    }
                })
            };
            let (factor, offset) = (fill(0), fill(1));
            let dropped = factor.iter().filter(|&&f| f == 0.0).count() as f64 / 200_000.0;
            assert!((dropped - rate).abs() < 4.5 * (rate * (1.0 - rate) / 200_000.0).sqrt(), "{dropped}");
            let outputs: Vec<f32> =
                inputs.iter().zip(factor.iter().zip(&offset)).map(|(x, (f, o))| x * f + o).collect();
            let (mean, variance) = moments(&outputs);
            assert!(mean.abs() < 4.5 / 200_000_f64.sqrt(), "{rate}: {mean}");
            assert!((variance - 1.0).abs() < 0.02, "{rate}: {variance}");
        }
    }

    fn normal(step: u64, mean: f64, stddev: f64) -> Vec<f32> {
        // SAFETY: the matrix has these rows.
        filled(step, |s, m, rows| unsafe { fill_normal(s, (mean, stddev), m, WIDTH, rows) })
    }

    #[test]
    fn noise_is_normal() {
        for (mean, stddev) in [(0.0, 0.3), (1.0, 0.5)] {
            let numbers = normal(5, mean, stddev);
            let (found, variance) = moments(&numbers);
            assert!((found - mean).abs() < 4.5 * stddev / 200_000_f64.sqrt(), "{found}");
            assert!((variance.sqrt() / stddev - 1.0).abs() < 0.01, "{variance}");
            assert_independent("normal", &numbers, &normal(6, mean, stddev));
            let statistic = kolmogorov_smirnov(numbers, |x| normal_cdf((x - mean) / stddev));
            assert!(statistic < 1.95, "{statistic}");
        }
    }

    #[test]
    fn a_layers_own_seed_stands_for_the_runs() {
        let first = |run: u64, seed: Option<u64>| {
            let draws = Draws { purpose: Purpose::Noise, name: "x".into(), seed };
            draws.open(&Streams::new(Seed(run)), 0).next_u32()
        };
        assert_eq!(first(1, Some(9)), first(2, Some(9)));
        assert_eq!(first(9, None), first(1, Some(9)));
        assert_ne!(first(1, None), first(2, None));
    }
}
