//! What can go wrong on the way from a name to pictures.
//!
//! Every message says what was expected, what was received and, where there is something to do, what to do.

use std::path::PathBuf;

/// Why a dataset could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The name is not in the catalogue.
    #[error("unknown dataset {given:?}; known are {known}{}", did_you_mean(nearest))]
    UnknownName {
        /// The name as it was given.
        given: String,
        /// All names, separated by commas.
        known: String,
        /// The known name that looks most like the given one, if one is near.
        nearest: Option<&'static str>,
    },

    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "create the folder", …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },

    /// A file is there, and it is not what it should be: damaged, truncated, or another file altogether.
    #[error("{file}: {what}: expected {expected}, received {received}")]
    Malformed {
        /// The file, or the address it came from.
        file: String,
        /// Which property is wrong: "magic number", "SHA-256", …
        what: &'static str,
        /// What the property should be.
        expected: String,
        /// What it is.
        received: String,
    },

    /// Some files of a dataset are there, others are not.
    #[error("{} holds only part of {title}: {missing} missing; add them or remove the folder", folder.display())]
    Incomplete {
        /// The dataset's title.
        title: &'static str,
        /// The folder that was looked at.
        folder: PathBuf,
        /// The names of the missing files, separated by commas.
        missing: String,
    },

    /// The dataset is nowhere on this machine and could not be fetched.
    #[error("{title} is not on this machine and could not be fetched.\n{}\n{how}", bullets(tried))]
    NotFound {
        /// The dataset's title.
        title: &'static str,
        /// Every place that was tried and what was found there.
        tried: Vec<String>,
        /// How to get the files by hand.
        how: String,
    },

    /// There is nothing to download: the dataset is made on the spot.
    #[error("the {title} are built in: there is nothing to fetch")]
    NothingToFetch {
        /// The dataset's title.
        title: &'static str,
    },

    /// Arrays that do not belong together, or a number of pictures that is not there.
    #[error("{what}: expected {expected}, received {received}")]
    Disagree {
        /// What disagrees.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        received: String,
    },
}

impl DataError {
    /// Whether data were found and are not what they should be, as opposed to data that are missing. The command
    /// line tells the two apart by its exit code.
    pub fn is_damage(&self) -> bool {
        matches!(self, DataError::Malformed { .. } | DataError::Incomplete { .. })
    }
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!(". Did you mean {name:?}?")).unwrap_or_default()
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n")
}
