//! How far numbers are apart, and how far they may be.

use serde::Serialize;

/// Something that was compared.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measure {
    /// What it is: "losses", "weights", "outputs", …
    pub what: &'static str,
    /// The largest deviation; `null` in JSON where it is no number.
    pub deviation: f64,
    /// The largest that is allowed.
    pub bound: f64,
}

impl Measure {
    /// A deviation and its bound.
    pub fn new(what: &'static str, deviation: f64, bound: f64) -> Self {
        Self { what, deviation, bound }
    }

    /// Whether the deviation is a number within the bound.
    pub fn agrees(&self) -> bool {
        self.deviation <= self.bound
    }

    /// How much of the bound is used up; 0 where nothing deviates, even if nothing may.
    fn used(&self) -> f64 {
        if self.deviation == 0.0 { 0.0 } else { self.deviation / self.bound }
    }

    /// The one of several that uses up most of its bound; none of none.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let worse = |a: Self, b: Self| if b.used() > a.used() || b.used().is_nan() { b } else { a };
        all.into_iter().reduce(worse)
    }
}

/// The greatest difference, each divided by the size of the expected number, but at least `floor`. NaN where the counts
/// differ.
pub fn relative(found: &[f64], expected: &[f64], floor: f64) -> f64 {
    worst(found, expected, |a, b| (a - b).abs() / b.abs().max(floor))
}

/// The greatest difference. NaN where the counts differ.
pub fn absolute(found: &[f64], expected: &[f64]) -> f64 {
    worst(found, expected, |a, b| (a - b).abs())
}

fn worst(found: &[f64], expected: &[f64], error: impl Fn(f64, f64) -> f64) -> f64 {
    if found.len() != expected.len() {
        return f64::NAN;
    }
    largest(found.iter().zip(expected).map(|(&a, &b)| error(a, b)))
}

/// The largest; NaN if one is.
pub fn largest(errors: impl IntoIterator<Item = f64>) -> f64 {
    // f64::max would pass over a NaN.
    errors.into_iter().fold(0.0, |worst, e| if worst.is_nan() || e <= worst { worst } else { e })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_does_not_agree() {
        assert!(absolute(&[f64::NAN, 1.0], &[0.0, 0.0]).is_nan());
        assert!(absolute(&[1.0, f64::NAN, 3.0], &[0.0; 3]).is_nan());
        assert!(absolute(&[1.0], &[1.0, 1.0]).is_nan());
        assert!(!Measure::new("losses", f64::NAN, 1.0).agrees());
        let all = [0.5, f64::NAN, 2.0].map(|deviation| Measure::new("losses", deviation, 1.0));
        assert!(Measure::worst(all).is_some_and(|worst| worst.deviation.is_nan()));
    }

    #[test]
    fn the_worst_is_nearest_to_its_bound() {
        let all = [
            Measure::new("weights", 1.0, 10.0),
            Measure::new("weights", 0.5, 1.0),
            Measure::new("weights", 0.0, 0.0),
        ];
        assert_eq!(Measure::worst(all).map(|worst| worst.bound), Some(1.0));
        assert_eq!(relative(&[2.0, 1.001], &[1.0, 1.0], 0.5), 1.0);
    }
}
