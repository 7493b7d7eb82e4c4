//! AlphaDropout: dropout that keeps mean 0 and variance 1, for SELU.
//!
//! ```text
//! α′ = −1.6732632423543772·1.0507009873554805        what SELU tends to
//! a = 1/√((1 − rate)·(1 + rate·α′²)), b = −a·α′·rate
//! training:  y = a·x + b, and with probability `rate` a·α′ + b instead
//! ```
//!
//! Source: Klambauer et al. 2017; Keras `keras/src/layers/regularization/alpha_dropout.py`.

use super::LayerRule;
use super::dropout::check_rate;
use super::setters::setters;
use crate::ops::{Draws, Forward, Noise, Op, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Drops a share of the inputs in training; mean and variance stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaDropout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl AlphaDropout {
    /// Drops the share `rate`, from 0 to below 1.
    pub fn new(rate: f64) -> Self {
        Self { name: None, rate, seed: None }
    }

    setters!(name "alpha_dropout");
    setters!(seed);
}

impl LayerRule for AlphaDropout {
    fn class_name(&self) -> &'static str {
        "AlphaDropout"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        check_rate("rate", self.rate)
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        if !to.training || self.rate == 0.0 {
            return x;
        }
        let draws = Draws { purpose: Purpose::Dropout, name: to.layer_name.clone(), seed: self.seed };
        let [factor, offset, scaled, out] =
            ["factor", "offset", "scaled", "dropped"].map(|what| to.value_like(what, x));
        to.push(Op::Noise(Noise::AlphaMask { rate: self.rate, draws, factor, offset }));
        to.push(Op::Multiply { x, factor, out: scaled });
        to.push(Op::Noise(Noise::Add { x: scaled, noise: offset, out }));
        out
    }
}
