//! The store's tables, and how older ones become them.
//!
//! | table | what a row is |
//! |---|---|
//! | `studies` | a study as it was last run: its record without trials, as JSON |
//! | `plan` | one trial that a study wants: which, and what for |
//! | `trials` | one finished trial: its record as JSON, and one byte per test picture |
//! | `environments` | what trials ran on, as JSON |
//! | `claims` | a trial that is being run, and by whom |
//! | `looks` | a recipe that an earlier form of a study has scored on the test set |
//!
//! The file's `user_version` counts the steps below. A step is never changed once it was released: what must change
//! becomes a further step.

use super::wrong;
use crate::error::LabError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// What marks a store among SQLite files: "SEED".
const APPLICATION: i32 = 0x5345_4544;

/// Step n makes version n + 1 of version n.
const STEPS: [&str; 1] = ["
    CREATE TABLE studies (name TEXT PRIMARY KEY, header TEXT NOT NULL);
    CREATE TABLE plan (
        study TEXT NOT NULL, position INTEGER NOT NULL, trial TEXT NOT NULL, variant INTEGER NOT NULL, arm TEXT NOT NULL,
        seed INTEGER NOT NULL, PRIMARY KEY (study, position)
    ) WITHOUT ROWID;
    CREATE TABLE environments (id INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE);
    CREATE TABLE trials (
        id TEXT PRIMARY KEY, recipe TEXT NOT NULL, tested INTEGER NOT NULL, diverged INTEGER NOT NULL, record TEXT NOT NULL,
        predicted BLOB NOT NULL, environment INTEGER NOT NULL REFERENCES environments (id)
    );
    CREATE TABLE claims (trial TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE looks (study TEXT NOT NULL, recipe TEXT NOT NULL, PRIMARY KEY (study, recipe)) WITHOUT ROWID;
"];

/// Makes the tables, or brings older ones up to date.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), LabError> {
    let refuse = |problem: String| LabError::Store { path: path.to_owned(), problem };
    if form(connection).map_err(wrong(path))? != CURRENT {
        migrate(connection).map_err(wrong(path))?.map_err(refuse)?;
    }
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(wrong(path))?;
    if mode != "wal" && mode != "memory" {
        return Err(refuse(format!(
            "it cannot be shared between processes here (journal mode {mode}); is it on a network drive?"
        )));
    }
    Ok(())
}

/// `application_id` and `user_version`.
type Form = (i32, usize);

const CURRENT: Form = (APPLICATION, STEPS.len());

fn form(connection: &Connection) -> rusqlite::Result<Form> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((application, connection.pragma_query_value(None, "user_version", |row| row.get(0))?))
}

/// All steps that are missing, or none of them and why not. What the file is is asked again with nobody else writing: another
/// process may just have made it.
fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), String>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = match form(&transaction)? {
        (APPLICATION, version) if version > STEPS.len() => {
            return Ok(Err(format!(
                "it was written by a newer Seedbed (version {version} of its tables; this one knows {}); update Seedbed",
                STEPS.len()
            )));
        }
        (APPLICATION, version) => version,
        _ => 0,
    };
    let empty =
        || transaction.query_row("SELECT COUNT(*) = 0 FROM sqlite_schema", [], |row| row.get::<_, bool>(0));
    if version == 0 && !empty()? {
        return Ok(Err("expected a store that Seedbed made, received another program's database".to_owned()));
    }
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", STEPS.len())?;
    transaction.commit()?;
    Ok(Ok(()))
}
