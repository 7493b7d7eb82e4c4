//! Categorical crossentropy: `−Σ t·ln p`, for targets that are one-hot or soft.
//!
//! Of logits `z`, that is with `from_logits` or after a softmax or sigmoid, the plan takes it without
//! forming `ln p`: `Σ t·(ln Σeᶻ⁻ᵐ − (z − m))` with `m = max z`, whose gradient is `softmax(z) − t`. Of
//! other probabilities it is taken as Keras on TensorFlow does: they are divided by their sum and kept
//! from 1e-7 to 1 − 1e-7.
//!
//! Source: Keras `keras/src/losses/losses.py`, `keras/src/backend/tensorflow/nn.py`
//! (`categorical_crossentropy`).

use super::probability::{check_smoothing, clip, clip_slope, smooth};
use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value};
use crate::lane::Lane;
use serde::Deserialize;

/// `−Σ t·ln p`
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalCrossentropy {
    /// The prediction is logits, not probabilities; false.
    pub from_logits: bool,
    /// Share of the target that is spread evenly over all classes, from 0 to 1; 0.
    pub label_smoothing: f64,
}

impl LossRule for CategoricalCrossentropy {
    const NAME: &'static str = "categorical_crossentropy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("from_logits", self.from_logits.into()), ("label_smoothing", self.label_smoothing.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        check_smoothing(Self::NAME, self.label_smoothing)
    }

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let zero = R::lit(0.0);
        let t = |i| smooth(target.at(i), self.label_smoothing, prediction.len());
        let sum = prediction.iter().fold(zero, |sum, &p| sum + p);
        let (mut loss, mut inner) = (zero, zero);
        for (i, &p) in prediction.iter().enumerate() {
            let q = p / sum;
            loss = (-t(i)).mul_add(clip(q).ln(), loss);
            inner = (t(i) / clip(q) * clip_slope(q)).mul_add(q, inner);
        }
        if let Some(gradient) = gradient {
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                let q = p / sum;
                *slot = (inner - t(i) / clip(q) * clip_slope(q)) / sum;
            }
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{near, row};
    use super::*;

    /// p = (0.2, 0.5, 0.1), which do not sum to 1, worked out by hand: slopes (Σt − t·Σp/p) / Σp.
    #[test]
    fn rows() {
        let target = Target::Row(&[0.25, 0.75, 0.0]);
        let (loss, gradient) = row(CategoricalCrossentropy::default(), target, &[0.2, 0.5, 0.1]);
        near(&[loss], &[0.25 * 4_f64.ln() + 0.75 * 1.6_f64.ln()]);
        near(&gradient, &[0.0, (1.0 - 1.2) / 0.8, 1.25]);
    }

    #[test]
    fn smoothing_spreads_a_share_over_all_classes() {
        let smoothed = [0.0, 1.0, 0.0, 0.0].map(|t: f64| smooth(t, 0.2, 4));
        near(&smoothed, &[0.05, 0.85, 0.05, 0.05]);
    }
}
