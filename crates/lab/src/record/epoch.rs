//! One pass over the training set and what was measured at its end.

use super::number;
use super::numbers::{self, Numbers};
use serde::{Deserialize, Serialize};

/// What one epoch measured. Accuracies are fractions from 0 to 1; losses include regularization penalties, as Keras
/// reports them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What was measured beside loss and accuracy, under the names of Keras's history: metrics of choice (`precision`: running;
    /// with `train_` and `test_`, in inference mode), `val_loss`, `val_accuracy` and the like where there are pictures
    /// to validate with, `learning_rate` where a callback changes it.
    #[serde(default, skip_serializing_if = "Numbers::is_empty", with = "numbers")]
    pub metrics: Numbers,
}

impl EpochRecord {
    /// An epoch of which nothing was measured yet.
    pub(crate) fn new(epoch: usize, seconds: f64) -> Self {
        Self {
            epoch,
            running_loss: f64::NAN,
            running_accuracy: f64::NAN,
            train_loss: f64::NAN,
            train_accuracy: f64::NAN,
            test_loss: f64::NAN,
            test_accuracy: f64::NAN,
            seconds,
            metrics: Numbers::new(),
        }
    }

    /// Puts a number where it belongs, by the name it has in the history.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        let place = match name {
            "loss" => &mut self.running_loss,
            "accuracy" => &mut self.running_accuracy,
            "train_loss" => &mut self.train_loss,
            "train_accuracy" => &mut self.train_accuracy,
            "test_loss" => &mut self.test_loss,
            "test_accuracy" => &mut self.test_accuracy,
            other => self.metrics.entry(other.to_owned()).or_default(),
        };
        *place = value;
    }

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
            metrics: [("auc".to_owned(), 0.75), ("val_loss".to_owned(), f64::INFINITY)].into(),
        };
        let json = serde_json::to_string(&epoch).unwrap();
        assert!(json.contains(r#""train_loss":null"#), "{json}");
        assert!(json.ends_with(r#""metrics":{"auc":0.75,"val_loss":null}}"#), "{json}");
        let back: EpochRecord = serde_json::from_str(&json).unwrap();
        assert!(back.running_loss.is_nan() && back.train_loss.is_nan());
        assert_eq!((back.test_loss, back.gap(), back.metrics["auc"]), (1.5, 0.125, 0.75));
        assert!(back.metrics["val_loss"].is_nan());
        let old = json.split(r#","metrics""#).next().unwrap().to_owned() + "}";
        assert!(serde_json::from_str::<EpochRecord>(&old).unwrap().metrics.is_empty());
    }
}
