//! What models are compared on.

use crate::record::{EpochRecord, TrialRecord};
use crate::statistics::sentence::{self, Measure};
use serde::Serialize;

/// What models are compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Training accuracy.
    Training,
    /// Test accuracy.
    Test,
    /// Training minus test accuracy.
    Gap,
    /// Test loss, penalties included.
    Loss,
}

impl Metric {
    /// Those of a lesson, in the order they are shown.
    pub const COMPARED: [Self; 3] = [Self::Training, Self::Test, Self::Gap];

    /// Those of a study, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Training, Self::Test, Self::Gap, Self::Loss];

    /// Its words.
    pub fn measure(self) -> Measure {
        match self {
            Self::Training => sentence::TRAINING,
            Self::Test => sentence::TEST,
            Self::Gap => sentence::GAP,
            Self::Loss => sentence::LOSS,
        }
    }

    /// Its value at the end of an epoch.
    pub fn at(self, epoch: &EpochRecord) -> f64 {
        match self {
            Self::Training => epoch.train_accuracy,
            Self::Test => epoch.test_accuracy,
            Self::Gap => epoch.gap(),
            Self::Loss => epoch.test_loss,
        }
    }

    /// Its value at the end of a finished trial; `None` for a trial that did not finish, and a loss that is not finite.
    pub fn of(self, trial: &TrialRecord) -> Option<f64> {
        trial.outcome().map(|epoch| self.at(epoch)).filter(|value| value.is_finite())
    }
}
