//! A factor in a study file: a list of levels, or a table with its path and its levels or range.

use super::wrong;
use crate::error::{LabError, in_words};
use crate::record::{LevelRecord, RangeRecord};
use crate::study::path::Path;
use serde::Deserialize;
use serde_json::Value;

/// The most levels a factor may have.
const MAX_LEVELS: usize = 1_000;

/// A factor as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct FactorFile {
    /// Its name.
    pub name: String,
    /// Where its levels are put.
    pub path: Path,
    /// Its levels.
    pub values: Values,
}

/// The values a factor takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These.
    Levels(Vec<LevelRecord>),
    /// Any in a range.
    Range {
        /// From where to where.
        range: RangeRecord,
        /// Whole numbers only.
        whole: bool,
    },
}

/// A factor's long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongFactor {
    path: Option<String>,
    levels: Option<Vec<toml::Value>>,
    range: Option<[toml::Value; 2]>,
    #[serde(default)]
    log: bool,
}

/// A level with a name of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedLevel {
    label: String,
    value: toml::Value,
}

impl FactorFile {
    pub(super) fn to_toml(&self) -> toml::Value {
        let value =
            |value: &Value| toml::Value::try_from(value).unwrap_or(toml::Value::String(String::new()));
        let mut table = toml::Table::new();
        table.insert("path".into(), self.path.to_string().into());
        match &self.values {
            Values::Levels(levels) => {
                let level = |level: &LevelRecord| {
                    if label(&level.value) == level.label {
                        return value(&level.value);
                    }
                    let named = [
                        ("label".to_owned(), level.label.clone().into()),
                        ("value".to_owned(), value(&level.value)),
                    ];
                    toml::Value::Table(named.into_iter().collect())
                };
                table.insert("levels".into(), levels.iter().map(level).collect::<Vec<_>>().into());
            }
            Values::Range { range, whole } => {
                let end = |end: f64| if *whole { toml::Value::Integer(end as i64) } else { end.into() };
                table.insert("range".into(), vec![end(range.low), end(range.high)].into());
                table.insert("log".into(), range.log.into());
            }
        }
        table.into()
    }
}

pub(super) fn factor(name: String, value: toml::Value) -> Result<FactorFile, LabError> {
    let wrong = |problem: String| LabError::Study(format!("factors.{name}: {problem}"));
    let long = match value {
        toml::Value::Array(levels) => {
            LongFactor { path: None, levels: Some(levels), range: None, log: false }
        }
        toml::Value::Table(table) => {
            table.try_into().map_err(|error: toml::de::Error| wrong(in_words(error.message())))?
        }
        other => {
            let expected = "a list of levels, or a table with `path` and `levels` or `range`";
            return Err(wrong(format!("expected {expected}, received {other}")));
        }
    };
    let path = Path::parse(long.path.as_deref().unwrap_or(&name)).map_err(wrong)?;
    let values = match (long.levels, long.range) {
        (Some(levels), None) if (1..=MAX_LEVELS).contains(&levels.len()) => {
            Values::Levels(levels.iter().map(level).collect::<Result<_, _>>()?)
        }
        (Some(levels), None) => {
            return Err(wrong(format!("levels: expected 1 to {MAX_LEVELS}, received {}", levels.len())));
        }
        (None, Some(ends)) => range(&ends, long.log).map_err(wrong)?,
        _ => return Err(wrong("expected either `levels` or `range`".into())),
    };
    Ok(FactorFile { name, path, values })
}

fn level(value: &toml::Value) -> Result<LevelRecord, LabError> {
    if let Ok(NamedLevel { label, value }) = value.clone().try_into() {
        return Ok(LevelRecord { label, value: json(&value)? });
    }
    let value = json(value)?;
    Ok(LevelRecord { label: label(&value), value })
}

fn range(ends: &[toml::Value; 2], log: bool) -> Result<Values, String> {
    let whole = ends.iter().all(toml::Value::is_integer);
    let number = |end: &toml::Value| end.as_float().or_else(|| end.as_integer().map(|end| end as f64));
    let ends = [number(&ends[0]), number(&ends[1])];
    match ends {
        [Some(low), Some(high)]
            if low < high && high.is_finite() && low.is_finite() && (low > 0.0 || !log) =>
        {
            Ok(Values::Range { range: RangeRecord { low, high, log }, whole })
        }
        _ => {
            let more = if log { " above 0" } else { "" };
            Err(format!("range: expected two numbers{more}, the smaller first"))
        }
    }
}

pub(super) fn json(value: &toml::Value) -> Result<Value, LabError> {
    serde_json::to_value(value).map_err(|error| wrong(error.to_string()))
}

/// What a person calls a value: a named thing by its name and whatever else is said about it.
pub(in crate::study) fn label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(table) => {
            let name = table.get("name").and_then(Value::as_str).map(str::to_owned);
            let others = table.iter().filter(|(key, _)| *key != "name");
            name.into_iter()
                .chain(others.map(|(key, value)| format!("{key} {}", label(value))))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => short(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// 0.5, 0.0001, 1e-7.
fn short(number: f64) -> String {
    if number != 0.0 && !(1e-4..1e7).contains(&number.abs()) {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_called_as_a_person_would() {
        for (value, expected) in [
            (serde_json::json!(0.5), "0.5"),
            (serde_json::json!(32), "32"),
            (serde_json::json!(1e-5), "1e-5"),
            (serde_json::json!("zeros"), "zeros"),
            (serde_json::json!(true), "true"),
            (serde_json::json!({"name": "sgd", "momentum": 0.9}), "sgd momentum 0.9"),
        ] {
            assert_eq!(label(&value), expected);
        }
    }
}
