//! LayerNormalization: the numbers along some axes brought to mean 0 and variance 1 within each sample, then scaled
//! and shifted.
//!
//! `y = (x − μ)/√(v + ε)·γ + β`, μ and v over the given axes; γ and β have their lengths.
//!
//! Source: Ba, Kiros and Hinton 2016; Keras `keras/src/layers/normalization/layer_normalization.py` (without
//! the deprecated `rms_scaling`).

use super::axes::{Axes, with_last};
use super::scale_shift::{ScaleShift, check_epsilon, ones, zeros};
use super::{LayerRule, is_on, on};
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
        }
    }

    /// Names the layer; by default Keras's `layer_normalization`, `layer_normalization_1`, …
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether its variables are trained; they are by default.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Sets the axis or axes, as Keras counts: 0 is the batch, −1 the last.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
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

fn epsilon() -> f64 {
    1e-3
}

impl LayerNormalization {
    fn scale_shift(&self, shape: Vec<usize>) -> ScaleShift {
        ScaleShift {
            shape,
            gamma: self.scale.then_some((self.gamma_initializer, self.gamma_regularizer)),
            beta: self.center.then_some((self.beta_initializer, self.beta_regularizer)),
        }
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
        check_epsilon(self.epsilon)?;
        self.scale_shift(vec![]).validate()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        some_places("axis", &self.axis, input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        some_places("axis", &self.axis, input)
            .map_or_else(|_| vec![], |places| self.scale_shift(lengths(input, &places)).params())
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(places) = some_places("axis", &self.axis, input) else { return x };
        let shape = lengths(input, &places);
        let size = shape.iter().product();
        let scale_shift = self.scale_shift(shape).declare(to);
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
