//! How a thing with a name and parameters is written in a file.
//!
//! A plain string, `"relu"`, when every parameter has its default; otherwise a table,
//! `{ name = "leaky_relu", negative_slope = 0.1 }`. Both forms are read; unknown names, unknown
//! parameters and values out of range are refused.

use crate::names::{UnknownName, unknown};
use serde::de::value::{Error as ValueError, MapDeserializer, SeqDeserializer};
use serde::de::{self, Error as _, IntoDeserializer, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use std::collections::BTreeMap;
use std::fmt::Display;
use thiserror::Error;

/// A parameter outside its range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}: {parameter} must be {expected}, but is {received}")]
pub struct InvalidParameter {
    /// What the parameter belongs to: "leaky_relu", "random_normal", …
    pub name: &'static str,
    /// The parameter.
    pub parameter: &'static str,
    /// What is allowed.
    pub expected: &'static str,
    /// What was found.
    pub received: String,
}

/// Refuses a parameter unless `ok`.
pub(crate) fn require(
    ok: bool,
    name: &'static str,
    parameter: &'static str,
    expected: &'static str,
    received: impl Display,
) -> Result<(), InvalidParameter> {
    if ok {
        Ok(())
    } else {
        Err(InvalidParameter { name, parameter, expected, received: received.to_string() })
    }
}

/// A thing that a file calls by name, with parameters that have defaults.
pub(crate) trait Named: Sized {
    /// Parameters without a default.
    const REQUIRED: &'static [&'static str] = &[];
    /// The thing with this name and default parameters.
    fn from_name(name: &str) -> Result<Self, UnknownName>;
    /// Keras's name.
    fn name(&self) -> &'static str;
    /// Its parameters and their values.
    fn parameters(&self) -> Vec<(&'static str, Value)>;
    /// Refuses parameters out of range.
    fn validate(&self) -> Result<(), InvalidParameter>;
    /// The derived reading of a complete table: Keras's name and every parameter.
    fn from_table(table: Value) -> Result<Self, ValueError>;
}

/// Writes the name alone where all parameters have their defaults, otherwise the table.
pub(crate) fn serialize<T: Named, S: Serializer>(thing: &T, to: S) -> Result<S::Ok, S::Error> {
    let default = T::from_name(thing.name()).map_err(S::Error::custom)?;
    if thing.parameters() == default.parameters() {
        return to.serialize_str(thing.name());
    }
    serialize_whole(thing, to)
}

/// Writes the table with every parameter that has a value, whatever the defaults are: TOML has no null.
pub(crate) fn serialize_whole<T: Named, S: Serializer>(thing: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(given(thing))
}

/// The same as a value.
pub(crate) fn whole_table<T: Named>(thing: &T) -> Value {
    Value::Table(given(thing).map(|(key, value)| (key.to_owned(), value)).collect())
}

fn given<T: Named>(thing: &T) -> impl Iterator<Item = (&'static str, Value)> {
    let parameters = thing.parameters().into_iter().filter(|(_, value)| *value != Value::Null);
    std::iter::once(("name", Value::from(thing.name()))).chain(parameters)
}

/// Reads either form.
pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    match Value::deserialize(from)? {
        Value::Text(name) => T::from_name(&name).map_err(D::Error::custom),
        Value::Table(table) => from_table(table).map_err(D::Error::custom),
        _ => Err(D::Error::custom("expected a name, or a table with a name and parameters")),
    }
}

fn from_table<T: Named>(mut table: BTreeMap<String, Value>) -> Result<T, String> {
    let Some(Value::Text(name)) = table.remove("name") else {
        return Err("a table needs a `name`, as in { name = \"…\" }".to_owned());
    };
    let default = T::from_name(&name).map_err(|error| error.to_string())?;
    let name = default.name();
    let parameters = default.parameters();
    if let Some(stranger) = table.keys().find(|key| parameters.iter().all(|(known, _)| known != key)) {
        return Err(if parameters.is_empty() {
            format!("{name} has no parameters, but `{stranger}` was given")
        } else {
            format!("{name}: {}", unknown("parameter", stranger, parameters.iter().map(|(known, _)| *known)))
        });
    }
    for (parameter, value) in parameters.into_iter().chain([("name", Value::from(name))]) {
        table.entry(parameter.to_owned()).or_insert(value);
    }
    let thing = T::from_table(Value::Table(table)).map_err(|error| format!("{name}: {error}"))?;
    thing.validate().map_err(|error| error.to_string())?;
    Ok(thing)
}

/// The names of a struct's fields, as a file writes them.
pub(crate) fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Reading ends as soon as the struct has said what it asks for.
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

/// Hears which fields a struct asks for and reads nothing.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only its fields were asked for"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Takes one parameter out of a complete table.
pub(crate) fn take<'de, T: Deserialize<'de>>(
    table: &mut BTreeMap<String, Value>,
    key: &str,
) -> Result<T, ValueError> {
    let value = table.remove(key).unwrap_or(Value::Null);
    T::deserialize(value).map_err(|error| de::Error::custom(format!("{key}: {error}")))
}

/// The error for a value that should have been a table.
pub(crate) fn not_a_table() -> ValueError {
    de::Error::custom("expected a table")
}

/// Whatever a file may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// JSON's null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A table.
    Table(BTreeMap<String, Value>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Integer)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&[String]> for Value {
    fn from(values: &[String]) -> Self {
        Self::List(values.iter().map(|value| Self::Text(value.clone())).collect())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl IntoDeserializer<'_> for Value {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Integer(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_string(value),
            Self::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Table(table) => visitor.visit_map(MapDeserializer::new(table.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self == Self::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Self::Text(variant) => visitor.visit_enum(variant.into_deserializer()),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
