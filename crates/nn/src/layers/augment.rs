//! What the layers that change pictures share: factors, checks, and the op.

use crate::ops::{Augment, Change, Draws, Forward, Op, Picture, ValueId};
use crate::random::Purpose;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A range of what is drawn, or one number that stands for a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Factor {
    /// Up to this number, from where the layer says.
    One(f64),
    /// Between these numbers.
    Range([f64; 2]),
}

impl From<f64> for Factor {
    fn from(number: f64) -> Self {
        Self::One(number)
    }
}

impl From<[f64; 2]> for Factor {
    fn from(range: [f64; 2]) -> Self {
        Self::Range(range)
    }
}

impl Factor {
    /// Refuses a number that is not allowed.
    pub(super) fn check(
        &self,
        name: &str,
        allowed: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Result<(), String> {
        let numbers: &[f64] = match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Range(range) => range,
        };
        match numbers.iter().find(|number| !allowed(**number)) {
            Some(wrong) => Err(format!("{name}: expected {expected}, received {wrong}")),
            None => Ok(()),
        }
    }

    /// One number stands for ± it.
    pub(super) fn around_0(self) -> (f64, f64) {
        match self {
            Self::One(number) => (-number.abs(), number.abs()),
            Self::Range([a, b]) => (a.min(b), a.max(b)),
        }
    }

    /// One number stands for 0 to it.
    pub(super) fn up_from_0(self) -> (f64, f64) {
        match self {
            Self::One(number) => (0.0, number.abs()),
            Self::Range([a, b]) => (a.min(b), a.max(b)),
        }
    }
}

pub(super) fn check_finite(name: &str, number: f64) -> Result<(), String> {
    if number.is_finite() {
        Ok(())
    } else {
        Err(format!("{name}: expected a finite number, received {number}"))
    }
}

pub(super) fn check_value_range([low, high]: [f64; 2]) -> Result<(), String> {
    if low.is_finite() && high.is_finite() && low <= high {
        return Ok(());
    }
    Err(format!("value_range: expected a lower and an upper number, received [{low}, {high}]"))
}

/// The shape, where it is that of pictures.
pub(super) fn check_picture(input: &Shape) -> Result<Shape, String> {
    match input.axes() {
        [_, _, _] => Ok(input.clone()),
        _ => Err(format!(
            "expected samples of height, width and channels, received the shape {input}; \
             a Reshape layer before it can add the channels"
        )),
    }
}

/// Writes a change of pictures, in training.
pub(super) fn change(
    to: &mut Forward,
    change: Change,
    seed: Option<u64>,
    input: &Shape,
    x: ValueId,
) -> ValueId {
    let &[height, width, channels] = input.axes() else { return x };
    if !to.training {
        return x;
    }
    let draws = Draws { purpose: Purpose::Augmentation, name: to.layer_name.clone(), seed };
    let out = to.value_like("changed", x);
    let picture = Picture { height, width, channels };
    to.push(Op::Augment(Augment::Change { change, picture, draws, x, out }));
    out
}
