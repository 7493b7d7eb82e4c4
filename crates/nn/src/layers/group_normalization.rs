//! GroupNormalization: groups of channels brought to mean 0 and variance 1 within each sample, over all positions,
//! then scaled and shifted by channel.
//!
//! `y = (x − μ)/√(v + ε)·γ + β`, μ and v over the channels of a group and all positions.
//!
//! Source: Wu and He 2018; Keras `keras/src/layers/normalization/group_normalization.py`.

use super::axes::{in_order, place, reorder, with_last};
use super::layer_normalization::normalize_runs;
use super::scale_shift::{ScaleShift, check_epsilon, ones, zeros};
use super::{LayerRule, is_on, on};
use crate::initializers::Initializer;
use crate::ops::{Forward, ParamSpec, RunForm, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Normalises groups of channels within each sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNormalization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    #[serde(default = "groups")]
    groups: i64,
    #[serde(default = "last")]
    axis: i64,
    #[serde(default = "epsilon")]
    epsilon: f64,
    #[serde(default = "on")]
    center: bool,
    #[serde(default = "on")]
    scale: bool,
    #[serde(default = "zeros")]
    beta_initializer: Initializer,
    #[serde(default = "ones")]
    gamma_initializer: Initializer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beta_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gamma_regularizer: Option<Regularizer>,
}

impl GroupNormalization {
    /// A layer with Keras's defaults: 32 groups.
    pub fn new() -> Self {
        Self {
            name: None,
            trainable: true,
            groups: groups(),
            axis: -1,
            epsilon: epsilon(),
            center: true,
            scale: true,
            beta_initializer: zeros(),
            gamma_initializer: ones(),
            beta_regularizer: None,
            gamma_regularizer: None,
        }
    }

    /// Names the layer; by default Keras's `group_normalization`, `group_normalization_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether its variables are trained; they are by default.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Sets the number of groups, which divides the number of channels; −1 for one per channel.
    pub fn groups(mut self, groups: i64) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the axis of the channels, as Keras counts: 0 is the batch, −1 the last.
    pub fn axis(mut self, axis: i64) -> Self {
        self.axis = axis;
        self
    }

    /// Sets what is added to the variance, so that it is never 0.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether `beta` is added.
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether `gamma` multiplies.
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// Sets how `beta` starts.
    pub fn beta_initializer(mut self, beta_initializer: Initializer) -> Self {
        self.beta_initializer = beta_initializer;
        self
    }

    /// Sets how `gamma` starts.
    pub fn gamma_initializer(mut self, gamma_initializer: Initializer) -> Self {
        self.gamma_initializer = gamma_initializer;
        self
    }

    /// Sets the penalty of `beta`.
    pub fn beta_regularizer(mut self, beta_regularizer: Regularizer) -> Self {
        self.beta_regularizer = Some(beta_regularizer);
        self
    }

    /// Sets the penalty of `gamma`.
    pub fn gamma_regularizer(mut self, gamma_regularizer: Regularizer) -> Self {
        self.gamma_regularizer = Some(gamma_regularizer);
        self
    }
}

fn groups() -> i64 {
    32
}

fn last() -> i64 {
    -1
}

fn epsilon() -> f64 {
    1e-3
}

impl GroupNormalization {
    fn scale_shift(&self, shape: Vec<usize>) -> ScaleShift {
        ScaleShift {
            shape,
            gamma: self.scale.then_some((self.gamma_initializer, self.gamma_regularizer)),
            beta: self.center.then_some((self.beta_initializer, self.beta_regularizer)),
        }
    }
}

impl GroupNormalization {
    /// The place of the channels, and how many groups they have.
    fn grouped(&self, input: &Shape) -> Result<(usize, usize), String> {
        let axis = place("axis", self.axis, input)?;
        let channels = input.axes()[axis];
        match usize::try_from(self.groups) {
            Err(_) => Ok((axis, channels)),
            Ok(groups) if groups > 0 && channels.is_multiple_of(groups) => Ok((axis, groups)),
            Ok(groups) => Err(format!(
                "groups: expected a divisor of the {channels} channels (axis {} of the shape {input}), received {groups}",
                axis + 1
            )),
        }
    }
}

/// The order in which the numbers of each group follow each other.
fn by_group(input: &Shape, axis: usize, groups: usize) -> Option<Arc<[u32]>> {
    let mut shape = input.axes().to_vec();
    shape[axis] /= groups;
    shape.insert(axis, groups);
    let others = (0..shape.len()).filter(|&place| place != axis);
    reorder(&shape, &std::iter::once(axis).chain(others).collect::<Vec<_>>())
}

impl Default for GroupNormalization {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for GroupNormalization {
    fn class_name(&self) -> &'static str {
        "GroupNormalization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        if self.groups < -1 || self.groups == 0 {
            return Err(format!(
                "groups: expected at least 1, or -1 for one per channel, received {}",
                self.groups
            ));
        }
        check_epsilon(self.epsilon)?;
        self.scale_shift(vec![]).validate()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        self.grouped(input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        self.grouped(input)
            .map_or_else(|_| vec![], |(axis, _)| self.scale_shift(vec![input.axes()[axis]]).params())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok((axis, groups)) = self.grouped(input) else { return x };
        let scale_shift = self.scale_shift(vec![input.axes()[axis]]).declare(to);
        let form = RunForm::Variance { epsilon: self.epsilon };
        let y = in_order(to, by_group(input, axis, groups), x, |to, x| {
            normalize_runs(to, form, input.size() / groups, x)
        });
        with_last(to, input, &[axis], y, |to, y| scale_shift.lower(to, y))
    }
}
