//! Huber: with `e = p − t` the mean over the outputs of `e²/2` where `|e| ≤ delta`, otherwise of
//! `delta·|e| − delta²/2`.
//!
//! Gradient: `e / n`, at most `delta / n` in size. Source: Keras `keras/src/losses/losses.py`, `huber`.

use super::{ElementLoss, LossRule, Target, Whole, mean};
use crate::config::{InvalidParameter, Value, require};
use crate::lane::Lane;
use serde::Deserialize;

/// Quadratic up to `delta`, linear beyond.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Huber {
    /// Where it becomes linear: finite, > 0; 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl LossRule for Huber {
    const NAME: &'static str = "huber";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("delta", self.delta.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        let ok = self.delta.is_finite() && self.delta > 0.0;
        require(ok, Self::NAME, "delta", "a finite number > 0", self.delta)
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

impl ElementLoss for Huber {
    #[inline(always)]
    fn value<R: Lane>(self, t: R, p: R) -> R {
        let (error, delta, half) = (p - t, R::lit(self.delta), R::lit(0.5));
        let size = error.abs();
        R::select(size.gt(delta), delta * size - half * (delta * delta), half * (error * error))
    }

    #[inline(always)]
    fn slope<R: Lane>(self, t: R, p: R) -> R {
        let (error, delta) = (p - t, R::lit(self.delta));
        R::select(error.abs().gt(delta), delta * error.signum(), error)
    }
}
