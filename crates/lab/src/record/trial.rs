//! One recipe run with one seed.

use super::{EpochRecord, LayerDiagnostics};
use serde::{Deserialize, Serialize};

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// All epochs were run.
    Finished,
    /// The loss stopped being a number, and training with it.
    Diverged {
        /// The epoch, from 1, during which it happened.
        epoch: usize,
        /// What was seen, as in "loss is NaN".
        reason: String,
    },
    /// Somebody stopped it.
    Interrupted {
        /// How many epochs were complete by then.
        epoch: usize,
    },
}

/// One recipe run with one seed: how it ended and what each complete epoch measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The model's name, as in "model 1".
    pub model: String,
    /// The seed all random streams of the trial come from.
    pub seed: u64,
    /// How it ended.
    pub status: TrialStatus,
    /// The epochs that were completed, in order.
    pub epochs: Vec<EpochRecord>,
    /// What the final weights measure, where they are not those of the last epoch's end: the best ones that `EarlyStopping`
    /// put back, or averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EpochRecord>,
    /// Seconds from start to end, evaluation included.
    pub seconds: f64,
    /// What its layers look like from inside, in the model's order; empty in records that are older than this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<LayerDiagnostics>,
}

impl TrialRecord {
    /// The last completed epoch, however the trial ended.
    pub fn last_epoch(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }

    /// What the final weights of a finished trial measure: what statistics are made of. `None` for a trial that diverged
    /// or was interrupted, because its numbers answer another question.
    pub fn outcome(&self) -> Option<&EpochRecord> {
        self.ended.as_ref().or(self.epochs.last()).filter(|_| self.status == TrialStatus::Finished)
    }

    /// The running accuracy of the last epoch of a finished trial, 0 to 1.
    pub fn running_accuracy(&self) -> Option<f64> {
        self.outcome().map(|epoch| epoch.running_accuracy)
    }

    /// The training accuracy of a finished trial, inference mode, final weights, 0 to 1.
    pub fn training_accuracy(&self) -> Option<f64> {
        self.outcome().map(|epoch| epoch.train_accuracy)
    }

    /// The test accuracy of a finished trial, inference mode, final weights, 0 to 1.
    pub fn test_accuracy(&self) -> Option<f64> {
        self.outcome().map(|epoch| epoch.test_accuracy)
    }

    /// Training accuracy minus test accuracy of a finished trial, −1 to 1.
    pub fn gap(&self) -> Option<f64> {
        self.outcome().map(EpochRecord::gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(status: TrialStatus) -> TrialRecord {
        let epoch = |epoch| EpochRecord {
            epoch,
            running_loss: 0.3,
            running_accuracy: 0.75,
            train_loss: 0.2,
            train_accuracy: 1.0,
            test_loss: 0.4,
            test_accuracy: 0.875,
            seconds: 1.0,
            metrics: Default::default(),
        };
        TrialRecord {
            model: "model 1".into(),
            seed: 1,
            status,
            epochs: vec![epoch(1), epoch(2)],
            ended: None,
            seconds: 3.0,
            diagnostics: Vec::new(),
        }
    }

    #[test]
    fn only_a_finished_trial_has_an_outcome() {
        let finished = trial(TrialStatus::Finished);
        assert_eq!(finished.outcome().map(|epoch| epoch.epoch), Some(2));
        assert_eq!((finished.running_accuracy(), finished.training_accuracy()), (Some(0.75), Some(1.0)));
        assert_eq!((finished.test_accuracy(), finished.gap()), (Some(0.875), Some(0.125)));
        let diverged = trial(TrialStatus::Diverged { epoch: 3, reason: "loss is NaN".into() });
        assert_eq!(
            (diverged.test_accuracy(), diverged.last_epoch().map(|epoch| epoch.epoch)),
            (None, Some(2))
        );
        assert_eq!(trial(TrialStatus::Interrupted { epoch: 2 }).gap(), None);
        let ended = finished.epochs.last().map(|last| EpochRecord { test_accuracy: 0.5, ..last.clone() });
        assert_eq!(TrialRecord { ended, ..finished }.test_accuracy(), Some(0.5));
    }

    #[test]
    fn status_is_readable_json() {
        let json = serde_json::to_value(trial(TrialStatus::Interrupted { epoch: 2 }).status).unwrap();
        assert_eq!(json, serde_json::json!({"interrupted": {"epoch": 2}}));
        assert_eq!(serde_json::to_value(TrialStatus::Finished).unwrap(), serde_json::json!("finished"));
    }
}
