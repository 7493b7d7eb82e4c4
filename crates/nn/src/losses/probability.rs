//! What the losses of probabilities share: bounds, smoothing, and the ranges of their parameters.

use super::EPSILON;
use crate::config::{InvalidParameter, require};
use crate::lane::Lane;

/// From 1e-7 to 1 − 1e-7.
#[inline(always)]
pub(super) fn clip<R: Lane>(p: R) -> R {
    R::lit(1.0 - EPSILON).min(R::lit(EPSILON).max(p))
}

/// 1 where clipping leaves `p` as it is, 0 where it does not.
#[inline(always)]
pub(super) fn clip_slope<R: Lane>(p: R) -> R {
    R::select(clip(p).equals(p), R::lit(1.0), R::lit(0.0))
}

/// `t·(1 − s) + s/n`: the target with a share `s` spread over all `n` classes.
#[inline(always)]
pub(crate) fn smooth<L: Lane>(target: L, smoothing: f64, classes: usize) -> L {
    if smoothing == 0.0 {
        return target;
    }
    target * L::lit(1.0 - smoothing) + L::lit(smoothing / classes as f64)
}

pub(super) fn check_smoothing(name: &'static str, value: f64) -> Result<(), InvalidParameter> {
    check_share(name, "label_smoothing", value)
}

pub(super) fn check_share(
    name: &'static str,
    parameter: &'static str,
    value: f64,
) -> Result<(), InvalidParameter> {
    require((0.0..=1.0).contains(&value), name, parameter, "from 0 to 1", value)
}

/// Between 0 and 1 the slope would be infinite where a prediction is right.
pub(super) fn check_gamma(name: &'static str, value: f64) -> Result<(), InvalidParameter> {
    let ok = value == 0.0 || (value.is_finite() && value >= 1.0);
    require(ok, name, "gamma", "0 or a finite number ≥ 1", value)
}
