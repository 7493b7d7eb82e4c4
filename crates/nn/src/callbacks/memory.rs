//! What a callback knows between two epochs, beside its parameters. Keras's callbacks forget it when a run is interrupted;
//! with it, an interrupted run goes on with the same bits.

use std::collections::BTreeMap;

/// What a callback remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Numbers by name; a name that is missing has no number yet.
    pub numbers: BTreeMap<String, f64>,
    /// Weights as [`Training::weights`](super::Training::weights) gives them.
    pub weights: Option<Vec<f32>>,
}

impl Memory {
    /// Adds a number, if there is one.
    pub fn with(mut self, name: &str, number: Option<f64>) -> Self {
        self.numbers.extend(number.map(|number| (name.to_owned(), number)));
        self
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.get(name).copied()
    }

    /// A count by its name; 0 where there is none.
    pub fn count(&self, name: &str) -> usize {
        self.number(name).map_or(0, |number| number as usize)
    }
}
