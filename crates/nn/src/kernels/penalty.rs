//! Penalties: Σ|w| and Σw² of every row of a variable or of a value, and the gradient of a value's.

use super::Kernel;
use super::matrix::{Matrix, Panels};
use crate::lane::{F32Lane, Lane, PAD};
use crate::regularizers::Regularizer;
use std::ops::Range;

/// Writes `Σ|w|` and `Σw²` of some rows to `sums[row, 0]` and `sums[row, 1]`.
pub(crate) struct RowNorms {
    pub(crate) weights: Panels,
    pub(crate) width: usize,
    pub(crate) sums: Matrix,
    pub(crate) rows: Range<usize>,
}

impl Kernel for RowNorms {
    type Output = ();

    /// 16 chains, number i in chain i mod 16, folded 8, 4, 2, 1. What stands in the padding does not matter: that of a
    /// value may be an activation of 0.
    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows.clone() {
            let (mut magnitudes, mut squares) = ([0.0_f32; PAD], [0.0_f32; PAD]);
            // SAFETY: the run loop gives a variable with these rows.
            unsafe {
                for group in (0..self.width).step_by(PAD) {
                    let numbers = self.weights.column(group).add(row * self.weights.width);
                    let inside = PAD.min(self.width - group);
                    if inside == PAD {
                        add::<L>(numbers, PAD, &mut magnitudes, &mut squares);
                    } else {
                        add::<f32>(numbers, inside, &mut magnitudes, &mut squares);
                    }
                }
                *self.sums.at(row, 0) = super::score::sum(&magnitudes);
                *self.sums.at(row, 1) = super::score::sum(&squares);
            }
        }
    }
}

/// The next link of up to 16 chains.
///
/// # Safety
/// `numbers` must be valid for `count`, which is whole lanes and at most 16.
#[inline(always)]
unsafe fn add<L: F32Lane>(
    numbers: *const f32,
    count: usize,
    magnitudes: &mut [f32; PAD],
    squares: &mut [f32; PAD],
) {
    for i in (0..count).step_by(L::WIDTH) {
        // SAFETY: as the caller promises.
        unsafe {
            let w = L::load(numbers.add(i));
            let m = magnitudes.as_mut_ptr().add(i);
            (L::load(m) + w.abs()).store(m);
            let s = squares.as_mut_ptr().add(i);
            w.mul_add(w, L::load(s)).store(s);
        }
    }
}

/// `dx = dy + (the penalty's gradient at x) / samples`.
pub(crate) struct ActivityGradient {
    pub(crate) regularizer: Regularizer,
    pub(crate) samples: usize,
    pub(crate) x: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

/// The gradient for one number, or a lane of them.
#[inline(always)]
pub(crate) fn activity_gradient<L: Lane>(regularizer: Regularizer, samples: usize, x: L, dy: L) -> L {
    dy + regularizer.add_gradient(x, L::lit(0.0)) / L::lit(samples as f64)
}

impl Kernel for ActivityGradient {
    type Output = ();

    /// Padding is left as it is: it must stay 0 in a gradient, and x may have other numbers there.
    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let whole = self.width / L::WIDTH * L::WIDTH;
        // SAFETY: the run loop gives matrices of the same size.
        unsafe {
            self.lanes::<L>(0..whole);
            self.lanes::<f32>(whole..self.width);
        }
    }
}

impl ActivityGradient {
    /// # Safety
    /// The columns must be inside the matrices, and whole lanes.
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, cols: Range<usize>) {
        for row in self.rows.clone() {
            for col in cols.clone().step_by(L::WIDTH) {
                // SAFETY: as the caller promises.
                unsafe {
                    let (x, dy) = (L::load(self.x.at(row, col)), L::load(self.dy.at(row, col)));
                    activity_gradient(self.regularizer, self.samples, x, dy).store(self.dx.at(row, col));
                }
            }
        }
    }
}
