//! Σ|w| and Σw² of every row of a variable.

use super::Kernel;
use super::matrix::{Matrix, Panels};
use crate::lane::{F32Lane, PAD};
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

    /// 16 chains, number i in chain i mod 16, folded 8, 4, 2, 1. Padding is 0 and adds nothing.
    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows.clone() {
            let (mut magnitudes, mut squares) = ([0.0_f32; PAD], [0.0_f32; PAD]);
            // SAFETY: the run loop gives a variable with these rows.
            unsafe {
                for group in (0..self.width).step_by(PAD) {
                    let numbers = self.weights.column(group).add(row * self.weights.width);
                    for i in (0..PAD).step_by(L::WIDTH) {
                        let w = L::load(numbers.add(i));
                        let m = magnitudes.as_mut_ptr().add(i);
                        (L::load(m) + w.abs()).store(m);
                        let s = squares.as_mut_ptr().add(i);
                        w.mul_add(w, L::load(s)).store(s);
                    }
                }
                *self.sums.at(row, 0) = super::score::sum(&magnitudes);
                *self.sums.at(row, 1) = super::score::sum(&squares);
            }
        }
    }
}
