//! How the program ends: exit codes, and what an error looks like.

use seedbed::data::DataError;
use seedbed::lab::error::LabError;
use std::process::ExitCode;

/// The exit codes, part of the command line's promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line asked for something impossible.
    Usage = 2,
    /// Some trials diverged; the others were finished and reported.
    SomeTrialsFailed = 3,
    /// Data were found and are not what they should be.
    DataDamaged = 4,
    /// Ctrl-C.
    Interrupted = 130,
    /// Nobody reads the output any more, as with `seedbed lesson | head -1`.
    PipeClosed = 141,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An option that was understood and cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Nobody reads the output any more. Not worth a message: there is nobody to read it.
#[derive(Debug, thiserror::Error)]
#[error("the output was closed")]
pub(crate) struct PipeClosed;

/// The exit code that belongs to an error.
pub(crate) fn code(error: &anyhow::Error) -> Exit {
    let data = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<DataError>().is_some_and(DataError::is_damage)
    };
    if error.is::<PipeClosed>() {
        Exit::PipeClosed
    } else if error.is::<UsageError>() || matches!(error.downcast_ref(), Some(LabError::Choice { .. })) {
        Exit::Usage
    } else if error.chain().any(data) {
        Exit::DataDamaged
    } else {
        Exit::Failed
    }
}

/// The message and its causes in one line, without what a message already said of its cause.
pub(crate) fn message(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::io;

    #[test]
    fn causes_are_said_once() {
        let denied = || io::Error::other("permission denied");
        let chain = Err::<(), _>(denied()).context("cannot write report.html").unwrap_err();
        assert_eq!(message(&chain), "cannot write report.html: permission denied");
        let io = DataError::Io { doing: "read", path: "x".into(), source: denied() };
        assert_eq!(message(&io.into()), "cannot read x: permission denied");
    }

    #[test]
    fn each_kind_of_error_has_its_code() {
        let damage = DataError::Incomplete { title: "MNIST", folder: "x".into(), missing: "y".into() };
        let context = |error: anyhow::Error| error.context("while loading");
        assert_eq!(code(&context(damage.into())), Exit::DataDamaged);
        assert_eq!(code(&DataError::NothingToFetch { title: "digits".into() }.into()), Exit::Failed);
        assert_eq!(code(&context(UsageError("no".into()).into())), Exit::Usage);
        assert_eq!(code(&PipeClosed.into()), Exit::PipeClosed);
    }
}
