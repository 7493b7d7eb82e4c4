//! Sparse categorical crossentropy: `−ln p` of the right class; targets are class numbers.
//!
//! Of logits, that is with `from_logits` or after a softmax or sigmoid, the plan takes it as
//! [`super::CategoricalCrossentropy`] describes. Of other probabilities it is taken as Keras on TensorFlow
//! does: they are kept from 1e-7 to 1 − 1e-7 and then divided by their sum.
//!
//! Samples of the class `ignore_class` count as if they were not there. `label_smoothing` is not in Keras's
//! sparse loss; it is that of the categorical one.
//!
//! Source: Keras `keras/src/losses/losses.py`, `keras/src/backend/tensorflow/nn.py`
//! (`sparse_categorical_crossentropy`).

use super::probability::{check_smoothing, clip, clip_slope, smooth};
use super::{LossRule, Target, Whole};
use crate::config::{InvalidParameter, Value, require};
use crate::lane::Lane;
use serde::Deserialize;

/// `−ln p` of the right class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseCategoricalCrossentropy {
    /// The prediction is logits, not probabilities; false.
    pub from_logits: bool,
    /// A class whose samples do not count, from 0 to 65535, also one without an output; none.
    pub ignore_class: Option<i64>,
    /// Share of the target that is spread evenly over all classes, from 0 to 1; 0.
    pub label_smoothing: f64,
}

impl LossRule for SparseCategoricalCrossentropy {
    const NAME: &'static str = "sparse_categorical_crossentropy";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("from_logits", self.from_logits.into()),
            ("ignore_class", self.ignore_class.into()),
            ("label_smoothing", self.label_smoothing.into()),
        ]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        let class = self.ignore_class.unwrap_or(0);
        require((0..=65535).contains(&class), Self::NAME, "ignore_class", "a class from 0 to 65535", class)?;
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
        let (mut sum, mut loss) = (zero, zero);
        for &p in prediction {
            sum = sum + clip(p);
        }
        for (i, &p) in prediction.iter().enumerate() {
            loss = t(i).mul_add(sum.ln() - clip(p).ln(), loss);
        }
        if let Some(gradient) = gradient {
            for (i, (slot, &p)) in gradient.iter_mut().zip(prediction).enumerate() {
                *slot = (R::lit(1.0) / sum - t(i) / clip(p)) * clip_slope(p);
            }
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{near, row};
    use super::super::{CategoricalCrossentropy, Loss};
    use super::*;

    /// p = (0.2, 0.5, 0.1), which do not sum to 1, worked out by hand: −ln(0.5/0.8), and its slopes
    /// 1/0.8 − t/p.
    #[test]
    fn class_numbers() {
        let (loss, gradient) =
            row(SparseCategoricalCrossentropy::default(), Target::Class(1), &[0.2, 0.5, 0.1]);
        near(&[loss], &[1.6_f64.ln()]);
        near(&gradient, &[1.25, 1.25 - 2.0, 1.25]);
    }

    /// Probabilities of exactly 0 and 1 cost what 1e-7 costs, and have no slope.
    #[test]
    fn probabilities_stay_away_from_0_and_1() {
        for loss in
            [Loss::from(SparseCategoricalCrossentropy::default()), CategoricalCrossentropy::default().into()]
        {
            for (class, expected) in [(0, -(1e-7_f64).ln()), (1, -(1.0 - 1e-7_f64).ln())] {
                let (found, gradient) = row(loss, Target::Class(class), &[0.0, 1.0]);
                near(&[found], &[expected]);
                near(&gradient, &[0.0, 0.0]);
            }
        }
    }
}
