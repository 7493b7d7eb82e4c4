//! One cycle: up to `max`, down again, and far below the start at the end.
//!
//! From `max / div_factor` to `max` over the first `pct_start` of the steps, then to
//! `max / div_factor / final_div_factor` over the rest, each along half a cosine wave or a straight line. With
//! `three_phase` the way down takes as long as the way up and ends where that began, and the rest of the steps
//! leads to the final learning rate.
//!
//! Source: Smith and Topin 2019. Keras has no such schedule: parameters, defaults and arithmetic are those of
//! PyTorch's `torch.optim.lr_scheduler.OneCycleLR`, without its cycling of the momentum. After the last step the final
//! learning rate stays, where PyTorch raises an error.

use super::{Schedule, positive};
use crate::config::{InvalidParameter, Value, require};
use serde::{Deserialize, Serialize};

/// The way from one learning rate to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine wave.
    Cos,
    /// A straight line.
    Linear,
}

/// Up, down, and far down.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The highest learning rate, > 0.
    pub max_learning_rate: f64,
    /// How many steps the cycle takes.
    pub total_steps: u64,
    /// The share of the steps on the way up, between 0 and 1 (with `three_phase` below ½).
    pub pct_start: f64,
    /// The way between learning rates.
    pub anneal_strategy: Anneal,
    /// How far below the highest it starts; > 0.
    pub div_factor: f64,
    /// How far below the start it ends; > 0.
    pub final_div_factor: f64,
    /// Whether the way down is as long as the way up.
    pub three_phase: bool,
}

impl OneCycle {
    pub(super) const NAME: &'static str = "one_cycle";

    /// 30% of the steps up from a 25th, then down to a 10,000th of that, along cosine waves.
    pub fn new(max_learning_rate: f64, total_steps: u64) -> Self {
        Self {
            max_learning_rate,
            total_steps,
            pct_start: 0.3,
            anneal_strategy: Anneal::Cos,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        let strategy = match self.anneal_strategy {
            Anneal::Cos => "cos",
            Anneal::Linear => "linear",
        };
        vec![
            ("max_learning_rate", self.max_learning_rate.into()),
            ("total_steps", self.total_steps.into()),
            ("pct_start", self.pct_start.into()),
            ("anneal_strategy", strategy.into()),
            ("div_factor", self.div_factor.into()),
            ("final_div_factor", self.final_div_factor.into()),
            ("three_phase", self.three_phase.into()),
        ]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        positive(Self::NAME, "max_learning_rate", self.max_learning_rate)?;
        positive(Self::NAME, "div_factor", self.div_factor)?;
        positive(Self::NAME, "final_div_factor", self.final_div_factor)?;
        let most = if self.three_phase { 0.5 } else { 1.0 };
        let share = self.pct_start > 0.0 && self.pct_start < most;
        let expected = if self.three_phase { "above 0 and below 0.5" } else { "above 0 and below 1" };
        require(share, Self::NAME, "pct_start", expected, self.pct_start)?;
        let phases = self.phases();
        let ends: Vec<f64> = phases.iter().map(|phase| phase.0).collect();
        let apart = ends.iter().fold((true, 0.0), |(apart, last), &end| (apart && end > last, end)).0;
        let expected = "enough that every phase has a step of its own";
        require(apart, Self::NAME, "total_steps", expected, self.total_steps)
    }

    /// The last step of every phase and its learning rate; they start at step 0 from `max / div_factor`.
    fn phases(&self) -> Vec<(f64, f64)> {
        let (max, total) = (self.max_learning_rate, self.total_steps as f64);
        let start = max / self.div_factor;
        let last = (total - 1.0, start / self.final_div_factor);
        let up = (self.pct_start * total - 1.0, max);
        if self.three_phase {
            vec![up, (2.0 * self.pct_start * total - 2.0, start), last]
        } else {
            vec![up, last]
        }
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let step = step as f64;
        let mut from = (0.0, self.max_learning_rate / self.div_factor);
        for to in self.phases() {
            if step <= to.0 {
                let passed = (step - from.0) / (to.0 - from.0);
                return match self.anneal_strategy {
                    Anneal::Cos => to.1 + (from.1 - to.1) * super::half_wave(passed),
                    Anneal::Linear => (to.1 - from.1) * passed + from.1,
                };
            }
            from = to;
        }
        from.1
    }
}

impl From<OneCycle> for Schedule {
    fn from(schedule: OneCycle) -> Self {
        Self::OneCycle(schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that PyTorch's documentation and source give: worked out by hand from its formula.
    #[test]
    fn the_corners_are_pytorchs() {
        let cycle = OneCycle::new(0.1, 100);
        for (step, rate) in [(0, 0.004), (29, 0.1), (99, 4e-7), (1000, 4e-7)] {
            assert!((cycle.at(step) - rate).abs() < 1e-15, "step {step}: {}", cycle.at(step));
        }
        // Half way up, and half way down between steps 29 and 99.
        let linear = OneCycle { anneal_strategy: Anneal::Linear, ..OneCycle::new(0.1, 100) };
        assert!((linear.at(64) - (0.1 + 4e-7) / 2.0).abs() < 1e-15);
        assert!((cycle.at(64) - (0.1 + 4e-7) / 2.0).abs() < 1e-15);
        let three = OneCycle { three_phase: true, ..linear };
        for (step, rate) in [(29, 0.1), (58, 0.004), (99, 4e-7)] {
            assert!((three.at(step) - rate).abs() < 1e-15, "step {step}: {}", three.at(step));
        }
    }

    #[test]
    fn a_phase_needs_a_step() {
        let cycle =
            |total_steps| OneCycle::new(0.1, total_steps).validate().map_err(|error| error.to_string());
        assert_eq!(cycle(4), Ok(()));
        let expected = "one_cycle: total_steps must be enough that every phase has a step of its own, but is";
        for steps in [0, 1, 2, 3] {
            assert_eq!(cycle(steps), Err(format!("{expected} {steps}")));
        }
    }
}
