//! Where finished trials go: the contract that the store and a folder of result files keep.

use crate::error::LabError;
use crate::record::{Environment, TrialRecord};
use serde::{Deserialize, Serialize};

/// A trial as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finished {
    /// Its identity.
    pub id: String,
    /// The hash of its recipe.
    pub recipe: String,
    /// Whether it was scored on the test set.
    pub tested: bool,
    /// What it measured.
    pub trial: TrialRecord,
    /// The class it gave each test picture.
    #[serde(with = "crate::record::bytes")]
    pub predicted: Vec<u8>,
}

/// What became of the wish to run a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This process is to run it.
    Mine,
    /// It has been run.
    Stored,
    /// Another process runs it.
    Elsewhere,
}

/// Where finished trials go, and where is known which are there.
pub trait Destination: Send {
    /// Asks to run a trial.
    ///
    /// # Errors
    /// Where that cannot be found out.
    fn claim(&mut self, id: &str) -> Result<Claim, LabError>;
    /// Gives a claim back: the trial was not finished.
    ///
    /// # Errors
    /// Where that cannot be written down.
    fn release(&mut self, id: &str) -> Result<(), LabError>;
    /// Stores a trial. Returns whether it was not there before: storing twice changes nothing.
    ///
    /// # Errors
    /// Where it cannot be stored; then nothing has changed.
    fn finish(&mut self, finished: &Finished, environment: &Environment) -> Result<bool, LabError>;
}
