//! How the losses of a batch become one number, with weights of samples and ignored ones.
//!
//! With weight `w_b` of sample b (1 without weights) the loss is `Σ w_b·loss_b / d`, where d is
//!
//! | reduction | d |
//! |---|---|
//! | `sum_over_batch_size` | the number of samples |
//! | `sum` | 1 |
//! | `mean_with_sample_weight` | `Σ w_b` |
//!
//! and 0 where d is 0. Ignored samples have weight 0; in `sum_over_batch_size` the others make up for them.
//!
//! Source: Keras `keras/src/losses/loss.py`, `reduce_weighted_values`, `apply_mask`.

use super::Loss;
use crate::lane::Lane;
use crate::names;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// How the losses of a batch become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// The mean over the samples; weights do not change what it is divided by. Keras's default.
    #[default]
    SumOverBatchSize,
    /// The sum.
    Sum,
    /// The mean, weighted by the samples' weights.
    MeanWithSampleWeight,
}

impl Reduction {
    /// Every name.
    pub const NAMES: [&'static str; 3] = ["sum_over_batch_size", "sum", "mean_with_sample_weight"];

    /// Keras's name.
    pub fn name(&self) -> &'static str {
        Self::NAMES[*self as usize]
    }
}

/// `mean` is Keras's other name for `sum_over_batch_size`.
impl<'de> Deserialize<'de> for Reduction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let table = [
            (Self::NAMES[0], Self::SumOverBatchSize),
            (Self::NAMES[1], Self::Sum),
            (Self::NAMES[2], Self::MeanWithSampleWeight),
            ("mean", Self::SumOverBatchSize),
        ];
        let name = String::deserialize(from)?;
        names::resolve("reduction", &name, &table).map_err(D::Error::custom)
    }
}

/// What the losses of a batch are multiplied with and divided by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighing<R> {
    /// What every weight is multiplied with; `None` where all weights are 1.
    scale: Option<R>,
    /// What the sum of losses is divided by.
    divisor: R,
    /// 1/divisor, or 0 where that is 0.
    share: R,
    /// The part of a loss of the whole batch that each sample's gradient carries.
    whole: R,
}

impl<R: Lane> Weighing<R> {
    /// For a batch of these samples, of which `counted` are not ignored; `weights` are those of the
    /// counted ones, where samples have weights.
    #[inline]
    pub(crate) fn new(
        loss: &Loss,
        samples: usize,
        counted: usize,
        weights: Option<impl Iterator<Item = R>>,
    ) -> Self {
        let (zero, count) = (R::lit(0.0), R::lit(samples as f64));
        let weighted = weights.is_some();
        let masked = loss.ignore_class().is_some();
        let sum = weights.map_or(R::lit(counted as f64), |weights| weights.fold(zero, |sum, w| sum + w));
        let makes_up = masked && loss.reduction == Reduction::SumOverBatchSize;
        let scale = match counted {
            _ if !makes_up => R::lit(1.0),
            0 => zero,
            _ => count / R::lit(counted as f64),
        };
        let divisor = match loss.reduction {
            // One loss for the batch is not summed.
            _ if loss.is_of_batch() && !weighted => count,
            Reduction::SumOverBatchSize => count,
            Reduction::Sum => R::lit(1.0),
            Reduction::MeanWithSampleWeight => sum,
        };
        let share = R::select(divisor.equals(zero), zero, R::lit(1.0) / divisor);
        let whole = if weighted { sum * share } else { R::lit(1.0) };
        Self { scale: (weighted || masked).then_some(scale), divisor, share, whole }
    }

    /// A sample's loss as it enters the sum.
    #[inline(always)]
    pub(crate) fn loss(&self, loss: R, weight: Option<R>) -> R {
        self.scale.map_or(loss, |scale| loss * self.weight(scale, weight))
    }

    /// What a sample's gradient is multiplied with.
    #[inline(always)]
    pub(crate) fn share(&self, weight: Option<R>) -> R {
        self.scale.map_or(self.share, |scale| self.weight(scale, weight) * self.share)
    }

    /// What the gradient is multiplied with where the loss is one of the whole batch.
    #[inline(always)]
    pub(crate) fn whole(&self) -> R {
        self.whole
    }

    #[inline(always)]
    fn weight(&self, scale: R, weight: Option<R>) -> R {
        weight.map_or(scale, |weight| weight * scale)
    }

    /// The batch's loss from the sum of what [`Weighing::loss`] gave.
    #[inline(always)]
    pub(crate) fn total(&self, sum: R) -> R {
        let zero = R::lit(0.0);
        R::select(self.divisor.equals(zero), zero, sum / self.divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dice, MeanSquaredError, SparseCategoricalCrossentropy};
    use super::*;

    /// Losses 1, 2, 3 with weights 0.5, 1, 4, by hand; and the share of each gradient.
    #[test]
    fn worked_out_by_hand() {
        let weights = [0.5, 1.0, 4.0];
        let mse = Loss::from(MeanSquaredError::default());
        for (reduction, total, share) in [
            (Reduction::SumOverBatchSize, 14.5 / 3.0, 4.0 / 3.0),
            (Reduction::Sum, 14.5, 4.0),
            (Reduction::MeanWithSampleWeight, 14.5 / 5.5, 4.0 / 5.5),
        ] {
            let weighing = Weighing::<f64>::new(&mse.reduction(reduction), 3, 3, Some(weights.into_iter()));
            let losses = [1.0, 2.0, 3.0].into_iter().zip(weights);
            let sum: f64 = losses.map(|(loss, w)| weighing.loss(loss, Some(w))).sum();
            assert!((weighing.total(sum) - total).abs() < 1e-15, "{reduction:?}");
            assert!((weighing.share(Some(4.0)) - share).abs() < 1e-15, "{reduction:?}");
        }
        let plain = Weighing::<f64>::new(&mse, 4, 4, None::<std::iter::Empty<f64>>);
        assert_eq!((plain.loss(3.0, None), plain.share(None), plain.total(6.0)), (3.0, 0.25, 1.5));
    }

    #[test]
    fn the_others_make_up_for_ignored_samples_but_not_where_all_are() {
        let loss: Loss = SparseCategoricalCrossentropy { ignore_class: Some(1), ..Default::default() }.into();
        let none = || None::<std::iter::Empty<f64>>;
        let weighing = Weighing::new(&loss, 4, 2, none());
        assert_eq!((weighing.loss(3.0, None), weighing.share(None)), (6.0, 0.5));
        let weighing = Weighing::new(&loss.reduction(Reduction::MeanWithSampleWeight), 4, 2, none());
        assert_eq!((weighing.loss(3.0, None), weighing.share(None)), (3.0, 0.5));
        let empty = Weighing::new(&loss.reduction(Reduction::MeanWithSampleWeight), 4, 0, none());
        assert_eq!((empty.share(None), empty.total(0.0)), (0.0, 0.0));
    }

    /// The loss of a batch is weighed with the samples' mean weight, and never summed without weights.
    #[test]
    fn a_loss_of_the_whole_batch() {
        let dice = Loss::from(Dice::default()).reduction(Reduction::Sum);
        let plain = Weighing::<f64>::new(&dice, 3, 3, None::<std::iter::Empty<f64>>);
        assert_eq!((plain.total(3.0 * 0.25), plain.whole()), (0.25, 1.0));
        let weighed = Weighing::<f64>::new(&dice, 2, 2, Some([0.5, 1.0].into_iter()));
        assert_eq!((weighed.whole(), weighed.loss(0.5, Some(0.5))), (1.5, 0.25));
    }
}
