//! Kullback-Leibler divergence: `Σ t·ln(t / p)`, with `t` and `p` kept from 1e-7 to 1.
//!
//! Gradient: `−t / p`, 0 where p was out of bounds. Source: Keras `keras/src/losses/losses.py`,
//! `kl_divergence`.

use super::{EPSILON, LossRule, Target, Whole};
use crate::lane::Lane;
use serde::Deserialize;

/// `Σ t·ln(t / p)`
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlDivergence {}

#[inline(always)]
fn clip<R: Lane>(p: R) -> R {
    R::lit(1.0).min(R::lit(EPSILON).max(p))
}

impl LossRule for KlDivergence {
    const NAME: &'static str = "kl_divergence";

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let mut sum = R::lit(0.0);
        for (i, &p) in prediction.iter().enumerate() {
            let t = clip(target.at(i));
            sum = t.mul_add((t / clip(p)).ln(), sum);
        }
        if let Some(gradient) = gradient {
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                let inside = clip(p).equals(p);
                *slot = R::select(inside, -(clip(target.at(i)) / p), R::lit(0.0));
            }
        }
        sum
    }
}
