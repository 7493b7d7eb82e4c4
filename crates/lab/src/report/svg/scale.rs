//! From values to places: a linear scale and its round ticks.

use crate::format::fixed;
use crate::statistics::summary::quantile;

/// A linear map from values to coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// Maps `[low, high]` to `[start, end]`. A domain without extent is widened around its value, one that is not
    /// finite becomes 0 to 1, so that there is always something to draw on.
    pub fn new([low, high]: [f64; 2], [start, end]: [f64; 2]) -> Self {
        let (low, high) = match (low.is_finite() && high.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - 0.5 * (low.abs() + 1e-6), low + 0.5 * (low.abs() + 1e-6)),
        };
        Self { low, high, start, end }
    }

    /// Where `value` lies, kept inside the scale.
    pub fn place(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    /// Whether `value` lies inside the scale.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether `value` lies below the scale.
    pub fn below(&self, value: f64) -> bool {
        value < self.low
    }

    /// Which part of the way from one value to the other lies inside the scale, as shares of the way; `None` if no part does.
    pub fn inside(&self, from: f64, to: f64) -> Option<[f64; 2]> {
        if from == to {
            return self.holds(from).then_some([0.0, 1.0]);
        }
        let [one, other] = [self.low, self.high].map(|edge| (edge - from) / (to - from));
        let (enters, leaves) = (one.min(other).max(0.0), one.max(other).min(1.0));
        (enters <= leaves).then_some([enters, leaves])
    }

    /// The round values inside the domain with their labels: the coarsest multiples of 1, 2 or 5 × 10ᵏ that are no
    /// fewer than `wanted` − 1.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let span = self.high - self.low;
        let power = 10f64.powf(span.log10().floor());
        let steps = [5.0, 2.0, 1.0, 0.5, 0.2, 0.1].map(|factor| factor * power);
        let multiples =
            |step: f64| (self.low / step - 1e-6).ceil() as i64..=(self.high / step + 1e-6).floor() as i64;
        let enough = |step: &f64| multiples(*step).count() + 1 >= wanted;
        let step = steps.into_iter().find(enough).unwrap_or(steps[5]);
        let digits = (-(step * 1.001).log10().floor()).max(0.0) as usize;
        multiples(step).map(|i| (i as f64 * step, fixed(i as f64 * step, digits))).collect()
    }

    /// The ticks at whole numbers only, for epochs.
    pub fn whole_ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let ticks = self.ticks(wanted);
        ticks.into_iter().filter(|(value, _)| value.fract() == 0.0).map(|(v, _)| (v, fixed(v, 0))).collect()
    }
}

/// The smallest and largest finite value, moved apart by `margin` of their distance; `None` without a finite value.
pub fn extent(values: impl Iterator<Item = f64>, margin: f64) -> Option<[f64; 2]> {
    let [low, high] = values
        .filter(|value| value.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
    let room = margin * (high - low);
    (low <= high).then_some([low - room, high + room])
}

/// A scale for `ends` that a few of them may not stretch: what lies further from zero than six times what
/// three fifths of them stay below is left beyond its edge. `None` without a finite value.
pub fn robust_extent(ends: &[f64], margin: f64) -> Option<[f64; 2]> {
    let finite: Vec<f64> = ends.iter().copied().filter(|end| end.is_finite()).collect();
    let sizes: Vec<f64> = finite.iter().map(|end| end.abs()).filter(|size| *size > 0.0).collect();
    let limit = 6.0 * quantile(&sizes, 0.6).unwrap_or(f64::INFINITY);
    let kept = finite.iter().copied().filter(|end| finite.len() < 8 || end.abs() <= limit);
    extent(kept, margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_clamps() {
        let scale = Scale::new([0.0, 10.0], [100.0, 0.0]);
        assert_eq!([scale.place(0.0), scale.place(2.5), scale.place(99.0)], [100.0, 75.0, 0.0]);
        assert!((Scale::new([3.0, 3.0], [0.0, 1.0]).place(3.0) - 0.5).abs() < 1e-9);
        assert_eq!(Scale::new([f64::NAN, 3.0], [0.0, 1.0]).place(0.5), 0.5);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |domain, wanted| -> Vec<String> {
            Scale::new(domain, [0.0, 1.0]).ticks(wanted).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels([0.871, 0.999], 4), ["0.88", "0.90", "0.92", "0.94", "0.96", "0.98"]);
        assert_eq!(labels([-0.08, 0.13], 4), ["−0.05", "0.00", "0.05", "0.10"]);
        assert_eq!(labels([0.0, 10.0], 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels([0.0, 70_000.0], 4), ["0", "20000", "40000", "60000"]);
        assert_eq!(labels([2e-7, 9e-7], 4).len(), 4);
        assert_eq!(Scale::new([1.0, 2.0], [0.0, 1.0]).whole_ticks(5).len(), 2);
    }

    #[test]
    fn outliers_do_not_stretch_a_robust_scale() {
        let ends = [-0.1, 0.1, -0.2, 0.05, 0.15, 0.1, -86.0, -85.0, 0.2, 0.0];
        assert_eq!(robust_extent(&ends, 0.0), Some([-0.2, 0.2]));
        assert_eq!(robust_extent(&ends[..7], 0.0), Some([-86.0, 0.15]));
    }

    #[test]
    fn extent_ignores_what_is_not_a_number() {
        assert_eq!(extent([1.0, f64::NAN, 3.0].into_iter(), 0.5), Some([0.0, 4.0]));
        assert_eq!(extent([f64::INFINITY].into_iter(), 0.1), None);
    }
}
