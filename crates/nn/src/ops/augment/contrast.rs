//! Contrast about the mean of every channel.
//!
//! ```text
//! m = mean of the channel over the picture: one ascending chain, / n
//! y = clip((x − m)·f + m, low, high), f drawn for the picture
//! ```
//!
//! Source: Keras `random_contrast.py` in `keras/src/layers/preprocessing/image_preprocessing/`.

use super::{Bounds, Picture, uniform};
use crate::lane::Lane;
use crate::random::Stream;

/// How much, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrast {
    /// f.
    pub factor: Bounds,
    /// The least and the largest number of the result.
    pub value_range: Bounds,
}

impl Contrast {
    #[inline(always)]
    pub(crate) fn apply<R: Lane + PartialOrd>(
        &self,
        stream: &mut Stream,
        at: Picture,
        x: &[R],
        out: &mut [R],
    ) {
        let factor = R::lit(uniform(stream, self.factor));
        let (low, high) = (R::lit(self.value_range.0), R::lit(self.value_range.1));
        for c in 0..at.channels {
            let mean = mean(x, c, at);
            for i in (c..x.len()).step_by(at.channels) {
                let y = (x[i] - mean).mul_add(factor, mean);
                out[i] = high.min(low.max(y));
            }
        }
    }

    /// `dx = f·dz + (1 − f)·mean(dz)`, where dz is dy inside the value range and 0 outside.
    #[inline(always)]
    pub(crate) fn gradient<R: Lane + PartialOrd>(
        &self,
        stream: &mut Stream,
        at: Picture,
        (x, dy): (&[R], &[R]),
        dx: &mut [R],
    ) {
        let factor = R::lit(uniform(stream, self.factor));
        let (low, high) = (R::lit(self.value_range.0), R::lit(self.value_range.1));
        for c in 0..at.channels {
            let m = mean(x, c, at);
            for i in (c..x.len()).step_by(at.channels) {
                let y = (x[i] - m).mul_add(factor, m);
                dx[i] = if y >= low && y <= high { dy[i] } else { R::lit(0.0) };
            }
            let rest = (R::lit(1.0) - factor) * mean(dx, c, at);
            for i in (c..x.len()).step_by(at.channels) {
                dx[i] = dx[i].mul_add(factor, rest);
            }
        }
    }
}

#[inline(always)]
fn mean<R: Lane>(x: &[R], channel: usize, at: Picture) -> R {
    let numbers = x.iter().skip(channel).step_by(at.channels);
    numbers.fold(R::lit(0.0), |sum, &x| sum + x) / R::lit((at.height * at.width) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed, Streams};

    fn apply(factor: Bounds, x: &[f64]) -> Vec<f64> {
        let at = Picture { height: 3, width: 1, channels: 2 };
        let mut out = vec![0.0; 6];
        let mut stream = Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0);
        Contrast { factor, value_range: (0.0, 10.0) }.apply(&mut stream, at, x, &mut out);
        out
    }

    /// What Keras's `transform_images` gives for a `contrast_factor` of 1.6.
    #[test]
    fn numbers_are_kerass() {
        let found = apply((1.6, 1.6), &[1.0, 8.0, 3.0, 4.0, 9.0, 6.0]);
        let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-6;
        assert!(found.iter().zip([0.0, 9.2, 2.2, 2.8, 10.0, 6.0]).all(near), "{found:?}");
    }

    #[test]
    fn factors_are_uniform() {
        let at = Picture { height: 2, width: 1, channels: 1 };
        let mut stream = Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0);
        let contrast = Contrast { factor: (0.5, 1.5), value_range: (-9.0, 9.0) };
        let mut out = [0.0_f64; 2];
        let drawn: Vec<f64> = (0..20_000)
            .map(|_| {
                contrast.apply(&mut stream, at, &[-1.0, 1.0], &mut out);
                out[1]
            })
            .collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 1.0).abs() < 4.5 / (12.0 * 20_000.0_f64).sqrt(), "{mean}");
        assert!((12.0 * variance - 1.0).abs() < 0.03, "{variance}");
    }
}
