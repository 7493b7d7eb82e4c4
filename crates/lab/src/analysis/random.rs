//! Random designs: which factors matter when everything varied at once.

use super::Metric;
use crate::format::short;
use crate::record::{Design, FactorRecord, StudyRecord, TrialRecord};
use crate::statistics::importance::{self, Importance, Input, MOST_LEVELS};
use crate::statistics::summary::mean;
use serde::Serialize;

/// Into how many equal parts a range, or a long list of numbers, is divided.
const PARTS: usize = 12;

/// What each factor explains of one metric. Factors stand in the order of [`StudyRecord::factors`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorImportance {
    /// What is explained.
    pub metric: Metric,
    /// For each factor what its levels, or the parts its range was divided into, are called.
    pub labels: Vec<Vec<String>>,
    /// The shares.
    pub importance: Importance,
}

/// One per metric; empty unless the design is random, and where too little was run.
pub(super) fn importance(study: &StudyRecord, trials: &[Vec<&TrialRecord>]) -> Vec<FactorImportance> {
    if !matches!(study.design, Design::Random | Design::QuasiRandom) {
        return Vec::new();
    }
    let of = |metric: Metric| {
        let values = trials
            .iter()
            .map(|trials| mean(&trials.iter().filter_map(|trial| metric.of(trial)).collect::<Vec<_>>()));
        let scored: Vec<(usize, f64)> =
            values.enumerate().filter_map(|(variant, value)| Some((variant, value?))).collect();
        let values: Vec<f64> = scored.iter().map(|(_, value)| *value).collect();
        let divided: Vec<Divided> = study.factors.iter().map(Divided::of).collect();
        let inputs: Vec<Input> = divided
            .iter()
            .enumerate()
            .map(|(factor, divided)| Input {
                levels: divided.labels.len(),
                ordered: divided.ordered,
                of: scored
                    .iter()
                    .map(|(variant, _)| divided.part[study.variants[*variant].levels[factor]])
                    .collect(),
            })
            .collect();
        let importance = importance::of(&values, &inputs, 0)?;
        let labels = divided.into_iter().map(|divided| divided.labels).collect();
        Some(FactorImportance { metric, labels, importance })
    };
    Metric::ALL.into_iter().filter_map(of).collect()
}

/// A factor's levels as the forest sees them.
struct Divided {
    labels: Vec<String>,
    ordered: bool,
    /// The part each level falls into.
    part: Vec<usize>,
}

impl Divided {
    fn of(factor: &FactorRecord) -> Self {
        let numbers: Option<Vec<f64>> = factor.levels.iter().map(|level| level.number()).collect();
        match numbers {
            Some(numbers) if factor.range.is_some() || numbers.len() > MOST_LEVELS => {
                let log = factor
                    .range
                    .map_or_else(|| numbers.iter().all(|number| *number > 0.0), |range| range.log);
                Self::numbers(&numbers, factor.range.map(|range| [range.low, range.high]), log)
            }
            numbers => Self {
                labels: factor.levels.iter().map(|level| level.label.clone()).collect(),
                ordered: numbers.is_some(),
                part: (0..factor.levels.len()).collect(),
            },
        }
    }

    fn numbers(numbers: &[f64], range: Option<[f64; 2]>, log: bool) -> Self {
        let scale = |value: f64| if log { value.ln() } else { value };
        let back = |value: f64| if log { value.exp() } else { value };
        let found = numbers.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &number| {
            [low.min(number), high.max(number)]
        });
        let [low, high] = range.unwrap_or(found).map(scale);
        let width = (high - low) / PARTS as f64;
        let part = |number: &f64| (((scale(*number) - low) / width).max(0.0) as usize).min(PARTS - 1);
        let label = |part: usize| short(back(low + (part as f64 + 0.5) * width));
        Self {
            labels: (0..PARTS).map(label).collect(),
            ordered: true,
            part: numbers.iter().map(part).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RangeRecord;
    use crate::record::example::study;
    use crate::record::{LevelRecord, VariantRecord};

    #[test]
    fn a_range_is_divided_evenly_on_its_own_scale() {
        let factor = FactorRecord {
            levels: [1e-4, 1.01e-3, 0.99e-2, 1e-1]
                .map(|value: f64| LevelRecord { label: value.to_string(), value: value.into() })
                .to_vec(),
            range: Some(RangeRecord { low: 1e-4, high: 1e-1, log: true }),
            ..study(1).factors[0].clone()
        };
        let divided = Divided::of(&factor);
        assert_eq!((divided.part, divided.labels.len(), divided.ordered), (vec![0, 4, 7, 11], 12, true));
        assert_eq!(divided.labels[0], "0.00013");
    }

    #[test]
    fn the_factor_that_matters_is_found() {
        let mut study = study(1);
        study.design = Design::Random;
        let variant =
            |i: usize| VariantRecord { levels: vec![i % 3, i / 3 % 3], ..study.variants[0].clone() };
        study.variants = (0..45).map(variant).collect();
        let trials: Vec<TrialRecord> = (0..45)
            .map(|i| {
                crate::record::example::trial("m", 1, 0.9, [0.8, 0.85, 0.7][i % 3] + 0.001 * (i / 9) as f64)
            })
            .collect();
        let trials: Vec<Vec<&TrialRecord>> = trials.iter().map(|trial| vec![trial]).collect();
        let found = importance(&study, &trials);
        let test = found.iter().find(|found| found.metric == Metric::Test).unwrap();
        assert!(test.importance.single[0] > 0.9 && test.importance.single[1] < 0.05, "{test:?}");
        assert_eq!(test.labels[1], ["glorot_uniform", "glorot_normal", "zeros"]);
    }
}
