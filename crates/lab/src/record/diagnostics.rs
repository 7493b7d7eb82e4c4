//! What a network looks like from inside while it trains: layer by layer, before the first step and after each epoch.

use super::number;
use serde::{Deserialize, Serialize};

/// One layer with weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDiagnostics {
    /// Its name, as in "dense".
    pub layer: String,
    /// Before training, then after each completed epoch.
    pub states: Vec<LayerState>,
}

/// One layer at one moment, seen through the same few training pictures every time. Norms are Euclidean, over all of
/// the layer's trained variables; numbers are rounded to four digits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerState {
    /// The mean of what it gives, in inference mode.
    #[serde(with = "number")]
    pub mean: f64,
    /// The standard deviation of what it gives.
    #[serde(with = "number")]
    pub deviation: f64,
    /// The share of its outputs that are exactly 0.
    pub zeros: f64,
    /// The share of its units that give 0 for every one of the pictures: with relu, units that learn nothing from them.
    pub dead: f64,
    /// The norm of its weights.
    #[serde(with = "number")]
    pub weights: f64,
    /// The norm of the gradient of the pictures' mean loss, dropout on.
    #[serde(with = "number")]
    pub gradient: f64,
    /// The norm of what the last epoch changed; 0 before training.
    #[serde(with = "number")]
    pub update: f64,
}

impl LayerDiagnostics {
    /// Before training.
    pub fn initial(&self) -> Option<&LayerState> {
        self.states.first()
    }
}
