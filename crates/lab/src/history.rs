//! A trial's history as a file: JSON with everything, or CSV with one line per epoch.

use crate::error::LabError;
use crate::files::write_atomically;
use crate::record::{EpochRecord, TrialRecord};
use std::io;
use std::path::Path;

/// What a history file can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The trial's record.
    Json,
    /// A header and one line per completed epoch.
    Csv,
}

impl Format {
    /// The format that the path's ending asks for.
    ///
    /// # Errors
    /// [`LabError::Choice`] if it is neither `.json` nor `.csv`.
    pub fn of(path: &Path) -> Result<Self, LabError> {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            _ => Err(LabError::Choice {
                what: "history",
                expected: "a path that ends in .json or .csv".to_owned(),
                received: path.display().to_string(),
            }),
        }
    }
}

/// Writes a trial's history, as JSON or CSV by the path's ending.
///
/// # Errors
/// [`LabError::Choice`] for another ending, [`LabError::Io`] if it cannot be written.
pub fn write(trial: &TrialRecord, path: &Path) -> Result<(), LabError> {
    let text = match Format::of(path)? {
        Format::Csv => csv(&trial.epochs),
        Format::Json => serde_json::to_string_pretty(trial)
            .map(|json| json + "\n")
            .map_err(|error| LabError::io("write", path)(io::Error::other(error)))?,
    };
    write_atomically(path, text.as_bytes())
}

/// Numbers in full precision, so that reading them back gives the same bits; NaN where training diverged. Metrics of choice
/// stand behind the rest.
fn csv(epochs: &[EpochRecord]) -> String {
    let names: Vec<&String> = epochs.first().map(|first| first.metrics.keys().collect()).unwrap_or_default();
    let mut text = String::from(
        "epoch,running_loss,running_accuracy,train_loss,train_accuracy,test_loss,test_accuracy,seconds",
    );
    names.iter().for_each(|name| text.extend([",", name.as_str()]));
    text.push('\n');
    for epoch in epochs {
        let numbers = [
            epoch.running_loss,
            epoch.running_accuracy,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.test_loss,
            epoch.test_accuracy,
            epoch.seconds,
        ];
        let more = names.iter().map(|&name| epoch.metrics.get(name).copied().unwrap_or(f64::NAN));
        let numbers: Vec<String> = numbers.into_iter().chain(more).map(|number| number.to_string()).collect();
        text.push_str(&format!("{},{}\n", epoch.epoch, numbers.join(",")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::trial;

    fn written(trial: &TrialRecord, name: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        write(trial, &path).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn csv_holds_every_number_to_the_last_bit() {
        let mut trial = trial("model 1", 3, 0.99, 0.1 + 0.2);
        trial.epochs[0].train_loss = f64::NAN;
        let text = written(&trial, "h.CSV");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!((lines.len(), lines[0][6], lines[1][3]), (5, "test_accuracy", "NaN"));
        assert!(lines.iter().all(|line| line.len() == 8));
        assert_eq!(lines[4][6].parse(), Ok(0.1 + 0.2), "0.1 + 0.2 is not 0.3");

        for (number, epoch) in trial.epochs.iter_mut().enumerate() {
            epoch.metrics = [("val_loss".to_owned(), 0.5 * number as f64), ("auc".to_owned(), 0.75)].into();
        }
        let text = written(&trial, "h.csv");
        let ends: Vec<&str> = text.lines().map(|line| line.splitn(9, ',').last().unwrap()).collect();
        assert_eq!(ends, ["auc,val_loss", "0.75,0", "0.75,0.5", "0.75,1", "0.75,1.5"]);
    }

    #[test]
    fn json_is_the_record() {
        let trial = trial("model 1", 3, 0.99, 0.1 + 0.2);
        let back: TrialRecord = serde_json::from_str(&written(&trial, "h.json")).unwrap();
        assert_eq!(back, trial);
    }

    #[test]
    fn another_ending_is_refused() {
        let error = Format::of(Path::new("history.txt")).unwrap_err().to_string();
        assert_eq!(error, "history: expected a path that ends in .json or .csv, received history.txt");
    }
}
