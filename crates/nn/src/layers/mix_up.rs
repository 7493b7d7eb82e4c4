//! MixUp: every sample and its target mixed with those of another sample of the batch, in training.
//!
//! `λ·x + (1 − λ)·x′`, and the same of the targets, with λ from Beta(alpha, alpha) for each sample. Where Keras wants
//! the layer called on pictures and labels together, here it stands in the model; the loss must take rows of
//! targets. Source: Zhang et al. 2018; Keras `keras/src/layers/preprocessing/image_preprocessing/mix_up.py`.

use super::LayerRule;
use super::setters::setters;
use crate::ops::{Augment, Draws, Forward, Op, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Mixes samples and their targets in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixUp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "alpha")]
    alpha: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl MixUp {
    /// Keras's default.
    pub fn new() -> Self {
        Self { name: None, alpha: alpha(), seed: None }
    }

    setters!(name "mix_up");

    /// Sets how much is mixed: small numbers leave most samples almost alone. Above 0.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    setters!(seed);
}

fn alpha() -> f64 {
    0.2
}

impl Default for MixUp {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for MixUp {
    fn class_name(&self) -> &'static str {
        "MixUp"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        if self.alpha.is_finite() && self.alpha > 0.0 {
            return Ok(());
        }
        Err(format!("alpha: expected a finite number above 0, received {}", self.alpha))
    }

    fn lower(&self, to: &mut Forward, _input: &Shape, x: ValueId) -> ValueId {
        if !to.training {
            return x;
        }
        let draws = Draws { purpose: Purpose::Augmentation, name: to.layer_name.clone(), seed: self.seed };
        let mix = to.value("mix", 2);
        to.push(Op::Augment(Augment::MixDraws { alpha: self.alpha, draws, mix }));
        let out = to.value_like("mixed", x);
        to.push(Op::Augment(Augment::Mix { x, mix, out }));
        to.mix_targets(mix);
        out
    }
}
