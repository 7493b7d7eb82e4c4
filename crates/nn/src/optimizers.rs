//! How a weight moves: one rule per file.
//!
//! Most rules are elementwise ([`UpdateRule`]): such a rule sees one weight (or a lane of them), its gradient and its
//! slots (moments and the like); the numbers that are the same for all weights of a step come from
//! [`UpdateRule::scalars`]. A few need a whole variable at once ([`variable::VariableRule`]). Neither knows layers,
//! buffers or vector widths. To add one: a file with its equation and the rule, a variant of [`Rule`], its name in
//! [`Optimizer::NAMES`], a line in each match below.

use crate::config::{self, InvalidParameter, Named, Value, require, take};
use crate::lane::Lane;
use crate::names::{self, UnknownName};
use crate::schedules::LearningRate;
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod clip;
mod ftrl;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod rmsprop;
mod sgd;
mod tick;
pub mod variable;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub(crate) use clip::Clip;
pub use ftrl::Ftrl;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::Nadam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub(crate) use tick::Tick;
use variable::VariableRule;

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
    /// What a slot holds before the first step.
    fn slot_start(self, _slot: usize) -> f64 {
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
    /// Called with a rule for single weights.
    fn visit<R: UpdateRule>(self, rule: R) -> Self::Output;
    /// Called with a rule for whole variables.
    fn visit_variable<R: VariableRule>(self, rule: &R) -> Self::Output;
}

/// Which rule, with its own parameters.
#[derive(Clone, Debug, PartialEq)]
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
    /// Divides by the largest gradient so far, fading.
    Adamax(Adamax),
    /// Steps as large as recent steps were.
    Adadelta(Adadelta),
    /// Follows the regularized leader.
    Ftrl(Ftrl),
    /// Steps of one size, by sign.
    Lion(Lion),
    /// Adam with steps in proportion to the variable.
    Lamb(Lamb),
    /// A running root mean square by rows and columns.
    Adafactor(Adafactor),
    /// Orthogonal steps for matrices.
    Muon(Muon),
}

/// Does the same with the rule in every variant.
macro_rules! with_rule {
    ($rule:expr, $bound:ident => $body:expr) => {
        match $rule {
            Rule::Sgd($bound) => $body,
            Rule::RmsProp($bound) => $body,
            Rule::Adam($bound) => $body,
            Rule::Nadam($bound) => $body,
            Rule::Adagrad($bound) => $body,
            Rule::Adamax($bound) => $body,
            Rule::Adadelta($bound) => $body,
            Rule::Ftrl($bound) => $body,
            Rule::Lion($bound) => $body,
            Rule::Lamb($bound) => $body,
            Rule::Adafactor($bound) => $body,
            Rule::Muon($bound) => $body,
        }
    };
}

impl Rule {
    /// Calls the visitor with the rule itself.
    #[inline(always)]
    pub fn visit<V: RuleVisitor>(&self, visitor: V) -> V::Output {
        match self {
            Self::Sgd(rule) => visitor.visit(*rule),
            Self::RmsProp(rule) => visitor.visit(*rule),
            Self::Adam(rule) if rule.amsgrad => visitor.visit(adam::AmsGrad(*rule)),
            Self::Adam(rule) => visitor.visit(*rule),
            Self::Nadam(rule) => visitor.visit(*rule),
            Self::Adagrad(rule) => visitor.visit(*rule),
            Self::Adamax(rule) => visitor.visit(*rule),
            Self::Adadelta(rule) => visitor.visit(*rule),
            Self::Ftrl(rule) => visitor.visit(*rule),
            Self::Lion(rule) => visitor.visit(*rule),
            Self::Lamb(rule) => visitor.visit_variable(rule),
            Self::Adafactor(rule) => visitor.visit_variable(rule),
            Self::Muon(rule) => visitor.visit_variable(rule),
        }
    }

    /// Whether it looks at a whole variable at once.
    pub(crate) fn is_for_variables(&self) -> bool {
        matches!(self, Self::Lamb(_) | Self::Adafactor(_) | Self::Muon(_))
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        with_rule!(self, rule => rule.parameters())
    }

    /// The same rule with the parameters of a complete table.
    fn with(self, table: Value) -> Result<Self, ValueError> {
        /// Reads a rule of the same type as the one that is there.
        fn like<R: Into<Rule> + for<'de> Deserialize<'de>>(_: R, table: Value) -> Result<Rule, ValueError> {
            R::deserialize(table).map(Into::into)
        }
        with_rule!(self, rule => like(rule, table))
    }
}

/// Refuses a parameter that is out of its range. Those that say how much is kept are shares; most others only must
/// not be negative.
fn check(optimizer: &'static str, parameter: &'static str, value: f64) -> Result<(), InvalidParameter> {
    let (inside, expected) = match parameter {
        "beta_1" if optimizer == "lion" => (value > 0.0 && value <= 1.0, "above 0 and at most 1"),
        "beta_1" | "beta_2" | "rho" | "momentum" | "adam_beta_1" | "adam_beta_2" => {
            ((0.0..1.0).contains(&value), "from 0 to below 1")
        }
        "ema_momentum" => ((0.0..=1.0).contains(&value), "from 0 to 1"),
        "learning_rate" | "clipnorm" | "clipvalue" | "global_clipnorm" | "clip_threshold"
        | "adam_lr_ratio" => (value.is_finite() && value > 0.0, "a finite number > 0"),
        "learning_rate_power" | "beta_2_decay" => (value.is_finite() && value <= 0.0, "a finite number ≤ 0"),
        "muon_a" | "muon_b" | "muon_c" => (value.is_finite(), "a finite number"),
        _ => (value.is_finite() && value >= 0.0, "a finite number ≥ 0"),
    };
    require(inside, optimizer, parameter, expected, value)
}

/// The same for whole numbers.
fn check_whole(optimizer: &'static str, parameter: &'static str, value: i64) -> Result<(), InvalidParameter> {
    let (least, most, expected) = match parameter {
        "gradient_accumulation_steps" => (2, i64::MAX, "a whole number from 2"),
        "ns_steps" => (1, 100, "a whole number from 1 to 100"),
        _ => (1, i64::MAX, "a whole number from 1"),
    };
    require((least..=most).contains(&value), optimizer, parameter, expected, value)
}

/// An optimizer: a rule and what all rules share.
///
/// What happens in a step, in Keras's order: gradients are accumulated, clipped, the weights decay, the rule
/// moves them, the average follows (and may take their place), constraints act.
///
/// ```
/// use seedbed_nn::optimizers::{Adam, Optimizer};
/// let optimizer = Optimizer::new(Adam::default()).learning_rate(0.01).clipnorm(1.0);
/// assert_eq!(optimizer.learning_rate.at(0), 0.01);
/// assert_eq!("adam".parse::<Optimizer>().unwrap().learning_rate, 0.001.into());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    /// The rule by which a weight moves.
    pub rule: Rule,
    /// Step size.
    pub learning_rate: LearningRate,
    /// Before each update every variable loses `weight_decay · learning_rate` of itself; 0 for none.
    pub weight_decay: f64,
    /// Variables whose name contains one of these do not decay. (Keras's
    /// `optimizer.exclude_from_weight_decay(var_names=…)`, where they are regular expressions.)
    pub exclude_from_weight_decay: Vec<String>,
    /// The longest that a variable's gradient may be; longer ones are shortened.
    pub clipnorm: Option<f64>,
    /// The largest that a number of the gradient may be.
    pub clipvalue: Option<f64>,
    /// The longest that the gradient of all variables together may be.
    pub global_clipnorm: Option<f64>,
    /// Whether an average of the weights is kept, and put in their place at the end of `fit`.
    pub use_ema: bool,
    /// How slowly the average forgets, from 0 to 1.
    pub ema_momentum: f64,
    /// After how many updates, again and again, the average takes the weights' place; `None` for never before the
    /// end.
    pub ema_overwrite_frequency: Option<u64>,
    /// How many batches make one update, with the mean of their gradients; at least 2, `None` for one.
    pub gradient_accumulation_steps: Option<u64>,
}

impl Optimizer {
    /// Every name with the optimizer's defaults, as in Keras.
    pub const NAMES: [&'static str; 13] = [
        "sgd",
        "rmsprop",
        "adam",
        "adamw",
        "nadam",
        "adagrad",
        "adamax",
        "adadelta",
        "ftrl",
        "lion",
        "lamb",
        "adafactor",
        "muon",
    ];

    /// A rule with Keras's default learning rate and weight decay, and nothing else.
    pub fn new(rule: impl Into<Rule>) -> Self {
        let rule = rule.into();
        let learning_rate = if matches!(rule, Rule::Sgd(_)) { 0.01 } else { 0.001 };
        let weight_decay = if matches!(rule, Rule::Muon(_)) { 0.004 } else { 0.0 };
        Self {
            rule,
            learning_rate: learning_rate.into(),
            weight_decay,
            exclude_from_weight_decay: Vec::new(),
            clipnorm: None,
            clipvalue: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            gradient_accumulation_steps: None,
        }
    }

    /// AdamW: Adam with a weight decay of 0.004 (Loshchilov and Hutter 2019; Keras
    /// `keras/src/optimizers/adamw.py`).
    pub fn adamw() -> Self {
        Self { weight_decay: 0.004, ..Self::new(Adam::default()) }
    }

    /// Sets the step size: a number or a schedule.
    pub fn learning_rate(mut self, learning_rate: impl Into<LearningRate>) -> Self {
        self.learning_rate = learning_rate.into();
        self
    }

    /// Sets the decoupled weight decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Variables whose name contains one of these do not decay.
    pub fn exclude_from_weight_decay(mut self, parts: &[&str]) -> Self {
        self.exclude_from_weight_decay = parts.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// Shortens every variable's gradient to this length.
    pub fn clipnorm(mut self, clipnorm: f64) -> Self {
        self.clipnorm = Some(clipnorm);
        self
    }

    /// Cuts every number of the gradient off at this size.
    pub fn clipvalue(mut self, clipvalue: f64) -> Self {
        self.clipvalue = Some(clipvalue);
        self
    }

    /// Shortens the gradient of all variables together to this length.
    pub fn global_clipnorm(mut self, global_clipnorm: f64) -> Self {
        self.global_clipnorm = Some(global_clipnorm);
        self
    }

    /// Keeps an average of the weights with this momentum (Keras: 0.99), and puts it in their place after every
    /// `overwrite_frequency` updates and at the end.
    pub fn ema(mut self, momentum: f64, overwrite_frequency: Option<u64>) -> Self {
        self.use_ema = true;
        self.ema_momentum = momentum;
        self.ema_overwrite_frequency = overwrite_frequency;
        self
    }

    /// Makes one update of so many batches.
    pub fn gradient_accumulation_steps(mut self, steps: u64) -> Self {
        self.gradient_accumulation_steps = Some(steps);
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
            Rule::Adamax(_) => "adamax",
            Rule::Adadelta(_) => "adadelta",
            Rule::Ftrl(_) => "ftrl",
            Rule::Lion(_) => "lion",
            Rule::Lamb(_) => "lamb",
            Rule::Adafactor(_) => "adafactor",
            Rule::Muon(_) => "muon",
        }
    }

    /// Refuses parameters out of range, and more than one way of clipping.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the parameter, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        if let LearningRate::Schedule(schedule) = &self.learning_rate {
            schedule.validate()?;
        }
        self.parameters().into_iter().try_for_each(|(parameter, value)| match value {
            Value::Float(value) => check(self.name(), parameter, value),
            Value::Integer(value) => check_whole(self.name(), parameter, value),
            _ => Ok(()),
        })?;
        let clips = [
            ("clipnorm", self.clipnorm),
            ("clipvalue", self.clipvalue),
            ("global_clipnorm", self.global_clipnorm),
        ];
        let given: Vec<&str> = clips.iter().filter(|clip| clip.1.is_some()).map(|clip| clip.0).collect();
        let expected = "the only clipping, of clipnorm, clipvalue and global_clipnorm";
        require(given.len() < 2, self.name(), "clipping", expected, given.join(" and "))?;
        let frequency = self.ema_overwrite_frequency;
        let without = "absent without use_ema";
        require(
            self.use_ema || frequency.is_none(),
            self.name(),
            "ema_overwrite_frequency",
            without,
            frequency.unwrap_or(0),
        )
    }

    /// How much of itself a variable loses, times the learning rate.
    pub(crate) fn decay_of(&self, name: &str, shape: &[usize]) -> f64 {
        if self.exclude_from_weight_decay.iter().any(|part| name.contains(part.as_str())) {
            return 0.0;
        }
        match &self.rule {
            Rule::Muon(muon) if muon.uses_adam(name, shape) => muon.adam_weight_decay,
            _ => self.weight_decay,
        }
    }

    /// The weight after decay and before the rule: `w − (w·weight_decay)·learning_rate`.
    #[inline(always)]
    pub(crate) fn decay<L: Lane>(weight_decay: f64, lr: L, w: L) -> L {
        if weight_decay == 0.0 { w } else { w - (w * L::lit(weight_decay)) * lr }
    }

    /// What the parameters that all rules share are in a file, in order.
    fn shared(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("learning_rate", self.learning_rate.value()),
            ("weight_decay", self.weight_decay.into()),
            ("exclude_from_weight_decay", self.exclude_from_weight_decay.as_slice().into()),
            ("clipnorm", self.clipnorm.into()),
            ("clipvalue", self.clipvalue.into()),
            ("global_clipnorm", self.global_clipnorm.into()),
            ("use_ema", self.use_ema.into()),
            ("ema_momentum", self.ema_momentum.into()),
            ("ema_overwrite_frequency", self.ema_overwrite_frequency.into()),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps.into()),
        ]
    }

    /// Whether a parameter is switched off, so that a file need not show it.
    fn is_off(&self, parameter: &str, value: &Value) -> bool {
        match parameter {
            "use_ema" | "ema_momentum" => !self.use_ema,
            "exclude_from_weight_decay" => self.exclude_from_weight_decay.is_empty(),
            _ => *value == Value::Null,
        }
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
            ("adamax", Self::new(Adamax::default())),
            ("adadelta", Self::new(Adadelta::default())),
            ("ftrl", Self::new(Ftrl::default())),
            ("lion", Self::new(Lion::default())),
            ("lamb", Self::new(Lamb::default())),
            ("adafactor", Self::new(Adafactor::default())),
            ("muon", Self::new(Muon::default())),
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
        self.shared().into_iter().chain(self.rule.parameters()).collect()
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, ValueError> {
        let Value::Table(mut table) = table else { return Err(ValueError::custom("expected a table")) };
        let table = &mut table;
        let Some(Value::Text(name)) = table.remove("name") else {
            return Err(ValueError::custom("expected a name"));
        };
        let named: Self = name.parse().map_err(ValueError::custom)?;
        Ok(Self {
            learning_rate: take(table, "learning_rate")?,
            weight_decay: take::<Option<f64>>(table, "weight_decay")?.unwrap_or(0.0),
            exclude_from_weight_decay: take(table, "exclude_from_weight_decay")?,
            clipnorm: take(table, "clipnorm")?,
            clipvalue: take(table, "clipvalue")?,
            global_clipnorm: take(table, "global_clipnorm")?,
            use_ema: take(table, "use_ema")?,
            ema_momentum: take(table, "ema_momentum")?,
            ema_overwrite_frequency: take(table, "ema_overwrite_frequency")?,
            gradient_accumulation_steps: take(table, "gradient_accumulation_steps")?,
            rule: named.rule.with(Value::Table(std::mem::take(table)))?,
        })
    }
}

/// Always the whole table, but for what is switched off: the learning rate decides a run and must be seen in its
/// recipe.
impl Serialize for Optimizer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let name = ("name", Value::from(self.name()));
        let on = self.parameters().into_iter().filter(|(parameter, value)| !self.is_off(parameter, value));
        to.collect_map(std::iter::once(name).chain(on))
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
