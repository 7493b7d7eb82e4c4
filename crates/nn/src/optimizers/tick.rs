//! How an optimizer counts: which batch moves weights, and at which learning rate.

use super::Optimizer;

/// One batch as the optimizer counts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tick {
    /// The learning rate.
    pub(crate) learning_rate: f64,
    /// Whether weights move: with gradient accumulation only in every so many batches.
    pub(crate) moves: bool,
    /// The number of the update, from 1, that this batch makes or belongs to.
    pub(crate) update: u64,
    /// How much of its value the average of the weights keeps; nothing in the first update's batches.
    pub(crate) ema_momentum: f64,
    /// Whether the average then takes the weights' place.
    pub(crate) overwrites: bool,
}

impl Optimizer {
    /// The batch after so many.
    pub(crate) fn tick(&self, batches: u64) -> Tick {
        let each = self.gradient_accumulation_steps.unwrap_or(1).max(1);
        let update = batches / each + 1;
        let overwrites = |frequency: u64| update.is_multiple_of(frequency);
        Tick {
            learning_rate: self.learning_rate.at(batches),
            moves: (batches + 1).is_multiple_of(each),
            update,
            ema_momentum: if update == 1 { 0.0 } else { self.ema_momentum },
            overwrites: self.use_ema && self.ema_overwrite_frequency.is_some_and(overwrites),
        }
    }

    /// Whether a variable's whole gradient must be known before it moves.
    pub(crate) fn wants_whole_gradients(&self) -> bool {
        self.rule.is_for_variables()
            || self.clipnorm.is_some()
            || self.global_clipnorm.is_some()
            || self.gradient_accumulation_steps.is_some()
    }

    /// Whether it looks at the length of gradients.
    pub(crate) fn wants_norms(&self) -> bool {
        self.clipnorm.is_some() || self.global_clipnorm.is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::optimizers::Sgd;
    use crate::schedules::PiecewiseConstantDecay;

    use super::*;

    #[test]
    fn accumulation_counts_batches_and_updates() {
        let rates = PiecewiseConstantDecay::new([3], [0.1, 0.01]);
        let optimizer = Optimizer::new(Sgd::default()).learning_rate(rates).gradient_accumulation_steps(3);
        let optimizer = optimizer.ema(0.9, Some(2));
        let ticks: Vec<Tick> = (0..7).map(|batches| optimizer.tick(batches)).collect();
        assert_eq!(
            ticks.iter().map(|t| t.moves).collect::<Vec<_>>(),
            [false, false, true, false, false, true, false]
        );
        assert_eq!(ticks.iter().map(|t| t.update).collect::<Vec<_>>(), [1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(
            ticks.iter().map(|t| t.learning_rate).collect::<Vec<_>>(),
            [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
        );
        assert_eq!(ticks.iter().map(|t| t.ema_momentum).collect::<Vec<_>>()[1..4], [0.0, 0.0, 0.9]);
        assert_eq!(
            ticks.iter().map(|t| t.overwrites).collect::<Vec<_>>()[2..],
            [false, true, true, true, false]
        );
    }
}
