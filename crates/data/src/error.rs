//! What can go wrong on the way from a name to pictures.
//!
//! Every message says what was expected, what was received and, where there is something to do, what to do.

use std::fmt;
use std::path::PathBuf;

/// Why a dataset could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The name is not in the catalogue.
    #[error(
        "unknown dataset {given:?}; known are {known}; files and folders of your own are written as paths, as in ./mine or mine.csv{}",
        did_you_mean(nearest)
    )]
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
    #[error("{file}{place}: {what}: expected {expected}, received {received}")]
    Malformed {
        /// The file, or the address it came from.
        file: String,
        /// Where in the file.
        place: Place,
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

    /// There is nothing to download: the dataset is made on the spot, or is the user's own.
    #[error("there is nothing to fetch: {title} are at hand")]
    NothingToFetch {
        /// The dataset's title, or its path.
        title: String,
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

/// Where in a file something is wrong. Its `Display` follows the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// At this byte, from 0.
    Byte(u64),
    /// In this line, from 1.
    Line(u64),
    /// In this line, from 1, and the column of this name.
    Cell(u64, Box<str>),
    /// In this file of an archive, at this byte of it, from 0.
    Entry(Box<str>, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::Byte(byte) => write!(f, ", byte {byte}"),
            Place::Line(line) => write!(f, ", line {line}"),
            Place::Cell(line, column) => write!(f, ", line {line}, column {column:?}"),
            Place::Entry(entry, byte) => write!(f, ", {entry}, byte {byte}"),
        }
    }
}

impl DataError {
    /// A file that is not what it should be.
    pub(crate) fn malformed(
        file: &str,
        place: Place,
        what: &'static str,
        expected: impl fmt::Display,
        received: impl fmt::Display,
    ) -> DataError {
        let (file, expected, received) = (file.to_owned(), expected.to_string(), received.to_string());
        DataError::Malformed { file, place, what, expected, received }
    }

    /// Parts that do not belong together, or a choice that is impossible.
    pub(crate) fn disagree(
        what: &'static str,
        expected: impl fmt::Display,
        received: impl fmt::Display,
    ) -> DataError {
        DataError::Disagree { what, expected: expected.to_string(), received: received.to_string() }
    }

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
