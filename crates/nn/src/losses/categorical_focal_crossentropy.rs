//! Categorical focal crossentropy: `−Σ alpha·(1 − p)^gamma·t·ln p`.
//!
//! Probabilities are divided by their sum and kept from 1e-7 to 1 − 1e-7; `from_logits` puts a softmax
//! before it. With `h = alpha·t·(gamma·(1 − p)^(gamma − 1)·ln p − (1 − p)^gamma / p)` the gradient is
//! `(h − Σ h·p) / Σp`.
//!
//! Source: Lin et al. 2018; Keras `keras/src/losses/losses.py`, `categorical_focal_crossentropy`.

use super::probability::{check_gamma, check_share, check_smoothing, clip, clip_slope, smooth};
use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value};
use crate::lane::Lane;
use serde::Deserialize;

/// Categorical crossentropy that looks away from what is already right.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalFocalCrossentropy {
    /// The weight of every class, from 0 to 1; 0.25.
    pub alpha: f64,
    /// How much it looks away: 0, or finite and at least 1; 2.
    pub gamma: f64,
    /// The prediction is logits, not probabilities; false.
    pub from_logits: bool,
    /// Share of the target that is spread evenly over all classes, from 0 to 1; 0.
    pub label_smoothing: f64,
}

impl Default for CategoricalFocalCrossentropy {
    fn default() -> Self {
        Self { alpha: 0.25, gamma: 2.0, from_logits: false, label_smoothing: 0.0 }
    }
}

impl CategoricalFocalCrossentropy {
    /// `h`, with the slope of clipping.
    #[inline(always)]
    fn slope<R: Lane>(self, t: R, q: R) -> R {
        let (c, one) = (clip(q), R::lit(1.0));
        let miss = one - c;
        let turn = if self.gamma == 0.0 {
            R::lit(0.0)
        } else {
            R::lit(self.gamma) * miss.pow(self.gamma - 1.0) * c.ln()
        };
        R::lit(self.alpha) * t * (turn - miss.pow(self.gamma) / c) * clip_slope(q)
    }
}

impl LossRule for CategoricalFocalCrossentropy {
    const NAME: &'static str = "categorical_focal_crossentropy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
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
        let zero = R::lit(0.0);
        let t = |i| smooth(target.at(i), self.label_smoothing, prediction.len());
        let sum = prediction.iter().fold(zero, |sum, &p| sum + p);
        let (mut loss, mut inner) = (zero, zero);
        for (i, &p) in prediction.iter().enumerate() {
            let q = p / sum;
            let c = clip(q);
            let weight = (R::lit(1.0) - c).pow(self.gamma) * R::lit(self.alpha);
            loss = weight.mul_add(-t(i) * c.ln(), loss);
            inner = self.slope(t(i), q).mul_add(q, inner);
        }
        if let Some(gradient) = gradient {
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                *slot = (self.slope(t(i), p / sum) - inner) / sum;
            }
        }
        loss
    }
}
