//! Piecewise constant: `values[i]` while `t ≤ boundaries[i]`, the last value ever after.
//!
//! Source: Keras `keras/src/optimizers/schedules/learning_rate_schedule.py`.

use super::{Schedule, positive};
use crate::config::{InvalidParameter, Value, require};
use serde::Deserialize;

/// A few learning rates, one after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseConstantDecay {
    /// The last step of each value but the last, rising.
    pub boundaries: Vec<u64>,
    /// The learning rates, one more than there are boundaries; each > 0.
    pub values: Vec<f64>,
}

impl PiecewiseConstantDecay {
    pub(super) const NAME: &'static str = "piecewise_constant_decay";

    /// Step `boundaries[i]` is the last with `values[i]`; steps are counted from 0.
    pub fn new(boundaries: impl Into<Vec<u64>>, values: impl Into<Vec<f64>>) -> Self {
        Self { boundaries: boundaries.into(), values: values.into() }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        let boundaries = self.boundaries.iter().map(|&step| step.into()).collect();
        let values = self.values.iter().map(|&value| value.into()).collect();
        vec![("boundaries", Value::List(boundaries)), ("values", Value::List(values))]
    }

    pub(super) fn validate(&self) -> Result<(), InvalidParameter> {
        let (boundaries, values) = (&self.boundaries, &self.values);
        require(!boundaries.is_empty(), Self::NAME, "boundaries", "at least one step", "none")?;
        let rising = boundaries.windows(2).all(|pair| pair[0] < pair[1]);
        require(rising, Self::NAME, "boundaries", "rising", format_args!("{boundaries:?}"))?;
        let fits = values.len() == boundaries.len() + 1;
        require(fits, Self::NAME, "values", "one more than there are boundaries", values.len())?;
        values.iter().try_for_each(|&value| positive(Self::NAME, "values", value))
    }

    pub(super) fn at(&self, step: u64) -> f64 {
        let passed = self.boundaries.partition_point(|&boundary| boundary < step);
        self.values.get(passed).copied().unwrap_or(f64::NAN)
    }
}

impl From<PiecewiseConstantDecay> for Schedule {
    fn from(schedule: PiecewiseConstantDecay) -> Self {
        Self::PiecewiseConstantDecay(schedule)
    }
}
