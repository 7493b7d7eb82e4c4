//! Mean squared error: the mean of `(t − p)²` over the outputs.
//!
//! Gradient: `2·(p − t) / n`. Source: Keras `keras/src/losses/losses.py` (MeanSquaredError).

use super::Target;
use crate::lane::Lane;

pub(super) fn row<R: Lane>(target: Target<'_, R>, prediction: &[R], gradient: Option<&mut [R]>) -> R {
    let count = R::lit(prediction.len() as f64);
    let mut sum = R::lit(0.0);
    for (i, &p) in prediction.iter().enumerate() {
        let difference = p - target.at(i);
        sum = difference.mul_add(difference, sum);
    }
    if let Some(gradient) = gradient {
        for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
            let difference = p - target.at(i);
            *slot = (difference + difference) / count;
        }
    }
    sum / count
}
