//! A loss of one sample in float64, for the losses' own tests.

use super::{Loss, Target, Whole, overlap};

/// Loss and gradient of one sample that is a batch of its own.
pub(super) fn row(loss: impl Into<Loss>, target: Target<'_, f64>, prediction: &[f64]) -> (f64, Vec<f64>) {
    let mut gradient = vec![f64::NAN; prediction.len()];
    let whole = Whole { binary: false, sums: overlap::sums(target, prediction) };
    (loss.into().row(&whole, target, prediction, Some(&mut gradient)), gradient)
}

pub(super) fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{found:?}, not {expected:?}");
    }
}
