//! The gradient of a variable, its penalty and the optimizer's step, in one pass: the gradient never
//! leaves the registers.
//!
//! `g[k, j] = Σ_b x[b, k]·dy[b, j]`: a kernel's row k is one row of weights and of every slot. Where
//! `x` is mostly zeros, only the samples whose `x[b, k]` is not zero are visited (see
//! [`super::sparse`]).

use super::Kernel;
use super::matrix::{Matrix, for_panels, product};
use super::sparse::Sparse;
use crate::lane::{F32Lane, PAD};
use crate::optimizers::{MAX_SLOTS, Optimizer, RuleVisitor, Scalars, UpdateRule};
use crate::regularizers::Regularizer;
use std::marker::PhantomData;
use std::ops::Range;

/// A variable, what the optimizer keeps of it, and how it moves in this step.
#[derive(Clone, Copy)]
pub(crate) struct Moving<'a> {
    pub(crate) weights: Matrix,
    pub(crate) slots: [Matrix; MAX_SLOTS],
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) optimizer: &'a Optimizer,
    pub(crate) scalars: &'a Scalars<f32>,
    pub(crate) learning_rate: f32,
}

/// `Moving` with the numbers of the step in every place of a lane.
struct Mover<L, R> {
    weights: Matrix,
    slots: [Matrix; MAX_SLOTS],
    regularizer: Option<Regularizer>,
    weight_decay: f64,
    scalars: Scalars<L>,
    learning_rate: L,
    rule: R,
}

impl<L: F32Lane, R: UpdateRule> Mover<L, R> {
    #[inline(always)]
    fn new(moving: &Moving<'_>, rule: R) -> Self {
        Self {
            weights: moving.weights,
            slots: moving.slots,
            regularizer: moving.regularizer,
            weight_decay: moving.optimizer.weight_decay,
            scalars: moving.scalars.map(L::splat),
            learning_rate: L::splat(moving.learning_rate),
            rule,
        }
    }

    /// # Safety
    /// Row and column must be inside the variable.
    #[inline(always)]
    unsafe fn step(&self, row: usize, col: usize, g: L) {
        // SAFETY: as the caller promises.
        unsafe {
            let at = self.weights.at(row, col);
            let w = L::load(at);
            let g = match self.regularizer {
                Some(regularizer) => regularizer.add_gradient(w, g),
                None => g,
            };
            let w = Optimizer::decay(self.weight_decay, self.learning_rate, w);
            let mut slots = [L::splat(0.0); MAX_SLOTS];
            let count = self.rule.slots();
            for (i, slot) in slots.iter_mut().enumerate().take(count) {
                *slot = L::load(self.slots[i].at(row, col));
            }
            self.rule.update(&self.scalars, w, g, &mut slots).store(at);
            for (i, slot) in slots.into_iter().enumerate().take(count) {
                slot.flush_subnormal().store(self.slots[i].at(row, col));
            }
        }
    }
}

/// Moves a kernel.
pub(crate) struct KernelUpdate<'a> {
    pub(crate) x: Matrix,
    /// The non-zero numbers of `x`, where it is worth skipping the others; then `x` is not read.
    pub(crate) sparse: Option<Sparse>,
    pub(crate) dy: Matrix,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
}

impl Kernel for KernelUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        self.moving.optimizer.rule.visit(WithRule::<L> { update: &self, lane: PhantomData });
    }
}

struct WithRule<'a, L> {
    update: &'a KernelUpdate<'a>,
    lane: PhantomData<L>,
}

impl<L: F32Lane> RuleVisitor for WithRule<'_, L> {
    type Output = ();

    #[inline(always)]
    fn visit<R: UpdateRule>(self, rule: R) {
        let mover = Mover::<L, R>::new(&self.update.moving, rule);
        // SAFETY: the run loop gives matrices of the model's sizes, and this thread's rows and columns.
        unsafe {
            match self.update.sparse {
                Some(x) => self.update.listed(x, &mover),
                None => self.update.tiles(&mover),
            }
        }
    }
}

const ROWS: usize = 4;

impl KernelUpdate<'_> {
    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn listed<L: F32Lane, R: UpdateRule>(&self, x: Sparse, mover: &Mover<L, R>) {
        // SAFETY: as the caller promises.
        unsafe {
            for_panels!(L, self.cols, [8, 4, 2, 1], |j, N| {
                for k in self.rows.clone() {
                    let mut acc = [L::splat(0.0); N];
                    for first in (0..self.batch).step_by(64) {
                        // Groups of samples beyond a short batch hold masks of an older one.
                        let present = u64::MAX >> (64 - (self.batch - first).min(64));
                        let mut bits = x.mask_of_64(first, k) & present;
                        while bits != 0 {
                            let b = first + bits.trailing_zeros() as usize;
                            bits &= bits - 1;
                            let factor = L::splat(*x.twin.at(k, b));
                            for n in 0..N {
                                acc[n] = factor.mul_add(L::load(self.dy.at(b, j + n * L::WIDTH)), acc[n]);
                            }
                        }
                    }
                    for n in 0..N {
                        mover.step(k, j + n * L::WIDTH, acc[n] + L::splat(0.0));
                    }
                }
            });
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tiles<L: F32Lane, R: UpdateRule>(&self, mover: &Mover<L, R>) {
        // SAFETY: as the caller promises.
        unsafe {
            for_panels!(L, self.cols, [4, 2, 1], |j, N| {
                let mut k = self.rows.start;
                while k < self.rows.end {
                    if self.rows.end - k >= ROWS {
                        self.tile::<L, R, ROWS, N>(mover, k, j);
                        k += ROWS;
                    } else {
                        self.tile::<L, R, 1, N>(mover, k, j);
                        k += 1;
                    }
                }
            });
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tile<L: F32Lane, R: UpdateRule, const M: usize, const N: usize>(
        &self,
        mover: &Mover<L, R>,
        k: usize,
        j: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let x = (self.x.at(0, k).cast_const(), 1, self.x.stride);
            let dy = (self.dy.at(0, j).cast_const(), self.dy.stride);
            let acc = product::<L, M, N>(x, dy, self.batch);
            for m in 0..M {
                for n in 0..N {
                    mover.step(k + m, j + n * L::WIDTH, acc[m][n]);
                }
            }
        }
    }
}

/// Moves a bias: `g[j] = Σ_b dy[b, j]`.
pub(crate) struct BiasUpdate<'a> {
    pub(crate) dy: Matrix,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    pub(crate) cols: Range<usize>,
}

impl Kernel for BiasUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        self.moving.optimizer.rule.visit(BiasWithRule::<L> { update: &self, lane: PhantomData });
    }
}

struct BiasWithRule<'a, L> {
    update: &'a BiasUpdate<'a>,
    lane: PhantomData<L>,
}

impl<L: F32Lane> RuleVisitor for BiasWithRule<'_, L> {
    type Output = ();

    #[inline(always)]
    fn visit<R: UpdateRule>(self, rule: R) {
        let BiasUpdate { dy, batch, ref moving, ref cols } = *self.update;
        debug_assert!(cols.start % PAD == 0 && cols.end % PAD == 0);
        let mover = Mover::<L, R>::new(moving, rule);
        for col in cols.clone().step_by(L::WIDTH) {
            // SAFETY: the run loop gives matrices of the model's sizes, and this thread's columns.
            unsafe {
                let mut sum = L::splat(0.0);
                for b in 0..batch {
                    sum = sum + L::load(dy.at(b, col));
                }
                mover.step(0, col, sum + L::splat(0.0));
            }
        }
    }
}
