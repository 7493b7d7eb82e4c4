//! Normalization of numbers that are not bytes: `(number − shift) / divisor`.
//!
//! | normalization | shift | divisor |
//! |---|---|---|
//! | `none`, `bytes` | 0 | 1 |
//! | `unit` | smallest number | largest less smallest: 0 to 1, as for bytes |
//! | `standard` | mean | standard deviation |
//!
//! A column whose numbers are all the same is divided by 1. Computed in `f64`, in the order of the samples.

use seedbed_nn::examples::Normalization;
use std::sync::Arc;

/// Shift and divisor of each column.
pub(super) struct Scale(Vec<[f64; 2]>);

impl Scale {
    /// Measures `training`, whose numbers belong to `columns` columns in turn.
    pub(super) fn of(normalization: Normalization, training: &[f32], columns: usize) -> Self {
        let column =
            |column: usize| training.iter().skip(column).step_by(columns).map(|&number| f64::from(number));
        let scale = |index: usize| {
            let [shift, divisor] = match normalization {
                Normalization::None | Normalization::Bytes => [0.0, 1.0],
                Normalization::Unit => {
                    let least = column(index).fold(f64::INFINITY, f64::min);
                    [least, column(index).fold(f64::NEG_INFINITY, f64::max) - least]
                }
                Normalization::Standard => {
                    let count = column(index).count().max(1) as f64;
                    let mean = column(index).sum::<f64>() / count;
                    let variance = column(index).map(|number| (number - mean).powi(2)).sum::<f64>() / count;
                    [mean, variance.sqrt()]
                }
            };
            [shift, if divisor > 0.0 { divisor } else { 1.0 }]
        };
        Self((0..columns).map(scale).collect())
    }

    /// The numbers that a network sees.
    pub(super) fn apply(&self, numbers: &[f32]) -> Arc<[f32]> {
        let scaled =
            |(&number, [shift, divisor]): (&f32, &[f64; 2])| ((f64::from(number) - shift) / divisor) as f32;
        numbers.iter().zip(self.0.iter().cycle()).map(scaled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_from_0_to_255_are_divided_by_255_exactly() {
        let bytes: Vec<f32> = (0..256_u16).map(f32::from).collect();
        let scaled = Scale::of(Normalization::Unit, &bytes, 1).apply(&bytes);
        assert!(bytes.iter().zip(&scaled[..]).all(|(byte, scaled)| byte / 255.0 == *scaled));
    }

    #[test]
    fn standard_has_mean_0_and_deviation_1_in_every_column() {
        let numbers: Vec<f32> =
            (0..900_u32).map(|i| (i * i % 251) as f32 * [1e-3, 1.0, 1e4][i as usize % 3]).collect();
        let scaled = Scale::of(Normalization::Standard, &numbers, 3).apply(&numbers);
        for column in 0..3 {
            let of = || scaled.iter().skip(column).step_by(3).map(|&number| f64::from(number));
            let (mean, square) = (of().sum::<f64>() / 300.0, of().map(|x| x * x).sum::<f64>() / 300.0);
            assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "{mean} {square}");
        }
    }

    #[test]
    fn constant_columns_do_not_divide_by_zero() {
        for normalization in [Normalization::Unit, Normalization::Standard] {
            let scaled = Scale::of(normalization, &[7.0, 1.0, 7.0, 3.0], 2).apply(&[7.0, 1.0, 8.0, 3.0]);
            assert_eq!((scaled[0], scaled[2]), (0.0, 1.0));
        }
    }
}
