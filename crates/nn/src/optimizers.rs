//! How a weight moves: one elementwise rule per file.
//!
//! A rule sees one weight (or a lane of them), its gradient and its slots (moments and the like);
//! the numbers that are the same for all weights of a step come from [`UpdateRule::scalars`]. It
//! knows nothing of layers, buffers or vector widths. To add one: a file with its equation and
//! the rule, a variant of [`Rule`], its name in [`Optimizer::NAMES`], a line in each match below.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

mod adagrad;
mod adam;
mod nadam;
mod rmsprop;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use nadam::Nadam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// The most slots (numbers kept per weight) that a rule may have.
pub const MAX_SLOTS: usize = 3;

/// The numbers of a step that are the same for every weight.
pub type Scalars<L> = [L; 6];

/// What a rule remembers from step to step that is the same for every weight.
pub type Memory<L> = [L; 1];

/// The elementwise formula of an optimizer.
pub trait UpdateRule: Copy + Send + Sync {
    /// How many numbers are kept per weight, at most [`MAX_SLOTS`].
    fn slots(self) -> usize;
    /// What the slots hold before the first step.
    fn slot_start(self) -> f64 {
        0.0
    }
    /// What [`Memory`] holds before the first step.
    fn memory_start(self) -> f64 {
        0.0
    }
    /// The numbers of step `t` (1 for the first) at the learning rate `lr`.
    fn scalars<L: Lane>(self, lr: L, t: u64, memory: &mut Memory<L>) -> Scalars<L>;
    /// The new weight from the old one and its gradient.
    ///
    /// Slots that have become subnormal are set to 0 after the update. TensorFlow and XLA run with
    /// subnormals flushed; without it, the moments of inputs that are rarely lit fade into numbers
    /// that processors handle several times more slowly.
    fn update<L: Lane>(self, scalars: &Scalars<L>, w: L, g: L, slots: &mut [L; MAX_SLOTS]) -> L;
}

/// What is done with a rule once it is known which one it is.
pub trait RuleVisitor {
    /// What the visit returns.
    type Output;
    /// Called with the rule.
    fn visit<R: UpdateRule>(self, rule: R) -> Self::Output;
}

/// Which rule, with its own parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent, with or without momentum.
    Sgd(Sgd),
    /// Divides by a running root mean square.
    RmsProp(RmsProp),
    /// Adaptive moments.
    Adam(Adam),
    /// Adam with Nesterov momentum.
    Nadam(Nadam),
    /// Divides by the root of the sum of all squares so far.
    Adagrad(Adagrad),
}

impl Rule {
    /// Calls the visitor with the rule itself.
    #[inline(always)]
    pub fn visit<V: RuleVisitor>(&self, visitor: V) -> V::Output {
        match *self {
            Self::Sgd(rule) => visitor.visit(rule),
            Self::RmsProp(rule) => visitor.visit(rule),
            Self::Adam(rule) if rule.amsgrad => visitor.visit(adam::AmsGrad(rule)),
            Self::Adam(rule) => visitor.visit(rule),
            Self::Nadam(rule) => visitor.visit(rule),
            Self::Adagrad(rule) => visitor.visit(rule),
        }
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Sgd(rule) => rule.parameters(),
            Self::RmsProp(rule) => rule.parameters(),
            Self::Adam(rule) => rule.parameters(),
            Self::Nadam(rule) => rule.parameters(),
            Self::Adagrad(rule) => rule.parameters(),
        }
    }

    /// The same rule with the parameters of a complete table.
    fn with(self, table: Value) -> Result<Self, ValueError> {
        Ok(match self {
            Self::Sgd(_) => Self::Sgd(Deserialize::deserialize(table)?),
            Self::RmsProp(_) => Self::RmsProp(Deserialize::deserialize(table)?),
            Self::Adam(_) => Self::Adam(Deserialize::deserialize(table)?),
            Self::Nadam(_) => Self::Nadam(Deserialize::deserialize(table)?),
            Self::Adagrad(_) => Self::Adagrad(Deserialize::deserialize(table)?),
        })
    }
}

/// Refuses a parameter that is out of its range: `beta_1`, `beta_2`, `rho` and `momentum` are
/// shares that are kept, all others only must not be negative.
fn check(optimizer: &'static str, parameter: &'static str, value: f64) -> Result<(), InvalidParameter> {
    match parameter {
        "beta_1" | "beta_2" | "rho" | "momentum" => {
            let inside = (0.0..1.0).contains(&value);
            require(inside, optimizer, parameter, "from 0 to below 1", value)
        }
        "learning_rate" => {
            require(value.is_finite() && value > 0.0, optimizer, parameter, "a finite number > 0", value)
        }
        _ => require(value.is_finite() && value >= 0.0, optimizer, parameter, "a finite number ≥ 0", value),
    }
}

/// An optimizer: a rule and what all rules share.
///
/// ```
/// use seedbed_nn::optimizers::{Adam, Optimizer};
/// let optimizer = Optimizer::new(Adam::default()).learning_rate(0.01);
/// assert_eq!(optimizer.learning_rate, 0.01);
/// assert_eq!("adam".parse::<Optimizer>().unwrap().learning_rate, 0.001);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimizer {
    /// The rule by which a weight moves.
    pub rule: Rule,
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Before each update every variable loses `weight_decay · learning_rate` of itself; 0 for none.
    pub weight_decay: f64,
}

impl Optimizer {
    /// Every name with the optimizer's defaults, as in Keras.
    pub const NAMES: [&'static str; 6] = ["sgd", "rmsprop", "adam", "adamw", "nadam", "adagrad"];

    /// A rule with Keras's default learning rate and no weight decay.
    pub fn new(rule: impl Into<Rule>) -> Self {
        let rule = rule.into();
        let learning_rate = if matches!(rule, Rule::Sgd(_)) { 0.01 } else { 0.001 };
        Self { rule, learning_rate, weight_decay: 0.0 }
    }

    /// AdamW: Adam with a weight decay of 0.004 (Loshchilov and Hutter 2019; Keras
    /// `keras/src/optimizers/adamw.py`).
    pub fn adamw() -> Self {
        Self { weight_decay: 0.004, ..Self::new(Adam::default()) }
    }

    /// Sets the step size.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// Sets the decoupled weight decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// The name that people know it by: `adam`, `adamw`, …
    pub fn name(&self) -> &'static str {
        match &self.rule {
            Rule::Sgd(_) => "sgd",
            Rule::RmsProp(_) => "rmsprop",
            Rule::Adam(_) if self.weight_decay > 0.0 => "adamw",
            Rule::Adam(_) => "adam",
            Rule::Nadam(_) => "nadam",
            Rule::Adagrad(_) => "adagrad",
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the parameter, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        self.parameters().into_iter().try_for_each(|(parameter, value)| match value {
            Value::Float(value) => check(self.name(), parameter, value),
            _ => Ok(()),
        })
    }

    /// The weight after decay and before the rule: `w − (w·weight_decay)·learning_rate`.
    #[inline(always)]
    pub(crate) fn decay<L: Lane>(weight_decay: f64, lr: L, w: L) -> L {
        if weight_decay == 0.0 { w } else { w - (w * L::lit(weight_decay)) * lr }
    }
}

impl std::str::FromStr for Optimizer {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let table = [
            ("sgd", Self::new(Sgd::default())),
            ("rmsprop", Self::new(RmsProp::default())),
            ("adam", Self::new(Adam::default())),
            ("adamw", Self::adamw()),
            ("nadam", Self::new(Nadam::default())),
            ("adagrad", Self::new(Adagrad::default())),
        ];
        names::resolve("optimizer", name, &table)
    }
}

impl Named for Optimizer {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let shared =
            [("learning_rate", self.learning_rate.into()), ("weight_decay", self.weight_decay.into())];
        shared.into_iter().chain(self.rule.parameters()).collect()
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, ValueError> {
        let Value::Table(mut table) = table else { return Err(ValueError::custom("expected a table")) };
        let mut take = |key: &str| {
            let value = table.remove(key).unwrap_or(Value::Null);
            f64::deserialize(value).map_err(|error| ValueError::custom(format!("{key}: {error}")))
        };
        let (learning_rate, weight_decay) = (take("learning_rate")?, take("weight_decay")?);
        let Some(Value::Text(name)) = table.remove("name") else {
            return Err(ValueError::custom("expected a name"));
        };
        let named: Self = name.parse().map_err(ValueError::custom)?;
        Ok(Self { rule: named.rule.with(Value::Table(table))?, learning_rate, weight_decay })
    }
}

/// Always the whole table: the learning rate decides a run and must be seen in its recipe.
impl Serialize for Optimizer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let name = ("name", Value::from(self.name()));
        to.collect_map(std::iter::once(name).chain(self.parameters()))
    }
}

impl<'de> Deserialize<'de> for Optimizer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

impl<R: Into<Rule>> From<R> for Optimizer {
    fn from(rule: R) -> Self {
        Self::new(rule)
    }
}

#[cfg(test)]
mod tests;
