//! Binary crossentropy: the mean of `−t·ln p − (1 − t)·ln(1 − p)` over the outputs.
//!
//! Of probabilities, p is kept from 1e-7 to 1 − 1e-7, as Keras on TensorFlow does. Of logits z, that is with
//! `from_logits` or after a sigmoid or softmax, it is `max(z, 0) − z·t + ln(1 + e^−|z|)`, whose gradient is
//! `sigmoid(z) − t`.
//!
//! Source: Keras `keras/src/losses/losses.py`, `keras/src/backend/tensorflow/nn.py`
//! (`binary_crossentropy`).

use super::probability::{check_smoothing, clip, clip_slope};
use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::activations::{Elementwise, Sigmoid};
use crate::config::{InvalidParameter, Value};
use crate::lane::Lane;
use serde::Deserialize;

/// Mean of `−t·ln p − (1 − t)·ln(1 − p)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCrossentropy {
    /// The prediction is logits, not probabilities; false.
    pub from_logits: bool,
    /// How far targets are drawn towards ½, from 0 to 1; 0.
    pub label_smoothing: f64,
}

impl LossRule for BinaryCrossentropy {
    const NAME: &'static str = "binary_crossentropy";

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
        mean(self, target, prediction, gradient)
    }
}

/// `t·(1 − s) + s/2`
#[inline(always)]
pub(super) fn smooth<R: Lane>(t: R, smoothing: f64) -> R {
    if smoothing == 0.0 { t } else { t * R::lit(1.0 - smoothing) + R::lit(0.5 * smoothing) }
}

/// `−t·ln p − (1 − t)·ln(1 − p)` and its slope.
#[inline(always)]
pub(super) fn of_probability<R: Lane>(t: R, p: R) -> (R, R) {
    let (one, c) = (R::lit(1.0), clip(p));
    let value = -(t * c.ln() + (one - t) * (one - c).ln());
    (value, ((one - t) / (one - c) - t / c) * clip_slope(p))
}

/// `max(z, 0) − z·t + ln(1 + e^−|z|)`
#[inline(always)]
pub(super) fn of_logit<R: Lane>(t: R, z: R) -> R {
    R::lit(0.0).max(z) - z * t + (-z.abs()).exp().ln_1p()
}

impl ElementLoss for BinaryCrossentropy {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let t = smooth(t, self.label_smoothing);
        if self.from_logits { of_logit(t, p) } else { of_probability(t, p).0 }
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let t = smooth(t, self.label_smoothing);
        if self.from_logits { Sigmoid.value(p) - t } else { of_probability(t, p).1 }
    }
}
