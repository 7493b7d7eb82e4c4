//! What EarlyStopping, ReduceLROnPlateau and ModelCheckpoint share: a number that should get better.
//!
//! Source: Keras `keras/src/callbacks/monitor_callback.py`.

use crate::history::Logs;
use crate::metrics::Metric;
use serde::{Deserialize, Serialize};

/// Which way a number gets better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Accuracies, precision, recall, F scores, AUC and margins should grow; all others should shrink.
    #[default]
    Auto,
    /// It should shrink.
    Min,
    /// It should grow.
    Max,
}

/// A number by the name it has in [`crate::History`], and the best it has been.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    pub(super) best: Option<f64>,
}

impl Monitor {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), mode: Mode::Auto, min_delta: 0.0, best: None }
    }

    pub(super) fn get(&self, logs: &Logs) -> Option<f64> {
        logs.get(&self.name)
    }

    /// Whether the number is better than the best so far; NaN never is.
    pub(super) fn improves(&self, value: f64) -> bool {
        self.best.map_or(!value.is_nan(), |best| self.is_better(value, best))
    }

    /// Whether it is better than another by more than `min_delta`.
    pub(super) fn is_better(&self, value: f64, than: f64) -> bool {
        if self.should_grow() { value - self.min_delta > than } else { value + self.min_delta < than }
    }

    fn should_grow(&self) -> bool {
        match self.mode {
            Mode::Min => false,
            Mode::Max => true,
            Mode::Auto => {
                let shrinks = ["expected_calibration_error", "root_mean_squared_error"];
                let grows = Metric::NAMES.iter().filter(|name| !shrinks.contains(name));
                // The second metric of a name has a number behind it.
                let plain = self.name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
                grows.chain(&["accuracy"]).any(|name| plain.ends_with(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_follows_from_the_name() {
        for (name, grows) in [
            ("loss", false),
            ("val_accuracy", true),
            ("val_sparse_top_k_categorical_accuracy", true),
            ("val_auc_1", true),
            ("f1_score", true),
            ("mean_margin", true),
            ("val_expected_calibration_error", false),
            ("mean_absolute_error", false),
        ] {
            assert_eq!(Monitor::new(name).should_grow(), grows, "{name}");
        }
        assert!(Monitor { mode: Mode::Max, ..Monitor::new("loss") }.should_grow());
        assert!(!Monitor { mode: Mode::Min, ..Monitor::new("auc") }.should_grow());
    }
}
