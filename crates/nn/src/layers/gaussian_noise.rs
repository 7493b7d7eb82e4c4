//! GaussianNoise: in training a normal number of mean 0 and standard deviation `stddev` is added to each input.
//!
//! Source: Keras `keras/src/layers/regularization/gaussian_noise.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Draws, Forward, Noise, Op, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Adds random numbers in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    stddev: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl GaussianNoise {
    /// Noise with this standard deviation, from 0 to 1.
    pub fn new(stddev: f64) -> Self {
        Self { name: None, stddev, seed: None }
    }

    setters!(name "gaussian_noise");
    setters!(seed);
}

impl LayerRule for GaussianNoise {
    fn class_name(&self) -> &'static str {
        "GaussianNoise"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        if (0.0..=1.0).contains(&self.stddev) {
            return Ok(());
        }
        Err(format!("stddev: expected a number from 0 to 1, received {}", self.stddev))
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        if !to.training || self.stddev == 0.0 {
            return x;
        }
        let draws = Draws { purpose: Purpose::Noise, name: to.layer_name.clone(), seed: self.seed };
        let [noise, out] = ["noise", "noisy"].map(|what| to.value_like(what, x));
        to.push(Op::Noise(Noise::Normal { mean: 0.0, stddev: self.stddev, draws, out: noise }));
        to.push(Op::Noise(Noise::Add { x, noise, out }));
        out
    }
}
