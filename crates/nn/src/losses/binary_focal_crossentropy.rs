//! Binary focal crossentropy: the mean over the outputs of `w·(1 − q)^gamma·b`, where b is the binary
//! crossentropy, `q = t·p + (1 − t)·(1 − p)` the probability of the truth, and w is 1 or, with
//! `apply_class_balancing`, `t·alpha + (1 − t)·(1 − alpha)`.
//!
//! Of logits, that is with `from_logits` or after a sigmoid, p is their sigmoid and b is taken of them.
//! Gradient: `w·((1 − q)^gamma·b′ − gamma·(1 − q)^(gamma − 1)·(2t − 1)·p′·b)`.
//!
//! Source: Lin et al. 2018; Keras `keras/src/losses/losses.py`, `binary_focal_crossentropy`.

use super::binary_crossentropy::{of_logit, of_probability, smooth};
use super::probability::{check_gamma, check_share, check_smoothing};
use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::activations::{Elementwise, Sigmoid};
use crate::config::{InvalidParameter, Value};
use crate::lane::Lane;
use serde::Deserialize;

/// Binary crossentropy that looks away from what is already right.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryFocalCrossentropy {
    /// Whether targets 1 weigh `alpha` and targets 0 weigh `1 − alpha`; false.
    pub apply_class_balancing: bool,
    /// The weight of targets 1, from 0 to 1; 0.25.
    pub alpha: f64,
    /// How much it looks away: 0, or finite and at least 1; 2.
    pub gamma: f64,
    /// The prediction is logits, not probabilities; false.
    pub from_logits: bool,
    /// How far targets are drawn towards ½, from 0 to 1; 0.
    pub label_smoothing: f64,
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        Self {
            apply_class_balancing: false,
            alpha: 0.25,
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
        }
    }
}

impl LossRule for BinaryFocalCrossentropy {
    const NAME: &'static str = "binary_focal_crossentropy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("apply_class_balancing", self.apply_class_balancing.into()),
            ("alpha", self.alpha.into()),
            ("gamma", self.gamma.into()),
            ("from_logits", self.from_logits.into()),
            ("label_smoothing", self.label_smoothing.into()),
        ]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        check_share(Self::NAME, "alpha", self.alpha)?;
        check_gamma(Self::NAME, self.gamma)?;
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

impl BinaryFocalCrossentropy {
    /// `w`, the smoothed target, the probability and its slope.
    #[inline(always)]
    fn parts<R: Lane>(self, t: R, p: R) -> (R, R, R, R) {
        let (t, one) = (smooth(t, self.label_smoothing), R::lit(1.0));
        let w = t * R::lit(self.alpha) + (one - t) * R::lit(1.0 - self.alpha);
        let w = if self.apply_class_balancing { w } else { one };
        if !self.from_logits {
            return (w, t, p, one);
        }
        let y = Sigmoid.value(p);
        (w, t, y, y * (one - y))
    }
}

/// `1 − q`
#[inline(always)]
fn miss<R: Lane>(t: R, p: R) -> R {
    let one = R::lit(1.0);
    one - (t * p + (one - t) * (one - p))
}

impl ElementLoss for BinaryFocalCrossentropy {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let (w, t, y, _) = self.parts(t, p);
        let b = if self.from_logits { of_logit(t, p) } else { of_probability(t, p).0 };
        w * (miss(t, y).pow(self.gamma) * b)
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let (w, t, y, y_slope) = self.parts(t, p);
        let (b, b_slope) = if self.from_logits { (of_logit(t, p), y - t) } else { of_probability(t, p) };
        let miss = miss(t, y);
        let plain = miss.pow(self.gamma) * b_slope;
        if self.gamma == 0.0 {
            return w * plain;
        }
        let turn = R::lit(self.gamma) * miss.pow(self.gamma - 1.0) * (t + t - R::lit(1.0)) * y_slope;
        w * (plain - turn * b)
    }
}
