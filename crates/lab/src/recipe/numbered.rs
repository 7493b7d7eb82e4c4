//! Numbers by a whole number, as a file writes them: `{ "0" = 2.0, "3" = 0.5 }`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A number for some of 0, 1, 2, …: a class's weight, the learning rate from an epoch on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbered(pub BTreeMap<usize, f64>);

impl Numbered {
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last number at or before `at`.
    pub fn up_to(&self, at: usize) -> Option<f64> {
        self.0.range(..=at).next_back().map(|(_, number)| *number)
    }
}

impl<const N: usize> From<[(usize, f64); N]> for Numbered {
    fn from(numbers: [(usize, f64); N]) -> Self {
        Self(numbers.into())
    }
}

impl Serialize for Numbered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(at, number)| (at.to_string(), number)))
    }
}

impl<'de> Deserialize<'de> for Numbered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let table = BTreeMap::<String, f64>::deserialize(from)?;
        let numbered = |(key, number): (String, f64)| match key.parse() {
            Ok(at) => Ok((at, number)),
            Err(_) => Err(D::Error::custom(format!("expected whole numbers as keys, received `{key}`"))),
        };
        table.into_iter().map(numbered).collect::<Result<_, _>>().map(Self)
    }
}
