//! The store: finished trials and studies, in one SQLite file.
//!
//! A trial is stored under its identity, once, whatever studies it belongs to; a study is its plan: which identities it
//! wants, and what for. Nothing is ever deleted but plans that were replaced. Several processes may share a store on
//! one machine: before a trial is run it is claimed, and a claim is void once the process that made it is gone (see
//! `owner`).
//!
//! Write-ahead logging and a synchronised commit per trial: whatever happens, what was reported as stored is there.

use super::Study;
use super::destination::{Claim, Destination, Finished};
use super::plan::{Plan, PlannedTrial};
use crate::error::LabError;
use crate::record::{
    Arm, DatasetRecord, Environment, StudyRecord, StudyTrial, TrialRecord, TrialStatus, VariantRecord,
};
use owner::Owner;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(test)]
mod contract;
mod owner;
mod schema;

/// How long another process may hold the file before that is an error. A store's transactions take milliseconds; but a
/// process may be stopped in the middle of one.
const PATIENCE: Duration = Duration::from_secs(300);

/// Finished trials and studies.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    owner: Option<Owner>,
}

/// A study in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StudyStatus {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub question: String,
    /// How many trials it has.
    pub planned: usize,
    /// How many of them are stored.
    pub stored: usize,
    /// How many of these diverged.
    pub diverged: usize,
    /// How many are being run.
    pub running: usize,
}

impl Store {
    /// Opens a store, and makes it where there is none.
    ///
    /// # Errors
    /// [`LabError::Store`] if the file is no store, was written by a newer Seedbed, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, LabError> {
        let connection = Connection::open(path).map_err(wrong(path))?;
        Self::prepare(connection, path)
    }

    /// Opens a store that must exist.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if there is none.
    pub fn open_existing(path: &Path) -> Result<Self, LabError> {
        if path.is_file() {
            return Self::open(path);
        }
        let problem = "there is none; `seedbed study run FILE` makes it".to_owned();
        Err(LabError::Store { path: path.to_owned(), problem })
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    /// [`LabError::Store`] if memory is short.
    pub fn in_memory() -> Result<Self, LabError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(wrong(path))?;
        Self::prepare(connection, path)
    }

    fn prepare(mut connection: Connection, path: &Path) -> Result<Self, LabError> {
        connection.busy_timeout(PATIENCE).map_err(wrong(path))?;
        schema::prepare(&mut connection, path)?;
        Ok(Self { connection, path: path.to_owned(), owner: None })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down what a study wants, in place of what it wanted before.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn register(&mut self, header: &StudyRecord, plan: &Plan<'_>) -> Result<(), LabError> {
        let path = self.path.clone();
        let header_json = json(header)?;
        let work = |transaction: &Transaction<'_>| -> rusqlite::Result<()> {
            // What the old plan looked at was looked at, whether the new one wants it or not.
            transaction.execute(
                "INSERT OR IGNORE INTO looks SELECT plan.study, trials.recipe FROM plan JOIN trials ON trials.id = plan.trial
                 WHERE plan.study = ?1 AND trials.tested",
                [&header.name],
            )?;
            transaction.execute(
                "INSERT INTO studies (name, header) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET header = ?2",
                params![header.name, header_json],
            )?;
            transaction.execute("DELETE FROM plan WHERE study = ?1", [&header.name])?;
            let mut insert = transaction.prepare("INSERT INTO plan VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (position, trial) in plan.trials.iter().enumerate() {
                let arm = serde_json::to_string(&trial.arm).unwrap_or_default();
                // SQLite's integers are signed: the bits stay the same.
                let row =
                    params![header.name, position, trial.id, trial.variant, arm, trial.seed.cast_signed()];
                insert.execute(row)?;
            }
            Ok(())
        };
        self.write(work).map_err(wrong(&path))
    }

    /// What was written down for a study when it was last run, without its trials; `None` if there is no such study.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn header(&self, study: &str) -> Result<Option<StudyRecord>, LabError> {
        let mut find = self
            .connection
            .prepare("SELECT header FROM studies WHERE name = ?1")
            .map_err(wrong(&self.path))?;
        let header: Option<String> =
            find.query_row([study], |row| row.get(0)).optional().map_err(wrong(&self.path))?;
        header.map(|header| self.parse(&header)).transpose()
    }

    /// The identities of a study's stored trials, as it was last run.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn stored_of(&self, study: &str) -> Result<HashSet<String>, LabError> {
        let query =
            "SELECT trial FROM plan WHERE study = ?1 AND EXISTS (SELECT 1 FROM trials WHERE id = trial)";
        let rows = || {
            let mut find = self.connection.prepare(query)?;
            find.query_map([study], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        rows().map_err(wrong(&self.path))
    }

    /// Which of the trials are stored.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn stored(&self, trials: &[PlannedTrial]) -> Result<HashSet<String>, LabError> {
        let rows = || {
            let mut find = self.connection.prepare("SELECT 1 FROM trials WHERE id = ?1")?;
            let mut stored = HashSet::new();
            for trial in trials {
                if find.exists([&trial.id])? {
                    stored.insert(trial.id.clone());
                }
            }
            Ok(stored)
        };
        rows().map_err(wrong(&self.path))
    }

    /// What the stored ones of these trials measured.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn measured(&self, trials: &[PlannedTrial]) -> Result<HashMap<String, TrialRecord>, LabError> {
        let mut find =
            self.connection.prepare("SELECT record FROM trials WHERE id = ?1").map_err(wrong(&self.path))?;
        let mut measured = HashMap::new();
        for trial in trials {
            let record: Option<String> =
                find.query_row([&trial.id], |row| row.get(0)).optional().map_err(wrong(&self.path))?;
            if let Some(record) = record {
                measured.insert(trial.id.clone(), self.parse(&record)?);
            }
        }
        Ok(measured)
    }

    /// What a study wants, as it was last run.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn planned(&self, study: &str) -> Result<Vec<PlannedTrial>, LabError> {
        let rows = || -> rusqlite::Result<Vec<(String, usize, String, i64)>> {
            let mut find = self
                .connection
                .prepare("SELECT trial, variant, arm, seed FROM plan WHERE study = ?1 ORDER BY position")?;
            find.query_map([study], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        };
        let planned = |(id, variant, arm, seed): (String, usize, String, i64)| {
            Ok(PlannedTrial { id, variant, arm: self.parse(&arm)?, seed: seed.cast_unsigned() })
        };
        rows().map_err(wrong(&self.path))?.into_iter().map(planned).collect()
    }

    /// Drops the claims of processes that are gone. Returns how many.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn sweep(&mut self) -> Result<usize, LabError> {
        let path = self.path.clone();
        let owners = || -> rusqlite::Result<Vec<String>> {
            let mut find = self.connection.prepare("SELECT DISTINCT owner FROM claims")?;
            find.query_map([], |row| row.get(0))?.collect()
        };
        let mut gone = owners().map_err(wrong(&path))?;
        gone.retain(|owner| !Owner::alive(&path, owner));
        let work = |transaction: &Transaction<'_>| -> rusqlite::Result<usize> {
            gone.iter().map(|owner| transaction.execute("DELETE FROM claims WHERE owner = ?1", [owner])).sum()
        };
        let dropped = if gone.is_empty() { 0 } else { self.write(work).map_err(wrong(&path))? };
        Owner::clean(&path);
        Ok(dropped)
    }

    /// Every study and how far it is.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn studies(&self) -> Result<Vec<StudyStatus>, LabError> {
        let query = "SELECT studies.name, studies.header, COUNT(trials.id), COUNT(NULLIF(trials.diverged, 0)), COUNT(claims.trial)
            FROM studies LEFT JOIN plan ON plan.study = studies.name LEFT JOIN trials ON trials.id = plan.trial
            LEFT JOIN claims ON claims.trial = plan.trial GROUP BY studies.name ORDER BY studies.name";
        let rows = || -> rusqlite::Result<Vec<(String, String, [usize; 3])>> {
            let mut find = self.connection.prepare(query)?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, [row.get(2)?, row.get(3)?, row.get(4)?]))
            };
            find.query_map([], row)?.collect()
        };
        let rows = rows().map_err(wrong(&self.path))?;
        let status = |(name, header, [stored, diverged, running]): (String, String, [usize; 3])| {
            let header: StudyRecord = self.parse(&header)?;
            Ok(StudyStatus {
                name,
                question: header.question,
                planned: header.planned,
                stored,
                diverged,
                running,
            })
        };
        rows.into_iter().map(status).collect()
    }

    /// How many of a study's trials are stored, and how many are being run, by whatever process.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn progress(&self, study: &str) -> Result<[usize; 2], LabError> {
        let query = "SELECT COUNT(trials.id), COUNT(claims.trial) FROM plan LEFT JOIN trials ON trials.id = plan.trial
            LEFT JOIN claims ON claims.trial = plan.trial WHERE plan.study = ?1";
        let counts = self
            .connection
            .prepare_cached(query)
            .and_then(|mut find| find.query_row([study], |row| Ok([row.get(0)?, row.get(1)?])));
        counts.map_err(wrong(&self.path))
    }

    /// Everything known of a study.
    ///
    /// # Errors
    /// [`LabError::Store`]; [`LabError::Study`] if there is no such study, with those there are.
    pub fn record(&self, study: &str) -> Result<StudyRecord, LabError> {
        let Some(mut record) = self.header(study)? else {
            let names: Vec<String> = self.studies()?.into_iter().map(|study| study.name).collect();
            let known =
                if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
            return Err(LabError::Study(format!("store {}: no study {study}; {known}", self.path.display())));
        };
        record.trials = self.trials(study, &record.variants)?;
        let environments = || -> rusqlite::Result<Vec<String>> {
            let mut find = self.connection.prepare(
                "SELECT record FROM environments WHERE id IN
                 (SELECT trials.environment FROM plan JOIN trials ON trials.id = plan.trial WHERE plan.study = ?1) ORDER BY id",
            )?;
            find.query_map([study], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        let looks = || -> rusqlite::Result<usize> {
            let mut count = self.connection.prepare(
                "SELECT COUNT(*) FROM (SELECT recipe FROM looks WHERE study = ?1 UNION
                 SELECT trials.recipe FROM plan JOIN trials ON trials.id = plan.trial WHERE plan.study = ?1 AND trials.tested)",
            )?;
            count.query_row([study], |row| row.get(0))
        };
        let environments = environments().map_err(wrong(&self.path))?;
        record.environments =
            environments.iter().map(|environment| self.parse(environment)).collect::<Result<_, _>>()?;
        record.test_looks = looks().map_err(wrong(&self.path))?;
        Ok(record)
    }

    /// The stored trials of a study, by variant, arm and seed.
    fn trials(&self, study: &str, variants: &[VariantRecord]) -> Result<Vec<StudyTrial>, LabError> {
        type Row = (usize, String, i64, String, String, Vec<u8>);
        let rows = || -> rusqlite::Result<Vec<Row>> {
            let mut find = self.connection.prepare(
                "SELECT plan.variant, plan.arm, plan.seed, trials.id, trials.record, trials.predicted
                 FROM plan JOIN trials ON trials.id = plan.trial WHERE plan.study = ?1 ORDER BY plan.position",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            };
            find.query_map([study], row)?.collect()
        };
        let trial = |(variant, arm, seed, id, record, predicted): Row| {
            let mut trial: TrialRecord = self.parse(&record)?;
            // Another study may have run it under another name.
            if let Some(known) = variants.get(variant) {
                trial.model.clone_from(&known.name);
            }
            let seed = seed.cast_unsigned();
            trial.seed = seed;
            Ok(StudyTrial { id, variant, seed, arm: self.parse(&arm)?, trial, predicted })
        };
        let rows = rows().map_err(wrong(&self.path))?;
        let mut trials = rows.into_iter().map(trial).collect::<Result<Vec<_>, LabError>>()?;
        trials.sort_by(|a, b| {
            (a.variant, rank(a.arm))
                .partial_cmp(&(b.variant, rank(b.arm)))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(trials)
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, LabError> {
        let damaged = |error: serde_json::Error| LabError::Store {
            path: self.path.clone(),
            problem: format!("it holds something that cannot be read ({error}); was it changed by hand?"),
        };
        serde_json::from_str(text).map_err(damaged)
    }

    /// Lets the file grow to so many pages only: what a full disk looks like.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// This process as others see it; from its first claim on.
    fn owner(&mut self) -> Result<&Owner, LabError> {
        let made = match self.owner.take() {
            Some(owner) => owner,
            None => Owner::new(&self.path).map_err(LabError::io("write beside the store", &self.path))?,
        };
        Ok(self.owner.insert(made))
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

impl Destination for Store {
    fn claim(&mut self, id: &str) -> Result<Claim, LabError> {
        let path = self.path.clone();
        let owner = self.owner()?.token().to_owned();
        let work = |transaction: &Transaction<'_>| -> rusqlite::Result<Claim> {
            if transaction.prepare_cached("SELECT 1 FROM trials WHERE id = ?1")?.exists([id])? {
                return Ok(Claim::Stored);
            }
            let mut insert =
                transaction.prepare_cached("INSERT OR IGNORE INTO claims (trial, owner) VALUES (?1, ?2)")?;
            Ok(if insert.execute([id, &owner])? == 1 { Claim::Mine } else { Claim::Elsewhere })
        };
        // A claim that a power cut undoes claims nothing any more: no need to wait for the disk.
        self.connection.pragma_update(None, "synchronous", "NORMAL").map_err(wrong(&path))?;
        self.write(work).map_err(wrong(&path))
    }

    fn release(&mut self, id: &str) -> Result<(), LabError> {
        let path = self.path.clone();
        let owner = self.owner()?.token().to_owned();
        let work = |transaction: &Transaction<'_>| {
            transaction.execute("DELETE FROM claims WHERE trial = ?1 AND owner = ?2", [id, &owner]).map(drop)
        };
        self.write(work).map_err(wrong(&path))
    }

    fn finish(&mut self, finished: &Finished, environment: &Environment) -> Result<bool, LabError> {
        let path = self.path.clone();
        let (record, environment) = (json(&finished.trial)?, json(environment)?);
        let diverged = matches!(finished.trial.status, TrialStatus::Diverged { .. });
        let work = |transaction: &Transaction<'_>| -> rusqlite::Result<bool> {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO environments (record) VALUES (?1)")?
                .execute([&environment])?;
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO trials (id, recipe, tested, diverged, record, predicted, environment)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT id FROM environments WHERE record = ?7))",
            )?;
            let Finished { id, recipe, tested, predicted, .. } = finished;
            let new =
                insert.execute(params![id, recipe, tested, diverged, record, predicted, environment])? == 1;
            transaction.prepare_cached("DELETE FROM claims WHERE trial = ?1")?.execute([id])?;
            Ok(new)
        };
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(wrong(&path))?;
        self.write(work).map_err(wrong(&path))
    }
}

/// Where an arm stands among a variant's trials.
fn rank(arm: Arm) -> (usize, f64) {
    match arm {
        Arm::Main => (0, 0.0),
        Arm::Control => (1, 0.0),
        Arm::Budget(stream) => (2 + stream as usize, 0.0),
        Arm::Tuning { learning_rate } => (5, learning_rate),
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, LabError> {
    serde_json::to_string(value)
        .map_err(|error| LabError::Study(format!("cannot be written as JSON: {error}")))
}

/// What SQLite refused, in words of what to do.
fn wrong(path: &Path) -> impl Fn(rusqlite::Error) -> LabError {
    let path = path.to_owned();
    move |error| {
        let problem = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                "the disk is full. Everything finished so far is stored; make room and run again".into()
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                format!("another process has held it for {} s", PATIENCE.as_secs())
            }
            Some(ErrorCode::NotADatabase) => {
                "expected a store that Seedbed made, received another kind of file".into()
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                "the file is damaged; restore a copy, or take another store".into()
            }
            Some(ErrorCode::ReadOnly) => "it cannot be written to".into(),
            Some(ErrorCode::CannotOpen) => {
                "it cannot be opened; does its folder exist, and may it be written to?".into()
            }
            Some(ErrorCode::SystemIoFailure) => {
                format!("the disk refused ({error}). Everything finished so far is stored")
            }
            _ => error.to_string(),
        };
        LabError::Store { path: path.clone(), problem }
    }
}

impl Study {
    /// The study as a record, without its trials.
    ///
    /// # Errors
    /// As from the plan.
    pub fn header(
        &self,
        plan: &Plan<'_>,
        dataset: DatasetRecord,
        test_labels: &[u16],
        command: &str,
    ) -> Result<StudyRecord, LabError> {
        let variant = |(index, variant): (usize, &super::Variant)| {
            let recipe = plan.variant_recipe(index);
            Ok(VariantRecord {
                id: variant.id.clone(),
                name: variant.name.clone(),
                levels: variant.levels.clone(),
                recipe: recipe.to_toml(),
                parameters: recipe.model.summary()?.trainable_params(),
                tuned: plan.tuned[index].clone(),
            })
        };
        let few_classes = dataset.class_names.len() <= 256;
        Ok(StudyRecord {
            name: self.file.name.clone(),
            question: self.file.question.clone(),
            design: self.file.design,
            test_labels: if few_classes {
                test_labels.iter().map(|&label| label as u8).collect()
            } else {
                Vec::new()
            },
            dataset,
            seeds: self.file.seeds.clone(),
            control_seeds: self.control_seeds(),
            budget_seeds: self.file.variance_budget,
            tuning: self.file.tuning.clone(),
            factors: self.factors.clone(),
            variants: self.variants.iter().enumerate().map(variant).collect::<Result<_, LabError>>()?,
            trials: Vec::new(),
            planned: self.planned()?,
            test_looks: 0,
            environments: Vec::new(),
            command: command.to_owned(),
            file: self.file.to_toml(),
        })
    }
}
