//! Tuning: the same number of learning rates for every variant, chosen on training pictures that are held out.
//!
//! "Adagrad is worse" partly measures its default learning rate. Here every variant gets the same budget, the choice
//! sees no test picture, and only the chosen rate is then trained on all training pictures and tested.

use super::path::Path;
use crate::error::LabError;
use crate::recipe::Recipe;
use crate::record::{TrialRecord, TriedRate, TunedRecord, TuningRecord};
use crate::statistics::summary::mean;
use serde_json::Value;

const PATH: &str = "learning_rate";

fn path() -> Result<Path, LabError> {
    Path::parse(PATH).map_err(LabError::Study)
}

/// The learning rates a variant is tried with, ascending.
///
/// # Errors
/// [`LabError::Study`] if its learning rate is not one number.
pub fn rates(recipe: &Recipe, tuning: &TuningRecord) -> Result<Vec<f64>, LabError> {
    let own = path()?.get(recipe).map_err(LabError::Study)?.as_ref().and_then(Value::as_f64);
    let own = own.ok_or_else(|| {
        LabError::Study(
            "tuning: expected learning rates that are one number each, received a schedule".into(),
        )
    })?;
    // Six digits: 0.0003, not 0.00030000000000000003.
    let rounded = |rate: f64| format!("{rate:.5e}").parse().unwrap_or(rate);
    Ok(tuning.multipliers.iter().map(|multiplier| rounded(own * multiplier)).collect())
}

/// The recipe with another learning rate.
///
/// # Errors
/// [`LabError::Study`] for a rate that no optimizer takes.
pub fn with_rate(recipe: &Recipe, rate: f64) -> Result<Recipe, LabError> {
    path()?.set_named(recipe, &Value::from(rate), PATH)
}

/// The best of the rates tried. `trials` are those of each rate, one per seed. A rate with a diverged trial is never
/// chosen unless all have one: then the smallest is.
pub fn choose(tried: &[(f64, Vec<TrialRecord>)]) -> Option<TunedRecord> {
    let tried: Vec<TriedRate> = tried
        .iter()
        .map(|(learning_rate, trials)| {
            let scores: Option<Vec<f64>> = trials.iter().map(TrialRecord::test_accuracy).collect();
            TriedRate {
                learning_rate: *learning_rate,
                validation_accuracy: scores.and_then(|scores| mean(&scores)),
            }
        })
        .collect();
    let score = |rate: &TriedRate| rate.validation_accuracy.unwrap_or(f64::NEG_INFINITY);
    // The first of the best: equal scores leave the smaller rate.
    let best = (0..tried.len())
        .reduce(|best, at| if score(&tried[at]) > score(&tried[best]) { at } else { best })?;
    let at_the_end = best == 0 || best + 1 == tried.len();
    Some(TunedRecord { chosen: tried[best].learning_rate, at_the_end, tried })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialStatus;
    use crate::record::example::trial;

    fn tried(scores: &[&[f64]]) -> Vec<(f64, Vec<TrialRecord>)> {
        let trials = |scores: &[f64]| scores.iter().map(|&score| trial("v", 1, 0.9, score)).collect();
        (1..).zip(scores).map(|(rate, scores)| (f64::from(rate), trials(scores))).collect()
    }

    #[test]
    fn the_best_mean_is_chosen_and_the_smaller_rate_of_two_equals() {
        let tuned = choose(&tried(&[&[0.5, 0.7], &[0.9, 0.7], &[0.8, 0.8], &[0.1, 0.99]])).unwrap();
        assert_eq!((tuned.chosen, tuned.at_the_end), (2.0, false));
        assert_eq!(tuned.tried.len(), 4);
        assert!(choose(&tried(&[&[0.5], &[0.4]])).unwrap().at_the_end);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn a_rate_that_diverged_once_is_not_chosen() {
        let mut rates = tried(&[&[0.5, 0.5], &[0.9, 0.9]]);
        rates[1].1[1].status = TrialStatus::Diverged { epoch: 1, reason: "loss is NaN".into() };
        let tuned = choose(&rates).unwrap();
        assert_eq!((tuned.chosen, tuned.tried[1].validation_accuracy), (1.0, None));
    }
}
