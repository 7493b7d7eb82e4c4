//! LayerNormalization: the numbers along some axes brought to mean 0 and variance 1 within each sample, then scaled
//! and shifted.
//!
//! `y = (x − μ)/√(v + ε)·γ + β`, μ and v over the given axes; γ and β have their lengths.
//!
//! Source: Ba, Kiros and Hinton 2016; Keras `keras/src/layers/normalization/layer_normalization.py` (without
//! the deprecated `rms_scaling`).

use super::axes::{Axes, with_last};
use super::scale_shift::{ScaleShift, check_epsilon, ones, zeros};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::ops::{Forward, Normalize, Op, ParamSpec, RunForm, ValueId};
use crate::regularizers::Regularizer;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Normalises each sample along axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormalization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    #[serde(default = "Axes::last")]
    axis: Axes,
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

impl LayerNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self {
            name: None,
            trainable: true,
            axis: Axes::LAST,
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

    setters!(name "layer_normalization");
    setters!(trainable);
    setters!(axes);
    setters!(epsilon "variance");
    setters!(scale_shift);
    setters!(activity_regularizer);
}

fn epsilon() -> f64 {
    1e-3
}

impl LayerNormalization {
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

impl Default for LayerNormalization {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for LayerNormalization {
    fn class_name(&self) -> &'static str {
        "LayerNormalization"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn validate(&self) -> Result<(), String> {
        check_epsilon(self.epsilon)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        some_places("axis", &self.axis, input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        some_places("axis", &self.axis, input)
            .map_or_else(|_| vec![], |places| self.scale_shift(&lengths(input, &places)).params())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(places) = some_places("axis", &self.axis, input) else { return x };
        let shape = lengths(input, &places);
        let size = shape.iter().product();
        let scale_shift = self.scale_shift(&shape).declare(to);
        with_last(to, input, &places, x, |to, x| {
            let y = normalize_runs(to, RunForm::Variance { epsilon: self.epsilon }, size, x);
            scale_shift.lower(to, y)
        })
    }
}

/// The places of one axis at least.
pub(super) fn some_places(parameter: &str, axes: &Axes, input: &Shape) -> Result<Vec<usize>, String> {
    match axes.places(parameter, input) {
        Ok(places) if places.is_empty() => {
            Err(format!("{parameter}: expected at least one axis, received []"))
        }
        places => places,
    }
}

/// The lengths of some axes.
pub(super) fn lengths(shape: &Shape, places: &[usize]) -> Vec<usize> {
    places.iter().map(|&place| shape.axes()[place]).collect()
}

/// Writes the normalisation of runs of `size` numbers.
pub(super) fn normalize_runs(to: &mut Forward, form: RunForm, size: usize, x: ValueId) -> ValueId {
    let y = to.value_like("normalized", x);
    let scale = to.value("scale", to.width(x) / size);
    to.push(Op::Normalize(Normalize::Runs { form, size, x, y, scale }));
    y
}
