//! Cosine similarity: `−t·p / (|t|·|p|)`, from −1 (same direction) to 1.
//!
//! With `r(x) = min(1/|x|, 1e7)` and `c` the cosine, the gradient is `(c·p·r(p) − t·r(t))·r(p)`. Source:
//! Keras `keras/src/losses/losses.py`, `cosine_similarity`; `keras/src/ops/nn.py`, `normalize`.

use super::{EPSILON, LossRule, Target, Whole};
use crate::lane::Lane;
use serde::Deserialize;

/// Minus the cosine of the angle between target and prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineSimilarity {}

/// `min(1/√square, 1e7)`
#[inline(always)]
fn reciprocal<R: Lane>(square: R) -> R {
    R::lit(1.0 / EPSILON).min(R::lit(1.0) / square.sqrt())
}

impl LossRule for CosineSimilarity {
    const NAME: &'static str = "cosine_similarity";

    #[inline(always)]
    fn row<R: Lane>(
        self,
        _whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let zero = R::lit(0.0);
        let (mut t_square, mut p_square, mut product) = (zero, zero, zero);
        for (i, &p) in prediction.iter().enumerate() {
            let t = target.at(i);
            t_square = t.mul_add(t, t_square);
            p_square = p.mul_add(p, p_square);
            product = t.mul_add(p, product);
        }
        let (t_size, p_size) = (reciprocal(t_square), reciprocal(p_square));
        let cosine = product * t_size * p_size;
        if let Some(gradient) = gradient {
            // A prediction shorter than 1e-7 is only scaled.
            let turns = R::select(R::lit(1.0 / EPSILON).gt(p_size), cosine * p_size, zero);
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                *slot = (turns * p - target.at(i) * t_size) * p_size;
            }
        }
        -cosine
    }
}
