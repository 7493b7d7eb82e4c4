//! What a fit went through, epoch by epoch.

use serde::{Deserialize, Serialize};

/// Why a fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All epochs were done.
    Finished,
    /// A callback asked for it.
    Stopped,
    /// The loss of a batch was not finite.
    Diverged {
        /// The epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch: usize,
    },
}

/// Numbers per epoch by name, as Keras's `History.history`: `loss`, `accuracy` (running: averaged
/// while the weights moved), `val_loss`, `val_accuracy`, and those of every watched set.
///
/// An epoch that was stopped before its end is not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    series: Vec<(String, Vec<f64>)>,
    /// Why it ended.
    pub ending: Ending,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { series: Vec::new(), ending: Ending::Finished }
    }

    pub(crate) fn push(&mut self, logs: &Logs) {
        for (name, value) in &logs.0 {
            match self.series.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(*value),
                None => self.series.push((name.clone(), vec![*value])),
            }
        }
    }

    /// The names, in the order in which they were measured.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|(name, _)| name.as_str())
    }

    /// The numbers of a name, one per epoch.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.series.iter().find(|(known, _)| known == name).map(|(_, values)| values.as_slice())
    }

    /// How many epochs were completed.
    pub fn epochs(&self) -> usize {
        self.series.first().map_or(0, |(_, values)| values.len())
    }
}

/// The numbers of one epoch, or so far in one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(pub(crate) Vec<(String, f64)>);

impl Logs {
    /// The number of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Every name with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Adds a number under a name.
    pub(crate) fn add(&mut self, name: String, value: f64) {
        self.0.push((name, value));
    }

    pub(crate) fn push(&mut self, prefix: &str, loss: f64, accuracy: f64) {
        self.0.push((format!("{prefix}loss"), loss));
        self.0.push((format!("{prefix}accuracy"), accuracy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::new();
        for epoch in 0..3 {
            let mut logs = Logs::default();
            logs.push("", 3.0 - f64::from(epoch), 0.25 * f64::from(epoch));
            logs.push("val_", 4.0 - f64::from(epoch), 0.125 * f64::from(epoch));
            history.push(&logs);
        }
        history
    }

    #[test]
    fn numbers_stand_by_name_in_the_order_they_were_measured() {
        let history = history();
        assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "accuracy", "val_loss", "val_accuracy"]);
        assert_eq!(history.get("loss"), Some(&[3.0, 2.0, 1.0][..]));
        assert_eq!(history.get("val_accuracy"), Some(&[0.0, 0.125, 0.25][..]));
        assert_eq!((history.get("val"), history.epochs()), (None, 3));
        assert_eq!(History::new().epochs(), 0);
    }

    #[test]
    fn logs_give_every_name_its_number() {
        let mut logs = Logs::default();
        logs.push("val_", 0.5, 0.75);
        assert_eq!(logs.iter().collect::<Vec<_>>(), [("val_loss", 0.5), ("val_accuracy", 0.75)]);
        assert_eq!((logs.get("val_loss"), logs.get("loss")), (Some(0.5), None));
    }

    #[test]
    fn a_file_brings_it_back() {
        for ending in [Ending::Finished, Ending::Stopped, Ending::Diverged { epoch: 2, batch: 17 }] {
            let history = History { ending, ..history() };
            let json = serde_json::to_string(&history).unwrap();
            assert_eq!(serde_json::from_str::<History>(&json).unwrap(), history, "{json}");
        }
    }
}
