//! RMSNormalization: the numbers along some axes divided by the root of their mean square, then scaled.
//!
//! `y = x/√(Σx²/n + ε)·scale`
//!
//! Source: Zhang and Sennrich 2019; Keras `keras/src/layers/normalization/rms_normalization.py`.

use super::axes::{Axes, with_last};
use super::layer_normalization::{lengths, normalize_runs, some_places};
use super::scale_shift::{check_epsilon, ones};
use super::{LayerRule, is_on, on};
use crate::ops::{Channel, ChannelForm, Forward, Op, ParamSpec, RunForm, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Divides by the root of the mean square along axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RMSNormalization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    trainable: bool,
    #[serde(default = "Axes::last")]
    axis: Axes,
    #[serde(default = "epsilon")]
    epsilon: f64,
}

impl RMSNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self { name: None, trainable: true, axis: Axes::LAST, epsilon: epsilon() }
    }

    /// Names the layer; by default Keras's `rms_normalization`, `rms_normalization_1`, …
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

    /// Sets what is added to the mean square, so that it is never 0.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

fn epsilon() -> f64 {
    1e-6
}

impl Default for RMSNormalization {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerRule for RMSNormalization {
    fn class_name(&self) -> &'static str {
        "RMSNormalization"
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

    fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        some_places("axis", &self.axis, input)?;
        Ok(input.clone())
    }

    fn params(&self, input: &Shape) -> Vec<ParamSpec> {
        let spec = |places: Vec<usize>| ParamSpec::new("scale", lengths(input, &places), ones()).in_one_row();
        some_places("axis", &self.axis, input).map_or_else(|_| vec![], |places| vec![spec(places)])
    }

    fn lower(&self, to: &mut Forward, input: &Shape, x: ValueId) -> ValueId {
        let Ok(places) = some_places("axis", &self.axis, input) else { return x };
        let scale: Vec<_> = self.params(input).into_iter().map(|spec| to.param(spec)).collect();
        let size = lengths(input, &places).iter().product();
        with_last(to, input, &places, x, |to, x| {
            let y = normalize_runs(to, RunForm::MeanSquare { epsilon: self.epsilon }, size, x);
            let out = to.value_like("scaled", y);
            to.push(Op::Channel(Channel::Apply { form: ChannelForm::Scale, x: y, w: scale[0], out }));
            out
        })
    }
}
