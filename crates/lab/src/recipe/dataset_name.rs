//! A dataset is a name or a path, or a table that says how a path is to be read.

use seedbed_data::{DataName, OwnData};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

pub(super) fn serialize<S: Serializer>(name: &DataName, to: S) -> Result<S::Ok, S::Error> {
    match name {
        DataName::Own(own) => own.serialize(to),
        named => to.collect_str(named),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DataName, D::Error> {
    from.deserialize_any(NameOrTable)
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = DataName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dataset's name, a path, or a table with a path")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<DataName, E> {
        name.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<DataName, A::Error> {
        OwnData::deserialize(MapAccessDeserializer::new(table)).map(DataName::Own)
    }
}
