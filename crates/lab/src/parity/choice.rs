//! Choices as Keras describes them, in our words.

use seedbed_nn::optimizers::Optimizer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// An optimizer, loss or regularizer as Keras describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Choice {
    /// Keras's class.
    pub class_name: String,
    config: Map<String, Value>,
}

impl Choice {
    /// Our word for it, by Keras's names alone; what stands at its neutral value is left out.
    ///
    /// # Errors
    /// What is not supported.
    pub fn read<T: DeserializeOwned>(&self, neutral: &[(&str, Value)]) -> Result<T, String> {
        read(self.table(neutral))
    }

    /// The same as a model file has it.
    pub fn table(&self, neutral: &[(&str, Value)]) -> Value {
        let matters = |key: &str, value: &Value| {
            !value.is_null() && !neutral.iter().any(|(name, neutral)| *name == key && value == neutral)
        };
        let config = self.config.iter().filter(|(key, value)| matters(key, value));
        let mut table: Map<String, Value> = config.map(|(k, v)| (k.clone(), v.clone())).collect();
        table.insert("name".into(), Value::from(self.class_name.clone()));
        Value::Object(table)
    }

    /// The optimizer.
    ///
    /// # Errors
    /// What is not supported.
    pub fn optimizer(&self, exclude_from_weight_decay: &[String]) -> Result<Optimizer, String> {
        let mut choice = self.clone();
        if let Some(rate) = choice.config.get_mut("learning_rate")
            && let Ok(schedule) = serde_json::from_value::<Self>(rate.clone())
        {
            *rate = schedule.table(&[]);
        }
        // A null that says something: no scale, where the default is one.
        if let Some(rms_rate @ Value::Null) = choice.config.get_mut("rms_rate") {
            *rms_rate = 0.0.into();
        }
        choice.config.insert("exclude_from_weight_decay".into(), exclude_from_weight_decay.into());
        choice.read(&[])
    }
}

/// Reads what a model file may hold.
///
/// # Errors
/// Why it cannot be read, without the list of what is known.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| shortened(&error.to_string()))
}

fn shortened(message: &str) -> String {
    let end = ["; known are", ", expected one of"].iter().filter_map(|list| message.find(list)).min();
    message[..end.unwrap_or(message.len())].to_owned()
}

/// A choice with its name, as a model file has it; what is null is left out.
pub(super) fn named(name: &str, config: &Map<String, Value>) -> Value {
    let config = config.iter().filter(|(_, value)| !value.is_null());
    let mut table: Map<String, Value> = config.map(|(k, v)| (k.clone(), v.clone())).collect();
    table.insert("name".into(), name.into());
    Value::Object(table)
}
