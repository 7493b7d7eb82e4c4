//! Normalization: every channel less its mean, divided by its standard deviation, both known before training.
//!
//! `y = (x − mean)/max(√variance, 10⁻⁷)`, or with `invert` `y = mean + x·max(√variance, 10⁻⁷)`
//!
//! Mean and variance are given, or they are variables that are not trained and that
//! [`crate::Model::adapt`] takes from data. Source: Keras
//! `keras/src/layers/preprocessing/normalization.py` (without the variable `count`, which Keras keeps for old files).

use super::LayerRule;
use super::axes::{Axes, with_last};
use super::layer_normalization::lengths;
use super::scale_shift::{ones, zeros};
use super::setters::setters;
use crate::ops::{FixedForm, Forward, Normalize, Op, ParamSpec, Statistics, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Deserializer, Serialize};

/// Normalises channels with statistics of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalizationLayer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "Axes::last", deserialize_with = "axes_or_none")]
    axis: Axes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<Numbers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variance: Option<Numbers>,
    #[serde(default)]
    invert: bool,
}

impl NormalizationLayer {
    /// Statistics of the last axis, to be taken from data.
    pub fn new() -> Self {
        Self { name: None, axis: Axes::LAST, mean: None, variance: None, invert: false }
    }

    setters!(name "normalization");

    /// Sets the axes that have their own statistics, as Keras counts; none for one mean and one variance of all.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }

    /// Whether to undo the normalisation instead.
    pub fn invert(mut self, invert: bool) -> Self {
        self.invert = invert;
        self
    }
}

/// One number for all channels, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// The same for all.
    One(f64),
    /// One for each, in order.
    Each(Vec<f64>),
}

impl From<f64> for Numbers {
    fn from(number: f64) -> Self {
        Self::One(number)
    }
}

impl<const N: usize> From<[f64; N]> for Numbers {
    fn from(numbers: [f64; N]) -> Self {
        Self::Each(numbers.to_vec())
    }
}

impl Numbers {
    pub(super) fn all(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Each(numbers) => numbers,
        }
    }

    /// One for each channel.
    pub(super) fn spread(&self, channels: usize) -> Vec<f64> {
        match self {
            Self::One(number) => vec![*number; channels],
            Self::Each(numbers) => numbers.clone(),
        }
    }
}

/// JSON's null stands for no axes, as Keras's `None` does.
fn axes_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Axes, D::Error> {
    Ok(Option::<Axes>::deserialize(from)?.unwrap_or(Axes::Many(vec![])))
}

impl NormalizationLayer {
    /// Sets mean and variance, each one number or one for every channel.
    pub fn statistics(mut self, mean: impl Into<Numbers>, variance: impl Into<Numbers>) -> Self {
        (self.mean, self.variance) = (Some(mean.into()), Some(variance.into()));
        self
    }

    /// The axes with statistics of their own, and how many statistics that makes.
    pub(crate) fn channels(&self, input: &Shape) -> Result<(Vec<usize>, usize), String> {
        let places = self.axis.places("axis", input)?;
        let count = lengths(input, &places).iter().product();
        Ok((places, count))
    }

    /// Whether the statistics come from data.
    pub(crate) fn is_adapted(&self) -> bool {
        self.mean.is_none()
    }
}

impl Default for NormalizationLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for NormalizationLayer {
    fn class_name(&self) -> &'static str {
        "Normalization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        false
    }

    fn validate(&self) -> Result<(), String> {
        if self.mean.is_some() != self.variance.is_some() {
            let given = |numbers: &Option<Numbers>| if numbers.is_some() { "one" } else { "none" };
            return Err(format!(
                "mean, variance: expected both or none, received {} and {}",
                given(&self.mean),
                given(&self.variance)
            ));
        }
        for (name, numbers, least) in [("mean", &self.mean, f64::MIN), ("variance", &self.variance, 0.0)] {
            let numbers = numbers.as_ref().map_or(&[][..], Numbers::all);
            if let Some(wrong) = numbers.iter().find(|number| !(number.is_finite() && **number >= least)) {
                let from = if least == 0.0 { " from 0" } else { "" };
                return Err(format!("{name}: expected finite numbers{from}, received {wrong}"));
            }
        }
        Ok(())
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let (_, channels) = self.channels(input)?;
        for (name, numbers) in [("mean", &self.mean), ("variance", &self.variance)] {
            if let Some(Numbers::Each(numbers)) = numbers
                && numbers.len() != channels
            {
                let received = numbers.len();
                return Err(format!(
                    "{name}: expected one number, or {channels} for the axes, received {received}"
                ));
            }
        }
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let Ok((places, _)) = self.channels(input) else { return vec![] };
        let spec = |role, initializer| {
            ParamSpec::new(role, lengths(input, &places), initializer).in_one_row().fixed()
        };
        if self.is_adapted() { vec![spec("mean", zeros()), spec("variance", ones())] } else { vec![] }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok((places, channels)) = self.channels(input) else { return x };
        let statistics = match (&self.mean, &self.variance) {
            (Some(mean), Some(variance)) => {
                Statistics::given(mean.spread(channels), variance.spread(channels))
            }
            _ => {
                let [mean, variance] = [0, 1].map(|i| to.param(self.params(input)[i].clone()));
                Statistics::Params { mean, variance }
            }
        };
        let form = if self.invert { FixedForm::Multiply } else { FixedForm::Divide };
        with_last(to, input, &places, x, |to, x| {
            let y = to.value_like("normalized", x);
            to.push(Op::Normalize(Normalize::Fixed { form, statistics, x, y }));
            y
        })
    }
}
