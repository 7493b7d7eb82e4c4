//! BatchNormalization: every channel brought to mean 0 and variance 1 over the batch, then scaled and shifted.
//!
//! ```text
//! training:   μ, v = mean and variance of the channel over batch and positions
//!             y = (x − μ)/√(v + ε)·γ + β
//!             moving_mean     ← momentum·moving_mean     + (1 − momentum)·μ
//!             moving_variance ← momentum·moving_variance + (1 − momentum)·v
//! inference:  y = (x − moving_mean)/√(moving_variance + ε)·γ + β
//! ```
//!
//! v is Σ(x − μ)²/n, without Bessel's correction, in the moving variance too. A layer that is not trainable
//! works as in inference, in training as well: as in Keras, where other layers only keep their weights.
//!
//! Source: Ioffe and Szegedy 2015; Keras `keras/src/layers/normalization/batch_normalization.py` (without
//! `renorm`).

use super::axes::{place, with_last};
use super::scale_shift::{ScaleShift, check_epsilon, ones, zeros};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{FixedForm, Forward, Normalize, Op, ParamSpec, Statistics, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Normalises channels over the batch.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let model = Sequential::new([28, 28, 1])
///     .add(BatchNormalization::new().momentum(0.9))
///     .add(Flatten::new())
///     .add(Dense::new(10));
/// let summary = model.summary().unwrap();
/// assert_eq!((summary.trainable_params(), summary.non_trainable_params()), (7_852, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormalization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    #[serde(default = "last")]
    axis: i64,
    #[serde(default = "momentum")]
    momentum: f64,
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
    #[serde(default = "zeros")]
    moving_mean_initializer: Initializer,
    #[serde(default = "ones")]
    moving_variance_initializer: Initializer,
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

impl BatchNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self {
            name: None,
            trainable: true,
            axis: -1,
            momentum: 0.99,
            epsilon: epsilon(),
            center: true,
            scale: true,
            beta_initializer: zeros(),
            gamma_initializer: ones(),
            moving_mean_initializer: zeros(),
            moving_variance_initializer: ones(),
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
            activity_regularizer: None,
        }
    }

    setters!(name "batch_normalization");
    setters!(trainable);
    setters!(axis_of_channels);
    setters!(epsilon "variance");
    setters!(scale_shift);
    setters!(activity_regularizer);

    /// Sets how slowly the moving statistics move, from 0 to 1.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Sets how the moving mean starts.
    pub fn moving_mean_initializer(mut self, moving_mean_initializer: Initializer) -> Self {
        self.moving_mean_initializer = moving_mean_initializer;
        self
    }

    /// Sets how the moving variance starts.
    pub fn moving_variance_initializer(mut self, moving_variance_initializer: Initializer) -> Self {
        self.moving_variance_initializer = moving_variance_initializer;
        self
    }
}

fn last() -> i64 {
    -1
}

fn momentum() -> f64 {
    0.99
}

fn epsilon() -> f64 {
    1e-3
}

impl BatchNormalization {
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

impl BatchNormalization {
    /// The statistics that inference uses.
    fn moving(&self, shape: &[usize]) -> [ParamSpec; 2] {
        let starts = [
            ("moving_mean", self.moving_mean_initializer),
            ("moving_variance", self.moving_variance_initializer),
        ];
        starts.map(|(role, start)| ParamSpec::new(role, shape.to_vec(), start).in_one_row().fixed())
    }
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for BatchNormalization {
    fn class_name(&self) -> &'static str {
        "BatchNormalization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(format!("momentum: expected a number from 0 to 1, received {}", self.momentum));
        }
        check_epsilon(self.epsilon)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        place("axis", self.axis, input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let Ok(axis) = place("axis", self.axis, input) else { return vec![] };
        let shape = vec![input.axes()[axis]];
        let mut specs = self.scale_shift(&shape).params();
        specs.extend(self.moving(&shape));
        specs
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(axis) = place("axis", self.axis, input) else { return x };
        let channels = input.axes()[axis];
        let scale_shift = self.scale_shift(&[channels]).declare(to);
        let moving = self.moving(&[channels]).map(|spec| to.param(spec));
        with_last(to, input, &[axis], x, |to, x| {
            let y = to.value_like("normalized", x);
            if to.training && self.trainable {
                let [mean, variance] = ["mean", "variance"].map(|what| to.batch_value(what, channels));
                let moments = Normalize::BatchMoments { x, mean, variance, moving, momentum: self.momentum };
                to.push(Op::Normalize(moments));
                to.push(Op::Normalize(Normalize::Batch { epsilon: self.epsilon, x, mean, variance, y }));
            } else {
                let form = FixedForm::Epsilon { epsilon: self.epsilon };
                let statistics = Statistics::Params { mean: moving[0], variance: moving[1] };
                to.push(Op::Normalize(Normalize::Fixed { form, statistics, x, y }));
            }
            scale_shift.lower(to, y)
        })
    }
}
