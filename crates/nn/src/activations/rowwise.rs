//! Functions of a whole row: log-softmax, sparsemax and GLU. (Softmax has steps of its own.)
//!
//! | name | value | gradient |
//! |---|---|---|
//! | log_softmax | `y = z − ln Σeᶻ`, with `z = x − max x` | `dx = dy − eʸ·Σdy` |
//! | sparsemax | `y = max(x − τ, 0)`, with τ so that `Σy = 1` | `dx = dy − mean of dy over S` in S, 0 outside |
//! | glu | `y = a·sigmoid(b)`, a and b the halves of x | `da = dy·s`, `db = dy·a·s·(1 − s)` |
//!
//! S are the numbers that sparsemax leaves above 0: those with `Σⱼ max(xⱼ − xᵢ, 0) < 1`. All sums are one
//! ascending chain.
//!
//! Keras: `keras/src/activations/activations.py`. Its 3.15 sparsemax adds up cumulative sums, so that rows do not
//! sum to 1 (issue 23425 there, repaired since); this is the paper's: Martins and Astudillo, *From softmax to
//! sparsemax* (2016). Dauphin et al., *Language modeling with gated convolutional networks* (2017), for GLU.

use super::{Elementwise, GradientFrom, Sigmoid};
use crate::lane::Lane;

/// A function of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFunction {
    /// `y = z − ln Σeᶻ`
    LogSoftmax,
    /// `y = max(x − τ, 0)`
    Sparsemax,
    /// `y = a·sigmoid(b)`
    Glu,
}

impl RowFunction {
    /// What `gradient` wants to see.
    pub fn gradient_from(self) -> GradientFrom {
        if self == Self::Glu { GradientFrom::Input } else { GradientFrom::Output }
    }

    /// Writes y.
    #[inline(always)]
    pub(crate) fn value<R: Lane + PartialOrd>(self, x: &[R], y: &mut [R]) {
        match self {
            Self::LogSoftmax => log_softmax(x, y),
            Self::Sparsemax => sparsemax(x, y),
            Self::Glu => glu(x, y),
        }
    }

    /// Writes dx from dy and, as [`RowFunction::gradient_from`] says, x or y.
    #[inline(always)]
    pub(crate) fn gradient<R: Lane + PartialOrd>(self, v: &[R], dy: &[R], dx: &mut [R]) {
        match self {
            Self::LogSoftmax => {
                let sum = sum(dy.iter().copied());
                for ((dx, &y), &dy) in dx.iter_mut().zip(v).zip(dy) {
                    *dx = dy - y.exp() * sum;
                }
            }
            Self::Sparsemax => {
                let zero = R::lit(0.0);
                let inside = || v.iter().zip(dy).filter(|(y, _)| **y > zero);
                let mean = sum(inside().map(|(_, &dy)| dy)) / R::lit(inside().count() as f64);
                for ((dx, &y), &dy) in dx.iter_mut().zip(v).zip(dy) {
                    *dx = if y > zero { dy - mean } else { zero };
                }
            }
            Self::Glu => {
                let half = dy.len();
                for (i, &dy) in dy.iter().enumerate() {
                    let s = Sigmoid.value(v[half + i]);
                    dx[i] = dy * s;
                    dx[half + i] = Sigmoid.gradient(s, dy * v[i]);
                }
            }
        }
    }
}

#[inline(always)]
fn sum<R: Lane>(numbers: impl Iterator<Item = R>) -> R {
    numbers.fold(R::lit(0.0), |sum, x| sum + x)
}

#[inline(always)]
fn largest<R: Lane>(x: &[R]) -> R {
    x.iter().fold(R::lit(f64::NEG_INFINITY), |max, &x| max.max(x))
}

#[inline(always)]
fn log_softmax<R: Lane>(x: &[R], y: &mut [R]) {
    let max = largest(x);
    let total = sum(x.iter().map(|&x| (x - max).exp())).ln();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (x - max) - total;
    }
}

#[inline(always)]
fn sparsemax<R: Lane + PartialOrd>(x: &[R], y: &mut [R]) {
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    let max = largest(x);
    let above = |i: R| sum(x.iter().map(|&j| zero.max(j - i)));
    let (mut total, mut size) = (zero, zero);
    for &x in x {
        if above(x) < one {
            total = total + (x - max);
            size = size + one;
        }
    }
    let threshold = (total - one) / size;
    for (y, &x) in y.iter_mut().zip(x) {
        *y = zero.max((x - max) - threshold);
    }
}

#[inline(always)]
fn glu<R: Lane>(x: &[R], y: &mut [R]) {
    let (a, b) = x.split_at(y.len());
    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
        *y = a * Sigmoid.value(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(f: RowFunction, x: &[f64], width: usize) -> Vec<f64> {
        let mut y = vec![f64::NAN; width];
        f.value(x, &mut y);
        y
    }

    #[test]
    fn worked_out_by_hand() {
        // Of (1, 0.5, −2) the first two stay: τ = (1.5 − 1)/2.
        assert_eq!(value(RowFunction::Sparsemax, &[1.0, 0.5, -2.0], 3), [0.75, 0.25, 0.0]);
        assert_eq!(value(RowFunction::Sparsemax, &[3.0, 0.0], 2), [1.0, 0.0]);
        assert_eq!(value(RowFunction::Glu, &[2.0, -4.0, 0.0, 0.0], 2), [1.0, -2.0]);
        let y = value(RowFunction::LogSoftmax, &[1000.0, 1000.0], 2);
        assert!(y.iter().all(|y| (y + std::f64::consts::LN_2).abs() < 1e-15));
    }

    #[test]
    fn large_numbers_and_nan() {
        let rows: [[f32; 3]; 2] = [[1e30, -1e30, 0.0], [f32::NAN, 0.0, 1.0]];
        for f in [RowFunction::LogSoftmax, RowFunction::Sparsemax] {
            let mut y = [0.0; 3];
            f.value(&rows[0], &mut y);
            assert!(y.iter().all(|y| y.is_finite()), "{f:?}: {y:?}");
            f.value(&rows[1], &mut y);
            assert!(y.iter().any(|y| y.is_nan()), "{f:?} hides NaN: {y:?}");
        }
    }
}
