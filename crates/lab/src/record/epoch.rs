//! One pass over the training set and what was measured at its end.

use super::number;
use serde::{Deserialize, Serialize};

/// What one epoch measured. Accuracies are fractions from 0 to 1; losses include regularization penalties, as Keras
/// reports them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which epoch, from 1.
    pub epoch: usize,
    /// Keras's progress-bar loss: averaged over the epoch while the weights still move, dropout on.
    #[serde(with = "number")]
    pub running_loss: f64,
    /// Keras's progress-bar accuracy: averaged over the epoch while the weights still move, dropout on.
    #[serde(with = "number")]
    pub running_accuracy: f64,
    /// Loss on the training set with the weights at the end of the epoch, in inference mode.
    #[serde(with = "number")]
    pub train_loss: f64,
    /// Accuracy on the training set with the weights at the end of the epoch, in inference mode.
    #[serde(with = "number")]
    pub train_accuracy: f64,
    /// Loss on the test set with the weights at the end of the epoch, in inference mode.
    #[serde(with = "number")]
    pub test_loss: f64,
    /// Accuracy on the test set with the weights at the end of the epoch, in inference mode.
    #[serde(with = "number")]
    pub test_accuracy: f64,
    /// Seconds of training, evaluation not included.
    pub seconds: f64,
}

impl EpochRecord {
    /// Training accuracy minus test accuracy, both in inference mode on the same weights.
    pub fn gap(&self) -> f64 {
        self.train_accuracy - self.test_accuracy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diverged_numbers_survive_json() {
        let epoch = EpochRecord {
            epoch: 3,
            running_loss: f64::INFINITY,
            running_accuracy: 0.5,
            train_loss: f64::NAN,
            train_accuracy: 0.25,
            test_loss: 1.5,
            test_accuracy: 0.125,
            seconds: 0.2,
        };
        let json = serde_json::to_string(&epoch).unwrap();
        assert!(json.contains(r#""train_loss":null"#), "{json}");
        let back: EpochRecord = serde_json::from_str(&json).unwrap();
        assert!(back.running_loss.is_nan() && back.train_loss.is_nan());
        assert_eq!((back.test_loss, back.gap()), (1.5, 0.125));
    }
}
