//! Dropout: in training each input is 0 with probability `rate`, and times `1/(1 − rate)` otherwise.
//!
//! At inference it does nothing. Source: Srivastava et al. 2014; Keras
//! `keras/src/layers/regularization/dropout.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Draws, Forward, Noise, Op, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Drops a share of the inputs in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl Dropout {
    /// Drops the share `rate`, from 0 to below 1.
    pub fn new(rate: f64) -> Self {
        Self { name: None, rate, seed: None }
    }

    setters!(name "dropout");
    setters!(seed);
}

impl LayerRule for Dropout {
    fn class_name(&self) -> &'static str {
        "Dropout"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        check_rate("rate", self.rate)
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        drop(to, self.rate, self.seed, input.size(), x)
    }
}

/// Refuses what is no share, or all.
pub(super) fn check_rate(parameter: &str, rate: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(format!("{parameter}: expected a number from 0 to below 1, received {rate}"))
}

/// Writes the dropout of all or none of a sample's numbers `i` with equal `i mod channels`.
pub(super) fn drop(to: &mut Forward, rate: f64, seed: Option<u64>, channels: usize, x: ValueId) -> ValueId {
    if !to.training || rate == 0.0 {
        return x;
    }
    let factor = to.value_like("mask", x);
    let draws = Draws { purpose: Purpose::Dropout, name: to.layer_name.clone(), seed };
    to.push(Op::Noise(Noise::Mask { rate, channels, draws, out: factor }));
    let out = to.value_like("dropped", x);
    to.push(Op::Multiply { x, factor, out });
    out
}
