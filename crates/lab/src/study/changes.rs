//! What changed about a study since it was last run, and which stored trials that leaves out.
//!
//! Nothing stored is ever lost: a trial that no longer belongs stays in the store, and belongs again as soon as a study wants it.
//! But a report that quietly has fewer trials, or none, needs a reason.

use super::Study;
use super::file::{FactorFile, StudyFile, Values, label};
use super::plan::Plan;
use super::store::Store;
use crate::error::LabError;
use crate::format::{list, plural};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// The most changes that are listed.
const LISTED: usize = 8;

/// Stored trials of a study that its file does not want any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub trials: usize,
    /// How many were stored for the study.
    pub stored: usize,
    /// What changed, in words.
    pub changes: Vec<String>,
}

impl LeftOut {
    /// Compares a study with what the store says of its last run; `None` if nothing is left out.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn of(study: &Study, plan: &Plan<'_>, store: &Store) -> Result<Option<Self>, LabError> {
        let Some(header) = store.header(&study.file.name)?.filter(|_| plan.complete()) else {
            return Ok(None);
        };
        let wanted: HashSet<&str> = plan.trials.iter().map(|trial| trial.id.as_str()).collect();
        let stored = store.stored_of(&study.file.name)?;
        let trials = stored.iter().filter(|id| !wanted.contains(id.as_str())).count();
        if trials == 0 {
            return Ok(None);
        }
        let mut changes = match StudyFile::parse(&header.file, Path::new(".")) {
            Ok(old) => changes(&old, &study.file),
            Err(_) => vec!["the study was run by another version of Seedbed".to_owned()],
        };
        if changes.is_empty() {
            changes.push("the data's content or Seedbed's version is another one".to_owned());
        }
        Ok(Some(Self { trials, stored: stored.len(), changes }))
    }

    /// Whether not one stored trial belongs any more.
    pub fn all(&self) -> bool {
        self.trials == self.stored
    }

    /// What is left out and why, in a sentence or two.
    pub fn sentence(&self) -> String {
        let belong = if self.trials == 1 { "belongs" } else { "belong" };
        format!(
            "{} of {} stored for this study no longer {belong} to it: {}. They stay in the store.",
            self.trials,
            plural(self.stored, "trial"),
            list(&self.changes)
        )
    }
}

/// What a new study file says otherwise than an old one, as far as it can leave trials out.
fn changes(old: &StudyFile, new: &StudyFile) -> Vec<String> {
    let mut changes = Vec::new();
    let baseline = |file: &StudyFile| serde_json::to_value(&file.baseline).unwrap_or_default();
    differences("", &baseline(old), &baseline(new), &mut changes);
    let gone = old.seeds.iter().filter(|seed| !new.seeds.contains(seed)).count();
    if gone > 0 {
        changes.push(format!("{} left out", plural(gone, "seed")));
    }
    if (old.control && !new.control) || old.variance_budget > new.variance_budget || old.tuning != new.tuning
    {
        changes.push("control, variance budget or tuning are others".to_owned());
    }
    if (old.design, old.samples) != (new.design, new.samples) {
        changes.push("the design is another one".to_owned());
    }
    for factor in &old.factors {
        match new.factors.iter().find(|other| other.name == factor.name) {
            None => changes.push(format!("factor {} left out", factor.name)),
            Some(other) => changes.extend(levels_left_out(factor, other)),
        }
    }
    let more = changes.len().saturating_sub(LISTED);
    if more > 0 {
        changes.truncate(LISTED);
        changes.push(plural(more, "further change"));
    }
    changes
}

fn levels_left_out(old: &FactorFile, new: &FactorFile) -> Option<String> {
    let (Values::Levels(before), Values::Levels(after)) = (&old.values, &new.values) else {
        return (old != new).then(|| format!("{} has another range", old.name));
    };
    let gone = before.iter().filter(|level| after.iter().all(|other| other.value != level.value));
    let gone: Vec<String> = gone.map(|level| level.label.clone()).collect();
    if gone.is_empty() {
        return (old.path != new.path).then(|| format!("{} has another path", old.name));
    }
    Some(format!("{} {} left out", old.name, list(&gone)))
}

/// Every leaf that differs, as in "fit.epochs 5 → 10".
fn differences(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (old, new) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: HashSet<&String> = one.keys().chain(other.keys()).collect();
            let mut keys: Vec<&String> = keys.into_iter().collect();
            keys.sort();
            let value = |table: &serde_json::Map<String, Value>, key: &str| {
                table.get(key).cloned().unwrap_or_default()
            };
            keys.iter().for_each(|key| differences(&at(key), &value(one, key), &value(other, key), found));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.for_each(|(index, (old, new))| differences(&at(&index.to_string()), old, new, found));
        }
        (old, new) if old != new => {
            let word = |value: &Value| match value {
                Value::Null => "none".to_owned(),
                Value::Array(items) => plural(items.len(), "entry").replace("entrys", "entries"),
                value => label(value),
            };
            found.push(format!("{path} {} → {}", word(old), word(new)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::Runner;
    use super::super::tests::study;
    use super::*;
    use crate::testing::loaded;
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn what_no_longer_belongs_is_counted_and_explained() {
        let head = "design = 'one-at-a-time'\nseeds = 2";
        let run = study(head, "dropout = [0, 0.2, 0.5]\nhidden = [7]").unwrap();
        let (loaded, mut store) = (loaded(), Store::in_memory().unwrap());
        let runner = Runner {
            study: &run,
            loaded: &loaded,
            threads: NonZeroUsize::MIN,
            started: "now".into(),
            command: String::new(),
        };
        runner.run(&mut store, &mut (), &AtomicBool::new(false)).unwrap();
        let left_out = |study: &Study| {
            let runner = Runner { study, ..runner.clone() };
            let (plan, _) = runner.plan(&store).unwrap();
            LeftOut::of(study, &plan, &store).unwrap()
        };
        assert_eq!(left_out(&run), None);
        let more = study("design = 'one-at-a-time'\nseeds = 3", "dropout = [0, 0.1, 0.2, 0.5]\nhidden = [7]")
            .unwrap();
        assert_eq!(left_out(&more), None);
        let fewer = study("design = 'one-at-a-time'\nseeds = 1", "dropout = [0, 0.5]").unwrap();
        let found = left_out(&fewer).unwrap();
        assert_eq!((found.trials, found.stored, found.all()), (6, 8, false));
        assert_eq!(found.changes, ["1 seed left out", "dropout 0.2 left out", "factor hidden left out"]);
        assert!(
            found
                .sentence()
                .starts_with("6 of 8 trials stored for this study no longer belong to it: 1 seed left out, ")
        );
        let mut other = run.file.clone();
        other.set("epochs", "3").unwrap();
        other.set("train_size", "30").unwrap();
        let found = left_out(&Study::new(other).unwrap()).unwrap();
        assert_eq!(found.changes, ["data.train_size none → 30", "fit.epochs 2 → 3"]);
        assert!(found.all());
    }
}
