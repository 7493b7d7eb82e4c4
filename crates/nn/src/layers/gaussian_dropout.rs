//! GaussianDropout: in training each input is multiplied by a normal number of mean 1 and variance `rate/(1 − rate)`.
//!
//! Source: Srivastava et al. 2014; Keras `keras/src/layers/regularization/gaussian_dropout.py`.

use super::LayerRule;
use super::dropout::check_rate;
use super::setters::setters;
use crate::ops::{Draws, Forward, Noise, Op, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Multiplies by random numbers around 1 in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianDropout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl GaussianDropout {
    /// As much noise as Dropout of the share `rate`, from 0 to below 1.
    pub fn new(rate: f64) -> Self {
        Self { name: None, rate, seed: None }
    }

    setters!(name "gaussian_dropout");
    setters!(seed);
}

impl LayerRule for GaussianDropout {
    fn class_name(&self) -> &'static str {
        "GaussianDropout"
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
        let stddev = (self.rate / (1.0 - self.rate)).sqrt();
        let draws = Draws { purpose: Purpose::Noise, name: to.layer_name.clone(), seed: self.seed };
        let factor = to.value_like("factor", x);
        to.push(Op::Noise(Noise::Normal { mean: 1.0, stddev, draws, out: factor }));
        let out = to.value_like("noisy", x);
        to.push(Op::Multiply { x, factor, out });
        out
    }
}
