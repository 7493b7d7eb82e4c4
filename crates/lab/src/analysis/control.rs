//! The A/A control: the baseline against itself on other seeds, where every effect would be false.
//!
//! One such comparison can only fail or not. How often the whole chain of pairing, interval, p-value and correction calls an
//! effect where there is none is measured by dealing all runs of the baseline into two hands, again and again, and judging each
//! deal as a study's effect is judged.

use super::effect::{Effect, Effort, correct};
use super::{BASELINE, Metric};
use crate::record::{StudyRecord, TrialRecord};
use crate::statistics::holm;
use crate::statistics::paired::PairedEffect;
use crate::statistics::resample::deals;
use crate::statistics::sentence::SIGNIFICANCE;
use serde::Serialize;

/// How often the runs are dealt.
const DEALS: usize = 2_000;

/// The fewest pairs that are worth dealing.
const FEWEST: usize = 4;

/// The baseline against itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// The control runs minus the baseline's, the i-th with the i-th, metric by metric, corrected over all of them.
    pub effects: Vec<Effect>,
    /// How often effects are seen that are not there; `None` with too few runs.
    pub rate: Option<FalsePositives>,
}

/// How often the pipeline calls an effect where there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FalsePositives {
    /// How many runs were dealt into two hands.
    pub runs: usize,
    /// How often.
    pub deals: usize,
    /// The share of deals with p below 0.05, metric by metric, uncorrected: 0.05 is what it should be.
    pub single: Vec<(Metric, f64)>,
    /// The share of deals with any corrected p below 0.05: at most 0.05 is what it should be.
    pub any_corrected: f64,
}

impl Control {
    /// The control of a study; `None` without finished trials of that arm.
    pub fn of(study: &StudyRecord) -> Option<Self> {
        let baseline: Vec<&TrialRecord> = study.main(0).map(|trial| &trial.trial).collect();
        let control: Vec<&TrialRecord> = study.control().map(|trial| &trial.trial).collect();
        let effort = Effort::for_effects(0);
        // Paired by their place among the seeds: the control's trials take the seeds of their partners.
        let renamed: Vec<TrialRecord> = control
            .iter()
            .filter_map(|trial| {
                let place = study.control_seeds.iter().position(|&seed| seed == trial.seed)?;
                Some(TrialRecord { seed: *study.seeds.get(place)?, ..(*trial).clone() })
            })
            .collect();
        let renamed: Vec<&TrialRecord> = renamed.iter().collect();
        let between = |metric| {
            Effect::between(("the same on other seeds", &renamed), (BASELINE, &baseline), metric, effort)
        };
        let mut effects: Vec<Effect> = Metric::ALL.into_iter().filter_map(between).collect();
        correct(&mut effects);
        (!effects.is_empty()).then(|| Self { effects, rate: FalsePositives::measure(&baseline, &control) })
    }
}

impl FalsePositives {
    fn measure(baseline: &[&TrialRecord], control: &[&TrialRecord]) -> Option<Self> {
        let finished: Vec<&TrialRecord> =
            baseline.iter().chain(control).copied().filter(|trial| trial.outcome().is_some()).collect();
        let pairs = finished.len() / 2;
        if pairs < FEWEST {
            return None;
        }
        let values: Vec<Vec<f64>> = Metric::ALL
            .iter()
            .map(|metric| finished.iter().map(|trial| metric.of(trial).unwrap_or(f64::NAN)).collect())
            .collect();
        let mut single = vec![0usize; values.len()];
        let mut any = 0;
        for deal in deals(finished.len(), DEALS, 0) {
            let p_of = |values: &Vec<f64>| {
                let pair = |i: usize| values[deal[i]] - values[deal[pairs + i]];
                let effect = PairedEffect::of(&(0..pairs).map(pair).collect::<Vec<_>>());
                effect.and_then(|effect| effect.spread).map_or(1.0, |spread| spread.p_value)
            };
            let p_values: Vec<f64> = values.iter().map(p_of).collect();
            let found = single.iter_mut().zip(&p_values);
            found.for_each(|(count, p)| *count += usize::from(*p < SIGNIFICANCE));
            any += usize::from(holm::adjust(&p_values).iter().any(|p| *p < SIGNIFICANCE));
        }
        let share = |count: usize| count as f64 / DEALS as f64;
        Some(Self {
            runs: 2 * pairs,
            deals: DEALS,
            single: Metric::ALL.into_iter().zip(single.into_iter().map(share)).collect(),
            any_corrected: share(any),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn the_baseline_against_itself_shows_nothing() {
        let control = Control::of(&study(10)).unwrap();
        assert_eq!((control.effects.len(), control.effects[0].paired.seeds()), (4, 10));
        assert!(control.effects.iter().all(|effect| effect.corrected_p.unwrap_or(1.0) > SIGNIFICANCE));
        let rate = control.rate.unwrap();
        assert_eq!(rate.runs, 20);
        let (_, test) = rate.single[1];
        // 2,000 deals know a share of 5% within 1.5 points at three standard errors.
        assert!((0.03..=0.07).contains(&test), "{rate:?}");
        assert!(rate.any_corrected <= 0.065, "{rate:?}");
    }

    #[test]
    fn too_few_runs_have_no_rate_and_no_arm_has_no_control() {
        assert_eq!(Control::of(&study(2)).unwrap().rate, None);
        let mut study = study(2);
        study.trials.retain(|trial| trial.arm != crate::record::Arm::Control);
        assert_eq!(Control::of(&study), None);
    }
}
