//! Writes a study as event files: one session per trial, grouped by variant, for TensorBoard's HParams tab.

use super::event::{Hyperparameter, Status, Summary};
use super::file::{EventFile, now};
use super::training::step;
use super::{METRICS, RUNS, scores};
use crate::error::LabError;
use crate::record::{Arm, FactorRecord, StudyRecord, StudyTrial, TrialStatus, VariantRecord};
use serde_json::{Value, json};
use std::path::Path;

/// The longest name of a variant's folder.
const NAME: usize = 80;

/// Writes the trials that answer the study's question into folders `VARIANT/SEED` below `folder`; the factors are its
/// hyperparameters. The times are those of writing.
///
/// # Errors
/// [`LabError::Io`] where a folder or file cannot be written.
pub fn write_study(study: &StudyRecord, folder: &Path) -> Result<(), LabError> {
    let began = now();
    let hyperparameters: Vec<Hyperparameter<'_>> = study.factors.iter().map(hyperparameter).collect();
    let experiment = Summary::default().experiment(&hyperparameters, &METRICS, began);
    EventFile::new(folder, began)?.add(&experiment, 0, began)?;
    for trial in study.trials.iter().filter(|trial| trial.arm == Arm::Main) {
        if let Some(variant) = study.variants.get(trial.variant) {
            let folder =
                folder.join(variant_folder(trial.variant, variant)).join(format!("seed-{}", trial.seed));
            write_trial(study, variant, trial, &folder, began)?;
        }
    }
    Ok(())
}

fn write_trial(
    study: &StudyRecord,
    variant: &VariantRecord,
    trial: &StudyTrial,
    folder: &Path,
    began: f64,
) -> Result<(), LabError> {
    let levels = study.factors.iter().zip(&variant.levels);
    let values: Vec<(&str, Value)> =
        levels.filter_map(|(factor, &level)| Some((factor.name.as_str(), value(factor, level)?))).collect();
    let status = if trial.trial.status == TrialStatus::Finished { Status::Success } else { Status::Failure };
    let session = Summary::default()
        .session_start(&values, &variant.name, began)
        .session_end(status, began + trial.trial.seconds);
    EventFile::new(folder, began)?.add(&session, 0, began)?;
    for (run, of) in RUNS {
        let mut file = EventFile::new(&folder.join(run), began)?;
        let mut seconds = began;
        for epoch in &trial.trial.epochs {
            seconds += epoch.seconds;
            file.add(&scores(of(epoch)), step(epoch), seconds)?;
        }
    }
    Ok(())
}

fn hyperparameter(factor: &FactorRecord) -> Hyperparameter<'_> {
    let values = (0..factor.levels.len()).filter_map(|level| value(factor, level)).collect();
    Hyperparameter { name: &factor.name, values }
}

/// A level's value; its label where it is not a plain one, or where the others are of another kind.
fn value(factor: &FactorRecord, level: usize) -> Option<Value> {
    let all = |plain: fn(&Value) -> bool| factor.levels.iter().all(|level| plain(&level.value));
    let alike = all(Value::is_number) || all(Value::is_boolean);
    let level = factor.levels.get(level)?;
    Some(if alike { level.value.clone() } else { json!(level.label) })
}

/// A name for files: the variant's number, then its name in plain letters.
fn variant_folder(number: usize, variant: &VariantRecord) -> String {
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "._=".contains(letter) { letter } else { '-' };
    let words = variant.name.split([' ', ',']).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").chars().map(plain).take(NAME).collect::<String>();
    format!("{number:04}-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;
    use std::collections::BTreeSet;

    #[test]
    fn every_trial_that_answers_the_question_has_its_folders() {
        let place = tempfile::tempdir().unwrap();
        let study = study(2);
        write_study(&study, place.path()).unwrap();
        let mut found = BTreeSet::new();
        for variant in
            std::fs::read_dir(place.path()).unwrap().flatten().filter(|entry| entry.path().is_dir())
        {
            for seed in std::fs::read_dir(variant.path()).unwrap().flatten() {
                assert!(RUNS.iter().all(|(run, _)| seed.path().join(run).is_dir()));
                found.insert(format!("{}/{}", variant.file_name().display(), seed.file_name().display()));
            }
        }
        let expected: BTreeSet<String> = study
            .trials
            .iter()
            .filter(|trial| trial.arm == Arm::Main)
            .map(|trial| {
                format!(
                    "{}/seed-{}",
                    variant_folder(trial.variant, &study.variants[trial.variant]),
                    trial.seed
                )
            })
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_have_plain_names() {
        let variant =
            VariantRecord { name: "dropout 0.5, path ../x:y".into(), ..study(2).variants[0].clone() };
        assert_eq!(variant_folder(3, &variant), "0003-dropout-0.5-path-..-x-y");
    }
}
