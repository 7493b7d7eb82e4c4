//! What a person sees: text and results on stdout, progress and logs on stderr.
//!
//! With `--json -` stdout belongs to the JSON alone, and the text moves to stderr. Escape codes go to terminals only.

pub(crate) mod color;
pub(crate) mod picture;
pub(crate) mod table;

use crate::exit::PipeClosed;
use color::Color;
use std::io::{self, IsTerminal, Write};

/// The widest that text is set, and its width where there is no terminal.
const COLUMNS: usize = 80;

/// The two streams and what they can show.
pub(crate) struct Terminal {
    text_on_stderr: bool,
    quiet: bool,
}

impl Terminal {
    /// Text on stdout, or on stderr where stdout is wanted for something else; `quiet` silences logs and progress.
    pub(crate) fn new(text_on_stderr: bool, quiet: bool) -> Self {
        Self { text_on_stderr, quiet }
    }

    /// Whether logs, progress and explanations are to be left out.
    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether text goes to a terminal, where a picture may take more room than in a file.
    pub(crate) fn is_terminal(&self) -> bool {
        if self.text_on_stderr { io::stderr().is_terminal() } else { io::stdout().is_terminal() }
    }

    /// Which colours the text may have.
    pub(crate) fn color(&self) -> Color {
        if self.is_terminal() { Color::of_environment() } else { Color::None }
    }

    /// How many columns text may fill.
    pub(crate) fn columns(&self) -> usize {
        let size = if self.is_terminal() { terminal_size::terminal_size() } else { None };
        size.map_or(COLUMNS, |(width, _)| usize::from(width.0).clamp(20, COLUMNS))
    }

    /// Writes lines as they are.
    pub(crate) fn lines(&self, text: &str) -> anyhow::Result<()> {
        let line = format!("{text}\n");
        if self.text_on_stderr { write(io::stderr().lock(), line.as_bytes()) } else { bytes(line.as_bytes()) }
    }

    /// Writes a paragraph, wrapped.
    pub(crate) fn paragraph(&self, text: &str) -> anyhow::Result<()> {
        self.lines(&textwrap::fill(text, wrapping(self.columns())))
    }

    /// Writes an item of a list, wrapped behind its mark.
    pub(crate) fn item(&self, text: &str) -> anyhow::Result<()> {
        let options = wrapping(self.columns()).initial_indent("- ").subsequent_indent("  ");
        self.lines(&textwrap::fill(text, options))
    }

    /// Writes a title.
    pub(crate) fn title(&self, text: &str) -> anyhow::Result<()> {
        self.lines(&self.color().bold(text))
    }

    /// Writes a heading with an empty line above it.
    pub(crate) fn heading(&self, text: &str) -> anyhow::Result<()> {
        self.lines("").and_then(|()| self.title(text))
    }

    /// Writes something nobody may miss, in a frame.
    pub(crate) fn notice(&self, text: &str) -> anyhow::Result<()> {
        self.lines(&framed(text, self.columns()))
    }

    /// Writes JSON to stdout.
    pub(crate) fn json(&self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        bytes(format!("{}\n", serde_json::to_string_pretty(value)?).as_bytes())
    }

    /// Writes a line of log to stderr. Where nobody reads it, nothing is lost.
    pub(crate) fn log(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }
}

/// Writes bytes to stdout as they are.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    write(io::stdout().lock(), bytes)
}

/// Writes an error to stderr.
pub(crate) fn error(message: &str) {
    let bold = std::io::stderr().is_terminal() && Color::of_environment() != Color::None;
    let word = if bold { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    let _ = writeln!(io::stderr().lock(), "{word} {message}");
}

fn write(mut to: impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    to.write_all(bytes).and_then(|()| to.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => PipeClosed.into(),
        _ => anyhow::Error::new(error).context("cannot write the output"),
    })
}

/// Breaks lines at spaces only: a path or an option keeps its hyphens together.
fn wrapping<'a>(columns: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(columns).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

fn framed(text: &str, columns: usize) -> String {
    let inside = columns - 4;
    let lines = textwrap::wrap(text, wrapping(inside));
    let rule = "━".repeat(inside + 2);
    let rows: Vec<String> = lines
        .iter()
        .map(|line| {
            format!("┃ {line}{} ┃", " ".repeat(inside - textwrap::core::display_width(line).min(inside)))
        })
        .collect();
    format!("┏{rule}┓\n{}\n┗{rule}┛", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_closes_around_its_text() {
        let frame = framed("These are NOT the data you asked for – they are others.", 40);
        assert!(frame.lines().all(|line| line.chars().count() == 40), "{frame}");
        assert_eq!(frame.lines().count(), 4, "{frame}");
    }

    #[test]
    fn only_a_closed_pipe_is_silent() {
        struct Fails(io::ErrorKind);
        impl Write for Fails {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(write(Fails(io::ErrorKind::BrokenPipe), b"x").unwrap_err().is::<PipeClosed>());
        assert!(!write(Fails(io::ErrorKind::StorageFull), b"x").unwrap_err().is::<PipeClosed>());
    }
}
