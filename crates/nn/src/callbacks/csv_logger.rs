//! CSVLogger: a line of comma-separated numbers per epoch.
//!
//! Source: Keras `keras/src/callbacks/csv_logger.py`: the epoch, from 0, then every number by the order of the
//! names. Where the lines go is the caller's: this crate knows no files.

use super::{Callback, Memory, Progress, Training};
use crate::history::Logs;
use std::ops::ControlFlow;

/// Writes a line per epoch, after a line of names.
pub struct CsvLogger<F> {
    write: F,
    separator: String,
    header: bool,
    names: Vec<String>,
}

impl<F: FnMut(&str) -> ControlFlow<()>> CsvLogger<F> {
    /// `write` gets every line, with its end; `Break` ends the fit, as where a disk is full.
    pub fn new(write: F) -> Self {
        Self { write, separator: ",".to_owned(), header: true, names: Vec::new() }
    }

    /// Sets what stands between numbers; `,` by default.
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Whether the names are written first; they are by default, and not wanted where lines are added to others.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }
}

impl<F: FnMut(&str) -> ControlFlow<()>> Callback for CsvLogger<F> {
    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, _training: &mut dyn Training) -> ControlFlow<()> {
        if self.names.is_empty() {
            self.names = logs.iter().map(|(name, _)| name.to_owned()).collect();
            self.names.sort();
            if self.header {
                let names = self.names.join(&self.separator);
                (self.write)(&format!("epoch{}{names}\n", self.separator))?;
            }
        }
        let number =
            |name: &String| logs.get(name).map_or_else(|| "NA".to_owned(), |value| value.to_string());
        let numbers: Vec<String> = self.names.iter().map(number).collect();
        (self.write)(&format!("{}{}{}\n", at.epoch, self.separator, numbers.join(&self.separator)))
    }

    /// The names were written before the interruption.
    fn remember(&mut self, _memory: Memory) {
        self.header = false;
    }
}
