//! How long a study will take, from a short calibration.
//!
//! A few batches of some variants are timed, once to warm up and once to count; the rest is multiplication. Trials are spread
//! over the cores, so the study takes their sum divided by the cores.

use super::plan::{Plan, PlannedTrial};
use super::run::DataViews;
use crate::error::LabError;
use crate::recipe::Recipe;
use crate::record::{Arm, TrialRecord};
use seedbed_nn::model::Fit;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Instant;

/// The most variants that are timed; they are taken evenly from all.
const CALIBRATED: usize = 12;

/// How many samples are timed, at least and in batches.
const SAMPLES: usize = 1_000;
const BATCHES: usize = 20;

/// How long a study will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many trials are open.
    pub open: usize,
    /// Seconds of all open trials on all cores.
    pub seconds: f64,
}

/// Estimates the trials that are open: those of the plan that `stored` does not have, and those that wait for tuning.
///
/// # Errors
/// Where recipe and data cannot work together.
pub fn estimate(
    plan: &Plan<'_>,
    stored: &HashMap<String, TrialRecord>,
    views: &DataViews<'_>,
    threads: NonZeroUsize,
) -> Result<Estimate, LabError> {
    let variants = plan.study.variants.len();
    let seconds = |variant: usize| -> Result<f64, LabError> {
        let done = plan.trials.iter().filter(|trial| trial.variant == variant && trial.arm == Arm::Main);
        let took: Vec<f64> =
            done.filter_map(|trial| stored.get(&trial.id)).map(|trial| trial.seconds).collect();
        match crate::statistics::summary::mean(&took) {
            Some(mean) => Ok(mean),
            None => calibrate(plan.variant_recipe(variant), views),
        }
    };
    let timed: Vec<usize> = (0..variants).step_by(variants.div_ceil(CALIBRATED)).collect();
    let timed: HashMap<usize, f64> =
        timed.into_iter().map(|variant| Ok((variant, seconds(variant)?))).collect::<Result<_, LabError>>()?;
    let mean = timed.values().sum::<f64>() / timed.len() as f64;
    let of = |trial: &PlannedTrial| timed.get(&trial.variant).copied().unwrap_or(mean);
    let mut seen: std::collections::HashSet<&str> = stored.keys().map(String::as_str).collect();
    let open: Vec<&PlannedTrial> = plan.trials.iter().filter(|trial| seen.insert(&trial.id)).collect();
    let waiting = plan.study.planned()?.saturating_sub(plan.trials.len());
    let work = open.iter().map(|trial| of(trial)).sum::<f64>() + waiting as f64 * mean;
    Ok(Estimate { open: open.len() + waiting, seconds: work / threads.get() as f64 })
}

/// Seconds of one trial on one core.
fn calibrate(recipe: &Recipe, views: &DataViews<'_>) -> Result<f64, LabError> {
    let data = views.get(recipe)?;
    let mut model = recipe.compile(0, NonZeroUsize::MIN)?;
    let batch_size = recipe.fit.batch_size;
    let part = data.train().slice(0, SAMPLES.max(BATCHES.saturating_mul(batch_size)));
    let judged = data.test().slice(0, SAMPLES);
    let mut timed = [0.0; 2];
    for _warm_then_counted in 0..2 {
        let began = Instant::now();
        model.fit(&part, Fit::new().epochs(1).batch_size(batch_size))?;
        timed[0] = began.elapsed().as_secs_f64() / part.len() as f64;
        let began = Instant::now();
        model.evaluate(&judged)?;
        timed[1] = began.elapsed().as_secs_f64() / judged.len() as f64;
    }
    let (train, test) = (data.train().len() as f64, data.test().len() as f64);
    Ok(recipe.fit.epochs as f64 * (train * timed[0] + (train + test) * timed[1]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::study;
    use super::*;
    use crate::record::example::trial;
    use crate::testing::loaded;

    #[test]
    fn known_times_are_used_and_open_trials_counted() {
        let study = study("design = 'one-at-a-time'\nseeds = 4", "dropout = [0, 0.5]").unwrap();
        let plan = Plan::new(&study, "data", &mut |_| Ok(HashMap::new())).unwrap();
        let loaded = loaded();
        let views = DataViews::of(&study, &loaded).unwrap();
        // Each variant has one trial that took 1.5 s; three of each are open.
        let stored =
            plan.trials[..2].iter().map(|planned| (planned.id.clone(), trial("v", planned.seed, 0.9, 0.8)));
        let two = NonZeroUsize::MIN.saturating_add(1);
        let estimate = estimate(&plan, &stored.collect(), &views, two).unwrap();
        assert_eq!(estimate, Estimate { open: 6, seconds: 6.0 * 1.5 / 2.0 });
        let calibrated = super::estimate(&plan, &HashMap::new(), &views, two).unwrap();
        assert!(calibrated.open == 8 && calibrated.seconds > 0.0 && calibrated.seconds < 60.0);
    }
}
