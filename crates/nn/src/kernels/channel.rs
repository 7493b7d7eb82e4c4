//! Steps with one number of a variable per channel: scale, shift, PReLU, and the step that moves axes.
//!
//! Channels stand side by side, so a lane is some channels of one position; the channels that fill no lane
//! are done one by one, with the same operations.

use super::Kernel;
use super::matrix::Matrix;
use super::update::{Gradient, Moving};
use crate::lane::F32Lane;
use crate::ops::ChannelForm;
use std::ops::Range;

/// Work that treats every channel alike.
pub(super) trait ByChannel {
    /// Does the channels `c` to `c + L::WIDTH`.
    ///
    /// # Safety
    /// They must be inside what the work is on.
    unsafe fn lanes<L: F32Lane>(&self, c: usize);
}

/// Does a range of channels, in whole lanes as long as they fit.
///
/// # Safety
/// The channels must be inside what the work is on.
#[inline(always)]
pub(super) unsafe fn by_channel<L: F32Lane>(work: &impl ByChannel, channels: Range<usize>) {
    let mut c = channels.start;
    // SAFETY: as the caller promises.
    unsafe {
        while channels.end.saturating_sub(c) >= L::WIDTH {
            work.lanes::<L>(c);
            c += L::WIDTH;
        }
        while c < channels.end {
            work.lanes::<f32>(c);
            c += 1;
        }
    }
}

/// A matrix whose rows hold numbers of `channels` channels, position after position.
#[derive(Clone, Copy)]
pub(crate) struct Positions {
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Positions {
    /// Where the numbers of channel `c` are in a row.
    #[inline(always)]
    pub(super) fn of(self, c: usize) -> impl Iterator<Item = usize> {
        (c..self.width).step_by(self.channels)
    }
}

/// `out = form(x, w)`
pub(crate) struct Apply {
    pub(crate) form: ChannelForm,
    pub(crate) x: Matrix,
    pub(crate) w: *const f32,
    pub(crate) out: Matrix,
    pub(crate) positions: Positions,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Apply {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices and a variable of these sizes.
        unsafe { by_channel::<L>(&self, 0..self.positions.channels) }
    }
}

impl ByChannel for Apply {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let w = L::load(self.w.add(c));
            let zero = L::splat(0.0);
            for row in self.rows.clone() {
                for at in self.positions.of(c) {
                    let x = L::load(self.x.at(row, at));
                    let y = match self.form {
                        ChannelForm::Scale => x * w,
                        ChannelForm::Shift => x + w,
                        ChannelForm::Prelu => L::select(zero.gt(x), x * w, x),
                    };
                    y.store(self.out.at(row, at));
                }
            }
        }
    }
}

/// `dx = ∂form/∂x·dy`
pub(crate) struct InputGradient {
    pub(crate) form: ChannelForm,
    pub(crate) x: Matrix,
    pub(crate) w: *const f32,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) positions: Positions,
    pub(crate) rows: Range<usize>,
}

impl Kernel for InputGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices and a variable of these sizes.
        unsafe { by_channel::<L>(&self, 0..self.positions.channels) }
    }
}

impl ByChannel for InputGradient {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let w = L::load(self.w.add(c));
            let (zero, one) = (L::splat(0.0), L::splat(1.0));
            for row in self.rows.clone() {
                for at in self.positions.of(c) {
                    let (x, dy) = (L::load(self.x.at(row, at)), L::load(self.dy.at(row, at)));
                    let slope = match self.form {
                        ChannelForm::Scale => w,
                        ChannelForm::Shift => one,
                        ChannelForm::Prelu => L::select(zero.gt(x), w, L::select(x.gt(zero), one, zero)),
                    };
                    (dy * slope).store(self.dx.at(row, at));
                }
            }
        }
    }
}

/// Moves a variable: `g[c] = Σ ∂form/∂w·dy`, samples ascending, positions ascending within a sample. A
/// thread has its own channels of all samples.
pub(crate) struct ChannelUpdate<'a> {
    pub(crate) form: ChannelForm,
    pub(crate) x: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) positions: Positions,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    /// Whole lanes of [`crate::lane::PAD`].
    pub(crate) cols: Range<usize>,
}

impl Kernel for ChannelUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for cols in self.moving.weights.spans(self.cols.clone()) {
            let mut gradient = Gradient::new();
            let sums = Sums { update: &self, to: gradient.start(), first: cols.start };
            // SAFETY: the run loop gives matrices of the model's sizes, and this thread's columns; a panel's
            // columns fit the gradient.
            unsafe {
                by_channel::<L>(&sums, cols.start..cols.end.min(self.positions.channels));
                self.moving.rows::<L>(0..1, cols, gradient.start());
            }
        }
    }
}

/// The gradient of channels from `first` on.
struct Sums<'a> {
    update: &'a ChannelUpdate<'a>,
    to: *mut f32,
    first: usize,
}

impl ByChannel for Sums<'_> {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        let ChannelUpdate { form, x, dy, positions, batch, .. } = *self.update;
        let mut sum = L::splat(0.0);
        let zero = L::splat(0.0);
        // SAFETY: as the caller promises.
        unsafe {
            for row in 0..batch {
                for at in positions.of(c) {
                    let (x, dy) = (L::load(x.at(row, at)), L::load(dy.at(row, at)));
                    sum = match form {
                        ChannelForm::Scale => x.mul_add(dy, sum),
                        ChannelForm::Shift => dy + sum,
                        ChannelForm::Prelu => L::select(zero.gt(x), x, zero).mul_add(dy, sum),
                    };
                }
            }
            (sum + zero).store(self.to.add(c - self.first));
        }
    }
}

/// `out[b, i] = x[b, from[i]]`
///
/// # Safety
/// Both matrices must have the rows, of as many numbers as `from`.
pub(crate) unsafe fn permute(from: &[u32], x: Matrix, out: Matrix, rows: Range<usize>) {
    for row in rows {
        // SAFETY: as the caller promises.
        let (x, out) = unsafe { (x.row(row, from.len()), out.row_mut(row, from.len())) };
        for (out, &i) in out.iter_mut().zip(from) {
            *out = x[i as usize];
        }
    }
}
