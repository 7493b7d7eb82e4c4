//! Learning rates that change from step to step.
//!
//! A schedule is a function of the number of the step, counted in batches from 0, as in Keras: with gradient
//! accumulation the batches that move no weight count too. It is evaluated in `f64` and rounded once.
//! To add one: a file with its equation, source and parameters, a variant of [`Schedule`], its name in
//! [`Schedule::NAMES`], a line in each match below.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::names::{self, UnknownName};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::fmt;

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod inverse_time_decay;
mod one_cycle;
mod piecewise_constant_decay;
mod polynomial_decay;

pub use cosine_decay::CosineDecay;
pub use cosine_decay_restarts::CosineDecayRestarts;
pub use exponential_decay::ExponentialDecay;
pub use inverse_time_decay::InverseTimeDecay;
pub use one_cycle::{Anneal, OneCycle};
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

/// A learning rate by step.
///
/// ```
/// use seedbed_nn::schedules::{CosineDecay, Schedule};
/// let schedule = Schedule::from(CosineDecay::new(0.1, 1000));
/// assert_eq!((schedule.at(0), schedule.at(1000)), (0.1, 0.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Times a factor every so many steps.
    ExponentialDecay(ExponentialDecay),
    /// A few learning rates, one after the other.
    PiecewiseConstantDecay(PiecewiseConstantDecay),
    /// Along a power of the time that is left.
    PolynomialDecay(PolynomialDecay),
    /// Like 1/t.
    InverseTimeDecay(InverseTimeDecay),
    /// Half a wave down, perhaps after a slope up.
    CosineDecay(CosineDecay),
    /// Half a wave down, again and again.
    CosineDecayRestarts(CosineDecayRestarts),
    /// Up, down, and far down.
    OneCycle(OneCycle),
}

impl Schedule {
    /// Every name, as in Keras but for `one_cycle`.
    pub const NAMES: [&'static str; 7] = [
        ExponentialDecay::NAME,
        PiecewiseConstantDecay::NAME,
        PolynomialDecay::NAME,
        InverseTimeDecay::NAME,
        CosineDecay::NAME,
        CosineDecayRestarts::NAME,
        OneCycle::NAME,
    ];

    /// The learning rate of a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            Self::ExponentialDecay(schedule) => schedule.at(step),
            Self::PiecewiseConstantDecay(schedule) => schedule.at(step),
            Self::PolynomialDecay(schedule) => schedule.at(step),
            Self::InverseTimeDecay(schedule) => schedule.at(step),
            Self::CosineDecay(schedule) => schedule.at(step),
            Self::CosineDecayRestarts(schedule) => schedule.at(step),
            Self::OneCycle(schedule) => schedule.at(step),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ExponentialDecay(_) => ExponentialDecay::NAME,
            Self::PiecewiseConstantDecay(_) => PiecewiseConstantDecay::NAME,
            Self::PolynomialDecay(_) => PolynomialDecay::NAME,
            Self::InverseTimeDecay(_) => InverseTimeDecay::NAME,
            Self::CosineDecay(_) => CosineDecay::NAME,
            Self::CosineDecayRestarts(_) => CosineDecayRestarts::NAME,
            Self::OneCycle(_) => OneCycle::NAME,
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] names the schedule, the parameter, what is allowed and what was received.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        match self {
            Self::ExponentialDecay(schedule) => schedule.validate(),
            Self::PiecewiseConstantDecay(schedule) => schedule.validate(),
            Self::PolynomialDecay(schedule) => schedule.validate(),
            Self::InverseTimeDecay(schedule) => schedule.validate(),
            Self::CosineDecay(schedule) => schedule.validate(),
            Self::CosineDecayRestarts(schedule) => schedule.validate(),
            Self::OneCycle(schedule) => schedule.validate(),
        }
    }
}

/// `step / steps`, rounded down if asked for.
fn share(step: u64, steps: u64, whole: bool) -> f64 {
    let share = step as f64 / steps as f64;
    if whole { share.floor() } else { share }
}

/// From 1 at 0 to 0 at 1, along a cosine.
fn half_wave(passed: f64) -> f64 {
    0.5 * (1.0 + libm::cos(std::f64::consts::PI * passed))
}

fn positive(name: &'static str, parameter: &'static str, value: f64) -> Result<(), InvalidParameter> {
    require(value.is_finite() && value > 0.0, name, parameter, "a finite number > 0", value)
}

fn not_negative(name: &'static str, parameter: &'static str, value: f64) -> Result<(), InvalidParameter> {
    require(value.is_finite() && value >= 0.0, name, parameter, "a finite number ≥ 0", value)
}

fn steps(name: &'static str, parameter: &'static str, value: u64) -> Result<(), InvalidParameter> {
    require(value > 0, name, parameter, "at least 1 step", value)
}

impl std::str::FromStr for Schedule {
    type Err = UnknownName;

    /// The schedule with Keras's defaults; numbers that have none are NaN, 0 steps or an empty list, which
    /// [`Schedule::validate`] refuses.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let (no_rate, no_steps) = (f64::NAN, 0);
        let table: [(&str, Self); 7] = [
            (ExponentialDecay::NAME, ExponentialDecay::new(no_rate, no_steps, f64::NAN).into()),
            (PiecewiseConstantDecay::NAME, PiecewiseConstantDecay::new([], []).into()),
            (PolynomialDecay::NAME, PolynomialDecay::new(no_rate, no_steps).into()),
            (InverseTimeDecay::NAME, InverseTimeDecay::new(no_rate, no_steps, f64::NAN).into()),
            (CosineDecay::NAME, CosineDecay::new(no_rate, no_steps).into()),
            (CosineDecayRestarts::NAME, CosineDecayRestarts::new(no_rate, no_steps).into()),
            (OneCycle::NAME, OneCycle::new(no_rate, no_steps).into()),
        ];
        names::resolve("schedule", name, &table)
    }
}

impl Named for Schedule {
    const REQUIRED: &'static [&'static str] = &[
        "initial_learning_rate",
        "decay_steps",
        "first_decay_steps",
        "decay_rate",
        "boundaries",
        "values",
        "max_learning_rate",
        "total_steps",
    ];

    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    /// A number that has no default and was not given is null.
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let parameters = match self {
            Self::ExponentialDecay(schedule) => schedule.parameters(),
            Self::PiecewiseConstantDecay(schedule) => schedule.parameters(),
            Self::PolynomialDecay(schedule) => schedule.parameters(),
            Self::InverseTimeDecay(schedule) => schedule.parameters(),
            Self::CosineDecay(schedule) => schedule.parameters(),
            Self::CosineDecayRestarts(schedule) => schedule.parameters(),
            Self::OneCycle(schedule) => schedule.parameters(),
        };
        let missing = |value: &Value| match value {
            Value::Float(number) => number.is_nan(),
            Value::Integer(number) => *number == 0,
            Value::List(list) => list.is_empty(),
            _ => false,
        };
        let or_null = |(name, value): (&'static str, Value)| {
            if Self::REQUIRED.contains(&name) && missing(&value) {
                (name, Value::Null)
            } else {
                (name, value)
            }
        };
        parameters.into_iter().map(or_null).collect()
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }

    fn from_table(table: Value) -> Result<Self, ValueError> {
        let Value::Table(mut table) = table else { return Err(ValueError::custom("expected a table")) };
        if let Some(missing) = Self::REQUIRED.iter().find(|&&key| table.get(key) == Some(&Value::Null)) {
            return Err(ValueError::custom(format!("{missing} is missing, and has no default")));
        }
        let Some(Value::Text(name)) = table.remove("name") else {
            return Err(ValueError::custom("expected a name"));
        };
        let table = Value::Table(table);
        Ok(match name.parse().map_err(ValueError::custom)? {
            Self::ExponentialDecay(_) => Self::ExponentialDecay(Deserialize::deserialize(table)?),
            Self::PiecewiseConstantDecay(_) => Self::PiecewiseConstantDecay(Deserialize::deserialize(table)?),
            Self::PolynomialDecay(_) => Self::PolynomialDecay(Deserialize::deserialize(table)?),
            Self::InverseTimeDecay(_) => Self::InverseTimeDecay(Deserialize::deserialize(table)?),
            Self::CosineDecay(_) => Self::CosineDecay(Deserialize::deserialize(table)?),
            Self::CosineDecayRestarts(_) => Self::CosineDecayRestarts(Deserialize::deserialize(table)?),
            Self::OneCycle(_) => Self::OneCycle(Deserialize::deserialize(table)?),
        })
    }
}

/// Always the whole table.
impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize_whole(self, to)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let schedule: Self = config::deserialize(from)?;
        schedule.validate().map_err(D::Error::custom)?;
        Ok(schedule)
    }
}

/// A number, or a schedule.
///
/// ```
/// use seedbed_nn::schedules::{ExponentialDecay, LearningRate};
/// assert_eq!(LearningRate::from(0.1).at(7), 0.1);
/// assert_eq!(LearningRate::from(ExponentialDecay::new(0.1, 10, 0.5)).at(10), 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRate {
    /// The same at every step: finite, > 0.
    Constant(f64),
    /// By step.
    Schedule(Schedule),
}

impl LearningRate {
    /// The learning rate of a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Schedule(schedule) => schedule.at(step),
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Constant(rate) => Value::Float(*rate),
            Self::Schedule(schedule) => config::whole_table(schedule),
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate)
    }
}

impl<S: Into<Schedule>> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        Self::Schedule(schedule.into())
    }
}

/// The number, or the schedule's name and where it starts.
impl fmt::Display for LearningRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(rate) => write!(f, "{rate}"),
            Self::Schedule(schedule) => write!(f, "{} from {}", schedule.name(), schedule.at(0)),
        }
    }
}

impl<'de> Deserialize<'de> for LearningRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Float(rate) => Ok(Self::Constant(rate)),
            Value::Integer(rate) => Ok(Self::Constant(rate as f64)),
            table @ Value::Table(_) => {
                Schedule::deserialize(table).map(Self::Schedule).map_err(D::Error::custom)
            }
            Value::Text(text) => {
                let known = Schedule::NAMES.join(", ");
                Err(D::Error::custom(format!(
                    "expected a number, or a table with a schedule's name ({known}) and steps, received {text:?}"
                )))
            }
            _ => Err(D::Error::custom("expected a number, or a table with a schedule's name and parameters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Schedule, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn all() -> Vec<Schedule> {
        vec![
            ExponentialDecay { staircase: true, ..ExponentialDecay::new(0.1, 10, 0.5) }.into(),
            PiecewiseConstantDecay::new([3, 7], [0.1, 0.05, 0.01]).into(),
            PolynomialDecay { cycle: true, ..PolynomialDecay::new(0.1, 10) }.into(),
            InverseTimeDecay::new(0.1, 10, 0.5).into(),
            CosineDecay { warmup_target: Some(0.2), warmup_steps: 4, ..CosineDecay::new(0.0, 10) }.into(),
            CosineDecay::new(0.1, 10).into(),
            CosineDecayRestarts::new(0.1, 10).into(),
            OneCycle { anneal_strategy: Anneal::Linear, ..OneCycle::new(0.1, 10) }.into(),
        ]
    }

    #[test]
    fn a_file_brings_a_schedule_back() {
        for schedule in all() {
            let json = serde_json::to_string(&schedule).unwrap();
            assert_eq!(read(&json), Ok(schedule.clone()), "{json}");
            let toml = toml::to_string(&schedule).unwrap();
            assert_eq!(toml::from_str(&toml), Ok(schedule), "{toml}");
        }
        let short = r#"{"name": "CosineDecay", "initial_learning_rate": 1, "decay_steps": 5}"#;
        assert_eq!(read(short), Ok(CosineDecay::new(1.0, 5).into()));
    }

    #[test]
    fn names_are_those_of_the_schedules() {
        for name in Schedule::NAMES {
            let schedule: Schedule = name.parse().unwrap();
            assert_eq!(schedule.name(), name);
            assert!(schedule.validate().is_err(), "{name} has no steps");
            let nulls = schedule.parameters().into_iter().filter(|(_, value)| *value == Value::Null);
            assert!(nulls.count() >= 2, "{name}");
        }
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            (
                r#""cosine_decay""#,
                "cosine_decay: initial_learning_rate must be a finite number > 0, but is NaN",
            ),
            (
                r#"{"name": "cosine_decay", "initial_learning_rate": 0.1}"#,
                "cosine_decay: decay_steps is missing, and has no default",
            ),
            (
                r#"{"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 0}"#,
                "cosine_decay: decay_steps must be at least 1 step, but is 0",
            ),
            (
                r#"{"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 5, "warmup_steps": 2}"#,
                "cosine_decay: warmup_steps must be 0 without a warmup_target, but is 2",
            ),
            (
                r#"{"name": "exponential_decay", "initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": -1}"#,
                "exponential_decay: decay_rate must be a finite number > 0, but is -1",
            ),
            (
                r#"{"name": "piecewise_constant_decay", "boundaries": [5, 5], "values": [1, 1, 1]}"#,
                "piecewise_constant_decay: boundaries must be rising, but is [5, 5]",
            ),
            (
                r#"{"name": "piecewise_constant_decay", "boundaries": [5], "values": [1]}"#,
                "piecewise_constant_decay: values must be one more than there are boundaries, but is 1",
            ),
            (
                r#"{"name": "cosine_decay_restarts", "initial_learning_rate": 1, "first_decay_steps": 5, "t_mul": 0.5}"#,
                "cosine_decay_restarts: t_mul must be a finite number from 1, but is 0.5",
            ),
            (
                r#"{"name": "polynomial_decay", "initial_learning_rate": 1, "decay_steps": 5, "powr": 2}"#,
                "polynomial_decay: unknown parameter `powr`, did you mean `power`?",
            ),
            (r#"{"name": "cosine"}"#, "unknown schedule `cosine`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    /// Far beyond its end, and at every restart, a schedule is still a learning rate.
    #[test]
    fn every_step_has_a_learning_rate() {
        for schedule in all() {
            for step in (0..2_000).chain([1 << 40, u64::MAX]) {
                let rate = schedule.at(step);
                assert!(rate.is_finite() && (0.0..=0.2).contains(&rate), "{schedule:?} at {step}: {rate}");
            }
        }
    }
}
