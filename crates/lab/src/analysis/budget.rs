//! The variance budget: how much of the spread over seeds each random stream makes.
//!
//! The baseline is run with one stream from many seeds and all others held. If streams acted independently, their variances
//! would add up to the variance with all of them varied; what is missing or too much is how they act together, and the
//! error of so few runs.

use super::Metric;
use crate::record::{BudgetStream, StudyRecord};
use crate::statistics::spread::Deviation;
use serde::Serialize;

/// The spread of one metric, stream by stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// What spreads.
    pub metric: Metric,
    /// With all streams varied: the baseline over the study's seeds.
    pub whole: Deviation,
    /// Each stream varied alone.
    pub lines: Vec<BudgetLine>,
}

/// One stream varied alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BudgetLine {
    /// The stream.
    pub stream: BudgetStream,
    /// The spread it makes.
    pub spread: Deviation,
    /// Its variance as a share of the whole one's; `None` if nothing spreads. May exceed 1 by chance.
    pub share: Option<f64>,
}

impl BudgetStream {
    /// What a person calls it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Init => "first weights",
            Self::Order => "order of pictures",
            Self::Dropout => "dropout",
        }
    }
}

/// One budget per metric; empty without trials of that arm.
pub(super) fn budgets(study: &StudyRecord) -> Vec<Budget> {
    let of = |metric: Metric| {
        let whole: Vec<f64> = study.main(0).filter_map(|trial| metric.of(&trial.trial)).collect();
        let whole = Deviation::of(&whole)?;
        let line = |stream: BudgetStream| {
            let values: Vec<f64> = study.budget(stream).filter_map(|trial| metric.of(&trial.trial)).collect();
            let spread = Deviation::of(&values)?;
            let share = (whole.value > 0.0).then(|| (spread.value / whole.value).powi(2));
            Some(BudgetLine { stream, spread, share })
        };
        let streams = [BudgetStream::Init, BudgetStream::Order, BudgetStream::Dropout];
        let lines: Vec<BudgetLine> = streams.into_iter().filter_map(line).collect();
        (!lines.is_empty()).then_some(Budget { metric, whole, lines })
    };
    Metric::ALL.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn each_stream_has_its_share() {
        let found = budgets(&study(10));
        let test = found.iter().find(|budget| budget.metric == Metric::Test).unwrap();
        let streams: Vec<BudgetStream> = test.lines.iter().map(|line| line.stream).collect();
        assert_eq!(
            streams,
            [BudgetStream::Init, BudgetStream::Order],
            "a baseline without dropout has no third"
        );
        // The example scatters half as much over orders as over seeds.
        assert!((test.lines[0].share.unwrap() - 1.0).abs() < 1e-9, "{test:?}");
        assert!((test.lines[1].share.unwrap() - 0.25).abs() < 1e-9, "{test:?}");
        let mut without = study(10);
        without.trials.retain(|trial| trial.arm == crate::record::Arm::Main);
        assert!(budgets(&without).is_empty());
    }
}
