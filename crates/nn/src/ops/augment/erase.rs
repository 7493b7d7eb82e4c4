//! A rectangle of the picture overwritten, with a probability that is drawn too.
//!
//! ```text
//! width  = √U(scale)·picture's width, left = U(0, 1)·(picture's width − width); the same for the height
//! a position is inside where left ≤ x < left + width and top ≤ y < top + height
//! overwritten where U(0, 1) < U(factor), with the fill value or z·high, clipped to the value range
//! ```
//!
//! Source: Zhong et al. 2017; Keras `random_erasing.py` in
//! `keras/src/layers/preprocessing/image_preprocessing/`.

use super::{Bounds, Picture, uniform};
use crate::lane::Lane;
use crate::random::Stream;

/// How often, how much, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Erase {
    /// The probability.
    pub factor: Bounds,
    /// The share of each side, squared.
    pub scale: Bounds,
    /// One number per channel; normal numbers where there is none.
    pub fill_value: Option<Vec<f64>>,
    /// The least and the largest number that is written.
    pub value_range: Bounds,
}

/// A rectangle: columns, then rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Patch {
    columns: Bounds,
    rows: Bounds,
}

impl Patch {
    fn has(&self, column: usize, row: usize) -> bool {
        let within = |n: usize, (from, to): Bounds| n as f64 >= from && (n as f64) < to;
        within(column, self.columns) && within(row, self.rows)
    }
}

impl Erase {
    /// The rectangle, where there is one; the draws that follow fill it.
    pub(crate) fn draw(&self, stream: &mut Stream, at: Picture) -> Option<Patch> {
        let shares = [uniform(stream, self.scale).sqrt(), uniform(stream, self.scale).sqrt()];
        let mut side = |length: usize, share: f64| {
            let size = share * length as f64;
            let from = uniform(stream, (0.0, 1.0)) * (length as f64 - size);
            (from, from + size)
        };
        let patch = Patch { columns: side(at.width, shares[0]), rows: side(at.height, shares[1]) };
        let probability = uniform(stream, self.factor);
        (uniform(stream, (0.0, 1.0)) < probability).then_some(patch)
    }

    #[inline(always)]
    pub(crate) fn apply<R: Lane>(&self, stream: &mut Stream, at: Picture, x: &[R], out: &mut [R]) {
        out.copy_from_slice(x);
        let Some(patch) = self.draw(stream, at) else { return };
        let (low, high) = self.value_range;
        for (position, out) in out.chunks_exact_mut(at.channels).enumerate() {
            if !patch.has(position % at.width, position / at.width) {
                continue;
            }
            for (c, out) in out.iter_mut().enumerate() {
                let number = match &self.fill_value {
                    Some(fill) => fill[c],
                    None => f64::from(stream.normal()) * high,
                };
                *out = R::lit(number.clamp(low, high));
            }
        }
    }

    /// What was overwritten has no gradient.
    #[inline(always)]
    pub(crate) fn gradient<R: Lane>(&self, stream: &mut Stream, at: Picture, dy: &[R], dx: &mut [R]) {
        dx.copy_from_slice(dy);
        let Some(patch) = self.draw(stream, at) else { return };
        for (position, dx) in dx.chunks_exact_mut(at.channels).enumerate() {
            if patch.has(position % at.width, position / at.width) {
                dx.fill(R::lit(0.0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed, Streams};

    const AT: Picture = Picture { height: 30, width: 40, channels: 1 };

    fn erase(factor: Bounds, fill_value: Option<Vec<f64>>) -> Erase {
        Erase { factor, scale: (0.04, 0.25), fill_value, value_range: (0.0, 2.0) }
    }

    fn stream() -> Stream {
        Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0)
    }

    /// Of rectangles with sides √U(0.04, 0.25): their mean area, the mean of their centres, and how many there are.
    #[test]
    fn rectangles_have_their_sizes_and_lie_anywhere() {
        let (mut stream, erase) = (stream(), erase((0.2, 0.6), Some(vec![2.0])));
        let drawn: Vec<Patch> = (0..20_000).filter_map(|_| erase.draw(&mut stream, AT)).collect();
        assert!((drawn.len() as f64 - 8000.0).abs() < 4.5 * 4800_f64.sqrt(), "{}", drawn.len());
        let mean = |f: fn(&Patch) -> f64| drawn.iter().map(f).sum::<f64>() / drawn.len() as f64;
        // E √U(a, b) = ⅔·(b^1.5 − a^1.5)/(b − a) = 0.3714; the sides of a rectangle are independent.
        let side = 2.0 / 3.0 * (0.125 - 0.008) / 0.21;
        let area = mean(|p| (p.columns.1 - p.columns.0) * (p.rows.1 - p.rows.0));
        assert!((area / (side * 40.0 * side * 30.0) - 1.0).abs() < 0.02, "{area}");
        assert!((mean(|p| p.columns.0 + p.columns.1) - 40.0).abs() < 0.5);
        assert!((mean(|p| p.rows.0 + p.rows.1) - 30.0).abs() < 0.4);
        assert!(drawn.iter().all(|p| p.columns.0 >= 0.0 && p.columns.1 <= 40.0 && p.rows.1 <= 30.0));
    }

    /// What Keras's `_generate_batch_mask` marks on a picture of 4 × 6 for left, right, top and bottom.
    #[test]
    fn what_is_inside_is_what_keras_says() {
        for ((left, right, top, bottom), columns, rows) in [
            ((1.3, 4.7, 0.2, 2.9), 2..5, 1..3),
            ((2.0, 5.0, 1.0, 3.0), 2..5, 1..3),
            ((0.0, 0.4, 0.0, 4.0), 0..1, 0..4),
        ] {
            let patch = Patch { columns: (left, right), rows: (top, bottom) };
            for (column, row) in (0..6).flat_map(|column| (0..4).map(move |row| (column, row))) {
                let expected = columns.contains(&column) && rows.contains(&row);
                assert_eq!(patch.has(column, row), expected, "{patch:?}: {column}, {row}");
            }
        }
    }

    #[test]
    fn what_is_inside_is_filled_and_the_rest_stays() {
        let x = [0.5_f32; 1200];
        let mut out = [0.0; 1200];
        erase((1.0, 1.0), Some(vec![9.0])).apply(&mut stream(), AT, &x, &mut out);
        let filled = out.iter().filter(|&&y| y == 2.0).count();
        assert!(filled > 40 && filled + out.iter().filter(|&&y| y == 0.5).count() == 1200, "{filled}");
        let (mut stream, erase) = (stream(), erase((1.0, 1.0), None));
        let mut noise: Vec<f32> = Vec::new();
        for _ in 0..100 {
            erase.apply(&mut stream, AT, &x, &mut out);
            noise.extend(out.iter().filter(|&&y| y != 0.5));
        }
        let count = noise.len() as f64;
        assert!(count > 4000.0 && noise.iter().all(|y| (0.0..=2.0).contains(y)), "{count}");
        // Half of all normal numbers are below 0 and clipped, 15.9 % above one standard deviation.
        for (bound, expected) in [(0.0, 0.5), (2.0, 0.158_655)] {
            let share = noise.iter().filter(|&&y| y == bound).count() as f64 / count;
            let deviation = (expected * (1.0 - expected) / count).sqrt();
            assert!((share - expected).abs() < 4.5 * deviation, "{share} of {count} are {bound}");
        }
    }
}
