//! Every choice by its kind: the names that a model file may use, their parameters and the defaults.

use crate::activations::Activation;
use crate::config::{Named, Value};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::Layer;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::regularizers::Regularizer;
use crate::schedules::Schedule;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What can be chosen.
///
/// ```
/// use seedbed_nn::choices::Kind;
/// let adam = Kind::Optimizers.choices().into_iter().find(|choice| choice.name == "adam").unwrap();
/// let epsilon = adam.parameters.iter().find(|parameter| parameter.name == "epsilon").unwrap();
/// assert_eq!(epsilon.to_string(), "epsilon=1e-7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Activations,
    Constraints,
    Initializers,
    Layers,
    Losses,
    Metrics,
    Optimizers,
    Regularizers,
    Schedules,
}

/// One name of a kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Keras's name.
    pub name: &'static str,
    /// In order.
    pub parameters: Vec<Parameter>,
}

/// A parameter and its default.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Keras's name.
    pub name: &'static str,
    /// What it is where nothing is said; `None` where it must be said.
    pub default: Option<DefaultValue>,
}

/// The default of a parameter: a number, a word, a list, or nothing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct DefaultValue(Value);

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Activations,
        Self::Constraints,
        Self::Initializers,
        Self::Layers,
        Self::Losses,
        Self::Metrics,
        Self::Optimizers,
        Self::Regularizers,
        Self::Schedules,
    ];

    /// The kind's name: `optimizers`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Constraints => "constraints",
            Self::Initializers => "initializers",
            Self::Layers => "layers",
            Self::Losses => "losses",
            Self::Metrics => "metrics",
            Self::Optimizers => "optimizers",
            Self::Regularizers => "regularizers",
            Self::Schedules => "schedules",
        }
    }

    /// Every choice of the kind.
    pub fn choices(self) -> Vec<Choice> {
        match self {
            Self::Activations => named::<Activation>(&Activation::NAMES),
            Self::Constraints => named::<Constraint>(&Constraint::NAMES),
            Self::Initializers => named::<Initializer>(&Initializer::NAMES),
            Self::Layers => Layer::examples().iter().map(layer).collect(),
            Self::Losses => named::<Loss>(&Loss::NAMES),
            Self::Metrics => named::<Metric>(&Metric::NAMES),
            Self::Optimizers => named::<Optimizer>(&Optimizer::NAMES),
            Self::Regularizers => named::<Regularizer>(&Regularizer::NAMES),
            Self::Schedules => named::<Schedule>(&Schedule::NAMES),
        }
    }
}

fn named<T: Named>(names: &[&'static str]) -> Vec<Choice> {
    let choice = |&name: &&'static str| {
        let parameters = T::from_name(name).map(|thing| thing.parameters()).unwrap_or_default();
        let parameter = |(name, value)| Parameter {
            name,
            default: (!T::REQUIRED.contains(&name)).then_some(DefaultValue(value)),
        };
        Choice { name, parameters: parameters.into_iter().map(parameter).collect() }
    };
    names.iter().map(choice).collect()
}

/// A layer's defaults are those that its description writes; a switch that is on it leaves out.
fn layer(layer: &Layer) -> Choice {
    let written = match serde_json::to_value(layer).and_then(Value::deserialize) {
        Ok(Value::Table(table)) => table,
        _ => BTreeMap::new(),
    };
    let default = |name: &str| match name {
        "trainable" => Value::Bool(true),
        name => written.get(name).cloned().unwrap_or(Value::Null),
    };
    let parameter = |&name: &&'static str| Parameter {
        name,
        default: (!layer.required().contains(&name)).then(|| DefaultValue(default(name))),
    };
    let parameters = layer.parameters().iter().filter(|name| **name != "name").map(parameter).collect();
    Choice { name: layer.class_name(), parameters }
}

impl Serialize for DefaultValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

/// `name=default`; the name alone where it must be given.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.default {
            None => f.write_str(self.name),
            Some(DefaultValue(value)) => write!(f, "{}={}", self.name, Written(value)),
        }
    }
}

/// A value as a model file writes it.
struct Written<'a>(&'a Value);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("none"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::List(values) => {
                let values: Vec<String> = values.iter().map(|value| Written(value).to_string()).collect();
                write!(f, "[{}]", values.join(", "))
            }
            Value::Table(table) => {
                let pairs: Vec<String> =
                    table.iter().map(|(key, value)| format!("{key} = {}", Written(value))).collect();
                write!(f, "{{ {} }}", pairs.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: Kind, name: &str) -> Vec<String> {
        let choices = kind.choices();
        let choice = choices.iter().find(|choice| choice.name == name).unwrap();
        choice.parameters.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn parameters_have_kerass_defaults() {
        assert_eq!(lines(Kind::Initializers, "random_uniform")[..2], ["minval=-0.05", "maxval=0.05"]);
        assert_eq!(lines(Kind::Layers, "Dropout")[0], "rate");
        assert!(lines(Kind::Layers, "Dense").contains(&"trainable=true".to_owned()));
        assert!(lines(Kind::Layers, "Dense").contains(&"kernel_initializer=\"glorot_uniform\"".to_owned()));
        assert!(lines(Kind::Optimizers, "sgd").contains(&"learning_rate=0.01".to_owned()));
        assert_eq!(lines(Kind::Activations, "tanh"), Vec::<String>::new());
        assert_eq!(lines(Kind::Constraints, "max_norm"), ["max_value=2.0", "axis=0"]);
        assert_eq!(lines(Kind::Regularizers, "l2"), ["l2=0.01"]);
        let exponential = ["initial_learning_rate", "decay_steps", "decay_rate", "staircase=false"];
        assert_eq!(lines(Kind::Schedules, "exponential_decay"), exponential);
    }

    #[test]
    fn no_kind_is_empty_and_no_name_stands_twice() {
        for kind in Kind::ALL {
            let mut names: Vec<_> = kind.choices().iter().map(|choice| choice.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert!(count > 0 && count == names.len(), "{}", kind.name());
        }
    }
}
