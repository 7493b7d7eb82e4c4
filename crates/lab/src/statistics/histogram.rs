//! Counts in equal bins.

use serde::{Deserialize, Serialize};

/// How many values fall into each of a row of equal bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Where the first bin begins.
    pub low: f64,
    /// Where the last bin ends; above `low`.
    pub high: f64,
    /// The counts, from low to high; a value on an inner border belongs to the bin above, `high` to the last one.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// One histogram per sample of `samples`, all over the same `bins` ≥ 1 bins from the smallest to the largest
    /// finite value of all of them, so that they can be laid over each other. Other values are left out.
    ///
    /// ```
    /// use seedbed_lab::statistics::histogram::Histogram;
    ///
    /// let [before, after] = Histogram::shared([&[0.0, 0.0], &[-1.0, 1.0]], 3);
    /// assert_eq!((before.counts, after.counts), (vec![0, 2, 0], vec![1, 0, 1]));
    /// ```
    pub fn shared<const N: usize>(samples: [&[f32]; N], bins: usize) -> [Self; N] {
        let finite =
            || samples.iter().flat_map(|sample| sample.iter()).copied().filter(|value| value.is_finite());
        let low = f64::from(finite().fold(f32::INFINITY, f32::min));
        let high = f64::from(finite().fold(f32::NEG_INFINITY, f32::max));
        let (low, high) = match (low < high, low.is_finite()) {
            (true, _) => (low, high),
            (false, true) => (low - 0.5, low + 0.5),
            (false, false) => (-0.5, 0.5),
        };
        samples.map(|sample| Self::over(sample, low, high, bins.max(1)))
    }

    fn over(sample: &[f32], low: f64, high: f64, bins: usize) -> Self {
        let mut counts = vec![0; bins];
        for &value in sample.iter().filter(|value| value.is_finite()) {
            let share = (f64::from(value) - low) / (high - low);
            counts[((share * bins as f64) as usize).min(bins - 1)] += 1;
        }
        Self { low, high, counts }
    }

    /// The width of one bin.
    pub fn bin_width(&self) -> f64 {
        (self.high - self.low) / self.counts.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_counted_once() {
        let values: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        let [histogram] = Histogram::shared([&values], 7);
        assert_eq!(histogram.counts.iter().sum::<u64>(), 1000);
        let slow = values.iter().filter(|&&v| f64::from(v) >= histogram.high - histogram.bin_width()).count();
        assert_eq!(*histogram.counts.last().unwrap(), slow as u64);
    }

    #[test]
    fn constant_empty_and_broken_samples_are_answered() {
        let [zeros] = Histogram::shared([&[0.0; 9]], 5);
        assert_eq!((zeros.low, zeros.high, zeros.counts), (-0.5, 0.5, vec![0, 0, 9, 0, 0]));
        let [empty] = Histogram::shared([&[]], 2);
        assert_eq!(empty.counts, [0, 0]);
        let [broken] = Histogram::shared([&[f32::NAN, 1.0, 2.0, f32::INFINITY]], 2);
        assert_eq!(broken.counts, [1, 1]);
    }
}
