//! RMSNormalization: the numbers along some axes divided by the root of their mean square, then scaled.
//!
//! `y = x/√(Σx²/n + ε)·scale`
//!
//! Source: Zhang and Sennrich 2019; Keras `keras/src/layers/normalization/rms_normalization.py`.

use super::axes::{Axes, with_last};
use super::layer_normalization::{lengths, normalize_runs, some_places};
use super::scale_shift::{check_epsilon, ones};
use super::setters::setters;
use super::{LayerRule, is_on, on};
use crate::ops::{Channel, ChannelForm, Forward, Op, ParamSpec, RunForm, ValueId};
use crate::regularizers::Regularizer;
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity_regularizer: Option<Regularizer>,
}

impl RMSNormalization {
    /// A layer with Keras's defaults.
    pub fn new() -> Self {
        Self { name: None, trainable: true, axis: Axes::LAST, epsilon: epsilon(), activity_regularizer: None }
    }

    setters!(name "rms_normalization");
    setters!(trainable);
    setters!(axes);
    setters!(epsilon "mean square");
    setters!(activity_regularizer);
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

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
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
