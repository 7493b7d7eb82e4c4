//! What can go wrong between a recipe and a record.
//!
//! Every message says what was expected, what was received and, where there is something to do, what to do.

use seedbed_data::DataError;
use seedbed_nn::error::ModelError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a lesson, a trial or a file could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// The model, its compile options or its samples do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),

    /// The data could not be had, or have no such name.
    #[error(transparent)]
    Data(#[from] DataError),

    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried: "read the model file", "write", …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },

    /// A model file is not what it should be.
    #[error("model file {file}: {problem}")]
    ModelFile {
        /// The file.
        file: String,
        /// What is wrong, with the line where that is known.
        problem: String,
    },

    /// A file of Keras's records is not what it should be.
    #[error("Keras's records {file}: {problem}")]
    Records {
        /// The file.
        file: String,
        /// What is wrong, with the line where that is known.
        problem: String,
    },

    /// A weights file is not what it should be, or belongs to another model.
    #[error("weights file {file}: {what}: expected {expected}, received {received}")]
    WeightsFile {
        /// The file.
        file: String,
        /// Which part of it.
        what: String,
        /// What fits.
        expected: String,
        /// What came.
        received: String,
    },

    /// A study file, or what was stored for it, is not what it should be.
    #[error("{0}")]
    Study(String),

    /// Stored trials could not be read or written.
    #[error("store {}: {problem}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },

    /// What was kept of a training is damaged, or belongs to another one.
    #[error("backup {}: {problem}; go on with the training it belongs to, or delete it and begin anew", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },

    /// A value has no place in a recipe.
    #[error("{0}")]
    Value(String),

    /// A choice is impossible.
    #[error("{what}: expected {expected}, received {received}")]
    Choice {
        /// Which choice.
        what: &'static str,
        /// What is possible.
        expected: String,
        /// What came.
        received: String,
    },
}

impl LabError {
    /// For `map_err` on what the operating system returns.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// Refuses a number outside `from..=to`.
pub(crate) fn within(what: &'static str, value: usize, from: usize, to: usize) -> Result<(), LabError> {
    if (from..=to).contains(&value) {
        return Ok(());
    }
    let expected = if to == usize::MAX { format!("at least {from}") } else { format!("{from} to {to}") };
    Err(LabError::Choice { what, expected, received: value.to_string() })
}

/// What serde says of a wrong value, with Rust's names of types in a person's words.
pub(crate) fn in_words(message: &str) -> String {
    let words = |kind: &str| match kind {
        "f32" | "f64" => Some("a number"),
        "u8" | "u16" | "u32" | "u64" | "usize" => Some("a whole number that is not negative"),
        "i32" | "i64" | "isize" => Some("a whole number"),
        _ => None,
    };
    let mut parts = message.split("expected ");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (kind, rest) = part.split_at(end);
        said.push_str("expected ");
        said.push_str(words(kind).unwrap_or(kind));
        said.push_str(rest);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_words() {
        for (message, expected) in [
            (
                "invalid type: string \"half\", expected f64",
                "invalid type: string \"half\", expected a number",
            ),
            ("line 3: expected u32\n in x", "line 3: expected a whole number that is not negative\n in x"),
            ("expected struct Dense, expected i64", "expected struct Dense, expected a whole number"),
            ("unknown layer", "unknown layer"),
        ] {
            assert_eq!(in_words(message), expected);
        }
    }
}
