//! GroupNormalization: groups of channels brought to mean 0 and variance 1 within each sample, over all positions,
//! then scaled and shifted by channel.
//!
//! `y = (x − μ)/√(v + ε)·γ + β`, μ and v over the channels of a group and all positions.
//!
//! Source: Wu and He 2018; Keras `keras/src/layers/normalization/group_normalization.py`.

use super::axes::{in_order, place, reorder, with_last};
use super::layer_normalization::normalize_runs;
use super::scale_shift::{ScaleShift, check_epsilon, ones, zeros};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::constraints::Constraint;
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beta_constraint: Option<Constraint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gamma_constraint: Option<Constraint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity_regularizer: Option<Regularizer>,
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
            beta_constraint: None,
            gamma_constraint: None,
            activity_regularizer: None,
        }
    }

    setters!(name "group_normalization");
    setters!(trainable);
    setters!(axis_of_channels);
    setters!(epsilon "variance");
    setters!(scale_shift);
    setters!(activity_regularizer);

    /// Sets the number of groups, which divides the number of channels; −1 for one per channel.
    pub fn groups(mut self, groups: i64) -> Self {
        self.groups = groups;
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
    fn scale_shift(&self, shape: &[usize]) -> ScaleShift {
        let variable = |role, initializer| ParamSpec::new(role, shape.to_vec(), initializer).in_one_row();
        let gamma = variable("gamma", self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .constraint(self.gamma_constraint.clone());
        let beta = variable("beta", self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .constraint(self.beta_constraint.clone());
        ScaleShift { gamma: self.scale.then_some(gamma), beta: self.center.then_some(beta) }
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
        check_epsilon(self.epsilon)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        self.grouped(input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        self.grouped(input)
            .map_or_else(|_| vec![], |(axis, _)| self.scale_shift(&[input.axes()[axis]]).params())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok((axis, groups)) = self.grouped(input) else { return x };
        let scale_shift = self.scale_shift(&[input.axes()[axis]]).declare(to);
        let form = RunForm::Variance { epsilon: self.epsilon };
        let y = in_order(to, by_group(input, axis, groups), x, |to, x| {
            normalize_runs(to, form, input.size() / groups, x)
        });
        with_last(to, input, &[axis], y, |to, y| scale_shift.lower(to, y))
    }
}
