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
