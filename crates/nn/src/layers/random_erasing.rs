//! RandomErasing: a rectangle of pictures overwritten, in training.
//!
//! Source: Zhong et al. 2017; Keras `keras/src/layers/preprocessing/image_preprocessing/random_erasing.py`.

use super::LayerRule;
use super::augment::{Factor, change, check_finite, check_picture, check_value_range};
use super::normalization::Numbers;
use super::setters::setters;
use crate::ops::{Change, Erase, Forward, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Overwrites a rectangle of pictures in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomErasing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "factor")]
    factor: Factor,
    #[serde(default = "scale")]
    scale: Factor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fill_value: Option<Numbers>,
    #[serde(default = "value_range")]
    value_range: [f64; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl RandomErasing {
    /// Keras's defaults.
    pub fn new() -> Self {
        Self {
            name: None,
            factor: factor(),
            scale: scale(),
            fill_value: None,
            value_range: value_range(),
            seed: None,
        }
    }

    setters!(name "random_erasing");

    /// Sets the probability: a range it is drawn from, or 0 to one number.
    pub fn factor(mut self, factor: impl Into<Factor>) -> Self {
        self.factor = factor.into();
        self
    }

    /// Sets the squared shares of the sides: a range they are drawn from, or 0 to one number.
    pub fn scale(mut self, scale: impl Into<Factor>) -> Self {
        self.scale = scale.into();
        self
    }

    /// Sets what is written, one number or one per channel; normal numbers by default.
    pub fn fill_value(mut self, fill_value: impl Into<Numbers>) -> Self {
        self.fill_value = Some(fill_value.into());
        self
    }

    /// Sets the least and the largest number of a picture; 0 and 255 by default.
    pub fn value_range(mut self, value_range: [f64; 2]) -> Self {
        self.value_range = value_range;
        self
    }

    setters!(seed);
}

fn factor() -> Factor {
    Factor::One(1.0)
}

fn scale() -> Factor {
    Factor::Range([0.02, 0.33])
}

fn value_range() -> [f64; 2] {
    [0.0, 255.0]
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for RandomErasing {
    fn class_name(&self) -> &'static str {
        "RandomErasing"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn validate(&self) -> Result<(), String> {
        for (name, factor) in [("factor", self.factor), ("scale", self.scale)] {
            factor.check(name, |n| (0.0..=1.0).contains(&n), "numbers from 0 to 1")?;
        }
        let fill_value = self.fill_value.as_ref().map_or(&[][..], Numbers::all);
        fill_value.iter().try_for_each(|&number| check_finite("fill_value", number))?;
        check_value_range(self.value_range)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let picture = check_picture(input)?;
        match (&self.fill_value, input.axes()) {
            (Some(Numbers::Each(numbers)), &[.., channels]) if numbers.len() != channels => Err(format!(
                "fill_value: expected one number, or one for each of {channels} channels, received {}",
                numbers.len()
            )),
            _ => Ok(picture),
        }
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let channels = input.axes().last().copied().unwrap_or(1);
        let fill_value = self.fill_value.as_ref().map(|numbers| numbers.spread(channels));
        let (factor, scale) = (self.factor.up_from_0(), self.scale.up_from_0());
        let erase = Erase { factor, scale, fill_value, value_range: self.value_range.into() };
        change(to, Change::Erase(erase), self.seed, input, x)
    }
}
