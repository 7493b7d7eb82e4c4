//! What separates the running accuracy, which a progress bar shows, from the training accuracy.
//!
//! Over an epoch the weights move from where the training accuracy was T₀ to where it is T₁, so half of T₁ − T₀ is *lag*: the
//! mean of an epoch belongs to weights half an epoch old. What is still missing, (T₀ + T₁)/2 − running, is *noise*: dropout
//! silences units while the bar is measured, and each picture is measured before the epoch has shown it. Without dropout
//! only that second part is left, so the baseline's noise tells how large it is. The halves assume that accuracy moves evenly
//! over the epoch, which holds well after the first few.

use crate::record::TrialRecord;
use crate::statistics::summary::{Summary, mean};
use serde::Serialize;

/// The running accuracy of the last epoch taken apart: running = fit − lag − noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RunningSplit {
    /// The running accuracy, 0 to 1.
    pub running: Summary,
    /// The training accuracy of the final weights, 0 to 1.
    pub fit: Summary,
    /// What the weights gained in the second half of the epoch.
    pub lag: Summary,
    /// What dropout and not having seen the picture in this epoch cost.
    pub noise: Summary,
}

impl RunningSplit {
    /// Over the finished trials of two epochs or more; `None` without one.
    pub fn of(trials: &[&TrialRecord]) -> Option<Self> {
        let parts = trials.iter().filter_map(|trial| {
            let last = trial.outcome()?;
            let before = trial.epochs.iter().rev().nth(1)?;
            let middle = mean(&[before.train_accuracy, last.train_accuracy])?;
            Some([
                last.running_accuracy,
                last.train_accuracy,
                last.train_accuracy - middle,
                middle - last.running_accuracy,
            ])
        });
        let parts: Vec<[f64; 4]> = parts.collect();
        let part = |index: usize| Summary::of(&parts.iter().map(|parts| parts[index]).collect::<Vec<_>>());
        Some(Self { running: part(0)?, fit: part(1)?, lag: part(2)?, noise: part(3)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::trial;

    #[test]
    fn the_parts_add_up() {
        // The example's training accuracy rises by 2 points in the last epoch and its running accuracy is 3 points lower.
        let trial = trial("m", 1, 0.99, 0.97);
        let split = RunningSplit::of(&[&trial]).unwrap();
        assert!(
            (split.lag.mean - 0.01).abs() < 1e-12 && (split.noise.mean - 0.02).abs() < 1e-12,
            "{split:?}"
        );
        assert!((split.fit.mean - split.lag.mean - split.noise.mean - split.running.mean).abs() < 1e-12);
        let mut short = trial.clone();
        short.epochs.truncate(1);
        assert_eq!(RunningSplit::of(&[&short]), None);
    }
}
