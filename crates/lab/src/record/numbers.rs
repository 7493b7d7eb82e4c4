//! Measurements by name; one that is no finite number is `null`, as in [`number`](super::number).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Measurements by name.
pub type Numbers = BTreeMap<String, f64>;

pub(super) fn serialize<S: Serializer>(numbers: &Numbers, serializer: S) -> Result<S::Ok, S::Error> {
    let finite = |value: f64| value.is_finite().then_some(value);
    let numbers: BTreeMap<&str, Option<f64>> =
        numbers.iter().map(|(name, value)| (name.as_str(), finite(*value))).collect();
    numbers.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Numbers, D::Error> {
    let numbers = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}
