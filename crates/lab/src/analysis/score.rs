//! How one model did, over its seeds.

use crate::record::{TrialRecord, TrialStatus};
use crate::statistics::summary::Summary;
use serde::Serialize;

use super::Metric;

/// How one model did. Only finished trials are scored; one that diverged or was interrupted is counted, never averaged in and
/// never dropped in silence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The model's name.
    pub model: String,
    /// How many of its trials finished, and so are in the numbers below.
    pub finished: usize,
    /// How many diverged.
    pub diverged: usize,
    /// How many were interrupted.
    pub interrupted: usize,
    /// Running accuracy of the last epoch, 0 to 1; this and the rest are `None` if no trial finished.
    pub running: Option<Summary>,
    /// Training accuracy, inference mode, final weights, 0 to 1.
    pub training: Option<Summary>,
    /// Test accuracy, inference mode, final weights, 0 to 1.
    pub test: Option<Summary>,
    /// Training minus test accuracy.
    pub gap: Option<Summary>,
    /// Test loss, penalties included.
    pub loss: Option<Summary>,
}

impl Score {
    /// The score of a model by its trials.
    pub fn of(model: &str, trials: &[&TrialRecord]) -> Self {
        let over = |value: &dyn Fn(&TrialRecord) -> Option<f64>| {
            Summary::of(&trials.iter().filter_map(|trial| value(trial)).collect::<Vec<_>>())
        };
        let metric = |metric: Metric| over(&|trial| metric.of(trial));
        let ended =
            |matches: fn(&TrialStatus) -> bool| trials.iter().filter(|trial| matches(&trial.status)).count();
        Self {
            model: model.to_owned(),
            finished: ended(|status| matches!(status, TrialStatus::Finished)),
            diverged: ended(|status| matches!(status, TrialStatus::Diverged { .. })),
            interrupted: ended(|status| matches!(status, TrialStatus::Interrupted { .. })),
            running: over(&|trial| trial.running_accuracy()),
            training: metric(Metric::Training),
            test: metric(Metric::Test),
            gap: metric(Metric::Gap),
            loss: metric(Metric::Loss),
        }
    }

    /// The summary of a metric.
    pub fn metric(&self, metric: Metric) -> Option<Summary> {
        match metric {
            Metric::Training => self.training,
            Metric::Test => self.test,
            Metric::Gap => self.gap,
            Metric::Loss => self.loss,
        }
    }
}
