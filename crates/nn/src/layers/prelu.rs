//! PReLU: a leaky ReLU whose slopes below 0 are learned.
//!
//! `y = x` where x > 0, `alpha·x` elsewhere; alpha has the shape of a sample, with length 1 where an axis is
//! shared.
//!
//! Source: He et al. 2015; Keras `keras/src/layers/activations/prelu.py`.

use super::axes::{Axes, with_last};
use super::scale_shift::zeros;
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{Channel, ChannelForm, Forward, Op, ParamSpec, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A leaky ReLU whose slopes are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PReLU {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    #[serde(default = "zeros")]
    alpha_initializer: Initializer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alpha_regularizer: Option<Regularizer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alpha_constraint: Option<Constraint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared_axes: Option<Axes>,
}

impl PReLU {
    /// A layer with Keras's defaults: slopes that start at 0, one for each number.
    pub fn new() -> Self {
        Self {
            name: None,
            trainable: true,
            alpha_initializer: zeros(),
            alpha_regularizer: None,
            alpha_constraint: None,
            shared_axes: None,
        }
    }

    setters!(name "p_re_lu");
    setters!(trainable);
    setters!(variable "the slopes": alpha_initializer, alpha_regularizer, alpha_constraint);
}

impl PReLU {
    /// Sets the axes along which slopes are shared, counted as Keras does: 1 is the first of a sample.
    pub fn shared_axes(mut self, shared_axes: impl Into<Axes>) -> Self {
        self.shared_axes = Some(shared_axes.into());
        self
    }

    /// The places of the axes that are shared.
    fn shared(&self, input: &Shape) -> Result<Vec<usize>, String> {
        self.shared_axes.as_ref().map_or(Ok(vec![]), |axes| axes.places("shared_axes", input))
    }
}

impl Default for PReLU {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for PReLU {
    fn class_name(&self) -> &'static str {
        "PReLU"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        self.shared(input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let Ok(shared) = self.shared(input) else { return vec![] };
        let lengths = input.axes().iter().enumerate();
        let shape =
            lengths.map(|(place, &length)| if shared.contains(&place) { 1 } else { length }).collect();
        let alpha = ParamSpec::new("alpha", shape, self.alpha_initializer);
        vec![alpha.in_one_row().regularizer(self.alpha_regularizer).constraint(self.alpha_constraint.clone())]
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(shared) = self.shared(input) else { return x };
        let alpha: Vec<_> = self.params(input).into_iter().map(|spec| to.param(spec)).collect();
        let own: Vec<usize> = (0..input.axes().len()).filter(|place| !shared.contains(place)).collect();
        with_last(to, input, &own, x, |to, x| {
            let out = to.value_like("prelu", x);
            to.push(Op::Channel(Channel::Apply { form: ChannelForm::Prelu, x, w: alpha[0], out }));
            out
        })
    }
}
