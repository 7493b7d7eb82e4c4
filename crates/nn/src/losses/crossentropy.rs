//! Crossentropy: `−Σ t·ln p`, for class numbers `−ln p` of the right class.
//!
//! After a softmax, or with `from_logits`, it is taken of the logits `z` and never forms `ln p`:
//! `Σ t·(ln Σeᶻ⁻ᵐ − (z − m))` with `m = max z`; its gradient is `softmax(z) − t`.
//! Of other probabilities it is taken as Keras on TensorFlow does: clipped to
//! `[1e-7, 1 − 1e-7]`, and divided by their sum, after clipping for class numbers and before it for
//! rows.
//!
//! Source: Keras `keras/src/losses/losses.py`, `keras/src/backend/tensorflow/nn.py`
//! (`sparse_categorical_crossentropy`, `categorical_crossentropy`).

use super::{EPSILON, Target};
use crate::lane::Lane;

/// `t·(1 − s) + s/n`: the target with a share `s` spread over all `n` classes.
pub(crate) fn smooth<L: Lane>(target: L, smoothing: f64, classes: usize) -> L {
    target * L::lit(1.0 - smoothing) + L::lit(smoothing / classes as f64)
}

fn clip<R: Lane>(p: R) -> R {
    R::lit(1.0 - EPSILON).min(R::lit(EPSILON).max(p))
}

/// 1 where clipping leaves `p` as it is, 0 where it does not.
fn clip_slope<R: Lane>(p: R) -> R {
    R::select(clip(p).equals(p), R::lit(1.0), R::lit(0.0))
}

pub(super) fn sparse<R: Lane>(target: Target<'_, R>, prediction: &[R], gradient: Option<&mut [R]>) -> R {
    let zero = R::lit(0.0);
    let mut sum = zero;
    let mut loss = zero;
    for &p in prediction {
        sum = sum + clip(p);
    }
    for (i, &p) in prediction.iter().enumerate() {
        loss = target.at(i).mul_add(sum.ln() - clip(p).ln(), loss);
    }
    if let Some(gradient) = gradient {
        for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
            *slot = (R::lit(1.0) / sum - target.at(i) / clip(p)) * clip_slope(p);
        }
    }
    loss
}

pub(super) fn categorical<R: Lane>(target: Target<'_, R>, prediction: &[R], gradient: Option<&mut [R]>) -> R {
    let zero = R::lit(0.0);
    let sum = prediction.iter().fold(zero, |sum, &p| sum + p);
    let mut loss = zero;
    let mut inner = zero;
    for (i, &p) in prediction.iter().enumerate() {
        let q = p / sum;
        loss = (-target.at(i)).mul_add(clip(q).ln(), loss);
        inner = (target.at(i) / clip(q) * clip_slope(q)).mul_add(q, inner);
    }
    if let Some(gradient) = gradient {
        for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
            let q = p / sum;
            *slot = (inner - target.at(i) / clip(q) * clip_slope(q)) / sum;
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{found:?}, not {expected:?}");
        }
    }

    /// p = (0.2, 0.5, 0.1), which do not sum to 1, worked out by hand: −ln(0.5/0.8), and its slopes
    /// 1/0.8 − t/p.
    #[test]
    fn class_numbers() {
        let mut gradient = [0.0; 3];
        let loss = sparse(Target::Class(1), &[0.2, 0.5, 0.1], Some(&mut gradient));
        near(&[loss], &[1.6_f64.ln()]);
        near(&gradient, &[1.25, 1.25 - 2.0, 1.25]);
    }

    /// The same with the target (0.25, 0.75, 0): slopes (Σt − t·Σp/p) / Σp.
    #[test]
    fn rows() {
        let mut gradient = [0.0; 3];
        let loss = categorical(Target::Row(&[0.25, 0.75, 0.0]), &[0.2, 0.5, 0.1], Some(&mut gradient));
        near(&[loss], &[0.25 * 4_f64.ln() + 0.75 * 1.6_f64.ln()]);
        near(&gradient, &[0.0, (1.0 - 1.2) / 0.8, 1.25]);
    }

    /// Probabilities of exactly 0 and 1 cost what 1e-7 costs, and have no slope.
    #[test]
    fn probabilities_stay_away_from_0_and_1() {
        for loss in [sparse::<f64>, categorical] {
            for (class, expected) in [(0, -(1e-7_f64).ln()), (1, -(1.0 - 1e-7_f64).ln())] {
                let mut gradient = [f64::NAN; 2];
                near(&[loss(Target::Class(class), &[0.0, 1.0], Some(&mut gradient))], &[expected]);
                near(&gradient, &[0.0, 0.0]);
            }
        }
    }

    #[test]
    fn smoothing_spreads_a_share_over_all_classes() {
        let smoothed = [1.0, 0.0, 0.0, 0.0].map(|t| smooth(t, 0.2, 4));
        near(&smoothed, &[0.85, 0.05, 0.05, 0.05]);
        assert_eq!(smooth(0.3, 0.0, 4), 0.3);
    }
}
