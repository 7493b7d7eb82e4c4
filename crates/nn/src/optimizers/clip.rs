//! Gradient clipping: nothing too long or too large reaches the rule.
//!
//! | name | arithmetic |
//! |---|---|
//! | `clipvalue` c | `g ← clip(g, −c, c)` |
//! | `clipnorm` c | `g ← g·c / max(‖g‖, c)`, for every variable |
//! | `global_clipnorm` c | `g ← g·s` with `s = c·min(1/‖all g‖, 1/c)` |
//!
//! Source: Keras `keras/src/optimizers/base_optimizer.py`; Pascanu et al. 2013. The sum under a norm's root runs along
//! every row in 16 interleaved chains, then over the rows, then (globally) over the variables, ascending.

use super::Optimizer;
use crate::lane::Lane;

/// What is done to the gradient of one variable in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Clip<L> {
    /// Nothing.
    None,
    /// Cut off at the size.
    Value(L),
    /// Times the first, divided by the second.
    Norm(L, L),
    /// Times the scale.
    Scale(L),
}

impl<L: Lane> Clip<L> {
    /// For a gradient whose squares sum up to `squares`; those of all variables together to `all`.
    pub(crate) fn new(optimizer: &Optimizer, squares: impl FnOnce() -> L, all: impl FnOnce() -> L) -> Self {
        let (one, zero) = (L::lit(1.0), L::lit(0.0));
        if let Some(most) = optimizer.clipvalue {
            return Self::Value(L::lit(most));
        }
        if let Some(most) = optimizer.clipnorm {
            let (most, squares) = (L::lit(most), squares());
            let norm = L::select(squares.gt(zero), squares.sqrt(), squares);
            return Self::Norm(most, most.max(norm));
        }
        if let Some(most) = optimizer.global_clipnorm {
            let (most, norm) = (L::lit(most), all().sqrt());
            let scale = most * (one / most).min(one / norm);
            // Not a number where the norm is none.
            return Self::Scale(scale + norm * zero);
        }
        Self::None
    }

    /// Clips one number, or a lane of them.
    #[inline(always)]
    pub(crate) fn apply(self, g: L) -> L {
        match self {
            Self::None => g,
            Self::Value(most) => (-most).max(most.min(g)),
            Self::Norm(most, divisor) => g * most / divisor,
            Self::Scale(scale) => g * scale,
        }
    }

    /// The same for another lane.
    #[inline(always)]
    pub(crate) fn map<M>(self, f: impl Fn(L) -> M) -> Clip<M> {
        match self {
            Self::None => Clip::None,
            Self::Value(most) => Clip::Value(f(most)),
            Self::Norm(most, divisor) => Clip::Norm(f(most), f(divisor)),
            Self::Scale(scale) => Clip::Scale(f(scale)),
        }
    }
}
