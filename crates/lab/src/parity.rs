//! The certificate: every record that Keras left in `benches/peers/fixtures`, replayed and compared.
//!
//! The records are built into the program ([`Records`]).
//! A group is one file of records. Its module says what is replayed and how far apart the numbers may be. A record in float32 is
//! held against the engine, a record in float64 against the oracle, so that formula and rounding are told apart.

mod activations;
pub mod choice;
pub mod compare;
pub mod formula;
mod initializers;
mod layers;
mod metrics;
mod records;
pub mod replay;
mod schedules;
mod training;

use crate::error::LabError;
use compare::Measure;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use records::Records;

/// The precision in which Keras made a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The engine is compared.
    Float32,
    /// The oracle is compared.
    Float64,
}

/// One record of Keras, and how near Seedbed came.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The group's name.
    pub group: &'static str,
    /// The record's name.
    pub name: String,
    /// The precision of both sides.
    pub precision: Precision,
    /// What was compared.
    pub measures: Vec<Measure>,
    /// Why the record could not be replayed.
    pub problem: Option<String>,
}

impl Row {
    fn new(
        group: &'static str,
        name: impl Into<String>,
        precision: Precision,
        compared: Result<Vec<Measure>, String>,
    ) -> Self {
        let (measures, problem) = match compared {
            Ok(measures) => (measures, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        Self { group, name: name.into(), precision, measures, problem }
    }

    /// Whether it was replayed and nothing deviates.
    pub fn agrees(&self) -> bool {
        self.problem.is_none() && !self.measures.is_empty() && self.measures.iter().all(Measure::agrees)
    }
}

type Replay = fn(&'static str, &str) -> serde_json::Result<Vec<Row>>;

/// A file of records.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    name: &'static str,
    file: &'static str,
    replay: Replay,
}

/// All groups, in the certificate's order.
pub const GROUPS: [Group; 16] = [
    Group { name: "optimizers", file: "parity/optimizers.json", replay: training::rows },
    Group { name: "schedules", file: "parity/schedules.json", replay: schedules::rows },
    Group { name: "losses", file: "parity/losses.json", replay: training::rows },
    Group { name: "regularizers", file: "parity/regularizers.json", replay: training::rows },
    Group { name: "constraints", file: "parity/constraints.json", replay: training::rows },
    Group { name: "initializers", file: "parity/initializers.json", replay: initializers::rows },
    Group { name: "metrics", file: "parity/metrics.json", replay: metrics::rows },
    Group { name: "activations", file: "parity/activations.json", replay: training::rows },
    Group { name: "activation functions", file: "parity/activation_tables.json", replay: activations::rows },
    Group { name: "activation layers", file: "layers/activation.json", replay: layers::rows },
    Group { name: "convolution layers", file: "layers/convolution.json", replay: layers::rows },
    Group { name: "pooling layers", file: "layers/pooling.json", replay: layers::rows },
    Group { name: "normalization layers", file: "layers/normalization.json", replay: layers::rows },
    Group { name: "noise layers", file: "layers/noise.json", replay: layers::rows },
    Group { name: "options of layers", file: "layers/options.json", replay: layers::rows },
    Group { name: "augmentation layers", file: "layers/augmentation.json", replay: layers::rows_in_32_bits },
];

#[derive(Deserialize)]
struct Head {
    versions: BTreeMap<String, String>,
}

impl Group {
    /// What the records are of.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Replays the group's records: Keras's version, and one row for each.
    ///
    /// # Errors
    /// For a file that cannot be read or does not hold such records.
    pub fn replay(&self, records: Records<'_>) -> Result<(String, Vec<Row>), LabError> {
        self.replay_text(&records.text(self.file)?)
    }

    fn replay_text(&self, text: &str) -> Result<(String, Vec<Row>), LabError> {
        let refused = |problem: String| LabError::Records { file: self.file.to_owned(), problem };
        let mut head: Head = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        let version = head.versions.remove("keras");
        let version = version.ok_or_else(|| refused("versions: expected keras, received none".to_owned()))?;
        let rows = (self.replay)(self.name, text).map_err(|error| refused(error.to_string()))?;
        if rows.is_empty() {
            return Err(refused("expected records, received none".to_owned()));
        }
        Ok((version, rows))
    }
}

/// All records, replayed.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// The versions of Keras that made the records.
    pub keras: BTreeSet<String>,
    /// Whether every record agrees.
    pub agrees: bool,
    /// One for every record.
    pub rows: Vec<Row>,
}

/// Replays all records.
///
/// # Errors
/// Where a file cannot be read or does not hold such records.
pub fn certificate(records: Records<'_>) -> Result<Certificate, LabError> {
    let (mut keras, mut rows) = (BTreeSet::new(), Vec::new());
    for group in GROUPS {
        let (version, of_group) = group.replay(records)?;
        keras.insert(version);
        rows.extend(of_group);
    }
    Ok(Certificate { keras, agrees: rows.iter().all(Row::agrees), rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn group(name: &str) -> (Group, Value) {
        let group = GROUPS.into_iter().find(|group| group.name == name).unwrap();
        let text = Records::BuiltIn.text(group.file).unwrap();
        (group, serde_json::from_str(&text).unwrap())
    }

    /// Which of a group's rows do not agree.
    fn wrong(group: Group, records: &Value) -> Vec<Row> {
        let (_, rows) = group.replay_text(&records.to_string()).unwrap();
        rows.into_iter().filter(|row| !row.agrees()).collect()
    }

    /// A number is changed by a hundred times what is allowed, in every kind of record.
    #[test]
    fn a_changed_number_deviates() {
        let records = [
            ("regularizers", "/runs/0/losses/3", 1e-3),
            ("regularizers", "/runs/0/weights/dense~1kernel/5", 1e-3),
            ("regularizers", "/runs/1/losses/3", 1e-10),
            ("schedules", "/schedules/3/float64/2", 1e-10),
            ("initializers", "/initializers/0/mean", 10.0),
            ("metrics", "/metrics/0/result", 2e-4),
            ("activation functions", "/elementwise/0/y/3", 1e-12),
            ("activation functions", "/rowwise/0/dx/3", 1e-12),
            ("noise layers", "/runs/0/outputs/3", 1e-3),
        ];
        for (name, place, change) in records {
            let (group, mut records) = group(name);
            assert!(wrong(group, &records).is_empty(), "{name}");
            let number = records.pointer_mut(place).unwrap();
            *number = (number.as_f64().unwrap() + change).into();
            let wrong = wrong(group, &records);
            assert_eq!(wrong.len(), 1, "{name} {place}: {wrong:#?}");
            assert!(wrong[0].problem.is_none(), "{name} {place}: {wrong:#?}");
        }
    }

    #[test]
    fn what_is_not_understood_does_not_agree() {
        let (group, mut records) = group("regularizers");
        records["runs"][1]["optimizer"]["class_name"] = "Unknown".into();
        records["runs"][2]["weights"]["more"] = Value::Array(Vec::new());
        let wrong = wrong(group, &records);
        assert_eq!(wrong.len(), 2, "{wrong:#?}");
        assert!(wrong.iter().all(|row| row.problem.is_some()));
        records["runs"] = Value::Array(Vec::new());
        assert!(group.replay_text(&records.to_string()).is_err());
    }
}
