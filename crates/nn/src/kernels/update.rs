//! The gradient of a variable, its penalty and the optimizer's step, in one pass: the gradient never
//! leaves the registers.
//!
//! `g[k, j] = Σ_b x[b, k]·dy[b, j]`: a kernel's row k is one row of weights and of every slot. Where
//! `x` is mostly zeros, only the samples whose `x[b, k]` is not zero are visited (see
//! [`super::sparse`]).

use super::Kernel;
use super::matrix::{Matrix, Panels, add_product, end_chains, for_lanes};
use super::sparse::Sparse;
use crate::lane::{F32Lane, PAD};
use crate::optimizers::{MAX_SLOTS, Optimizer, RuleVisitor, Scalars, UpdateRule};
use crate::regularizers::Regularizer;
use std::marker::PhantomData;
use std::ops::Range;

/// A variable, what the optimizer keeps of it, and how it moves in this step.
#[derive(Clone, Copy)]
pub(crate) struct Moving<'a> {
    pub(crate) weights: Panels,
    /// Where the slots of the variable's first number are, laid out like the weights.
    pub(crate) slots: [*mut f32; MAX_SLOTS],
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) optimizer: &'a Optimizer,
    pub(crate) scalars: &'a Scalars<f32>,
    pub(crate) learning_rate: f32,
}

impl Moving<'_> {
    /// Whether anything but the rule itself moves the weights.
    fn is_adjusted(&self) -> bool {
        self.regularizer.is_some() || self.optimizer.weight_decay != 0.0
    }
}

/// `Moving` with the numbers of the step in every place of a lane. `ADJUSTED` leaves penalties and
/// decay out of the loop where there are none.
struct Mover<L, R, const ADJUSTED: bool> {
    weights: *mut f32,
    slots: [*mut f32; MAX_SLOTS],
    regularizer: Option<Regularizer>,
    weight_decay: f64,
    scalars: Scalars<L>,
    learning_rate: L,
    rule: R,
}

impl<L: F32Lane, R: UpdateRule, const ADJUSTED: bool> Mover<L, R, ADJUSTED> {
    #[inline(always)]
    fn new(moving: &Moving<'_>, rule: R) -> Self {
        Self {
            // SAFETY: every variable has a column 0.
            weights: unsafe { moving.weights.column(0) },
            slots: moving.slots,
            regularizer: moving.regularizer,
            weight_decay: moving.optimizer.weight_decay,
            scalars: moving.scalars.map(L::splat),
            learning_rate: L::splat(moving.learning_rate),
            rule,
        }
    }

    /// Penalty and decay.
    #[inline(always)]
    fn adjust(&self, w: L, g: L) -> (L, L) {
        let g = match self.regularizer {
            Some(regularizer) => regularizer.add_gradient(w, g),
            None => g,
        };
        (Optimizer::decay(self.weight_decay, self.learning_rate, w), g)
    }

    /// Moves the weights `offset` numbers from the variable's start.
    ///
    /// # Safety
    /// The offset must be inside the variable.
    #[inline(always)]
    unsafe fn step(&self, offset: usize, g: L) {
        // SAFETY: as the caller promises.
        unsafe {
            let at = self.weights.add(offset);
            let w = L::load(at);
            let (w, g) = if ADJUSTED { self.adjust(w, g) } else { (w, g) };
            let mut slots = [L::splat(0.0); MAX_SLOTS];
            let count = self.rule.slots();
            for (i, slot) in slots.iter_mut().enumerate().take(count) {
                *slot = L::load(self.slots[i].add(offset));
            }
            self.rule.update(&self.scalars, w, g, &mut slots).store(at);
            for (i, slot) in slots.into_iter().enumerate().take(count) {
                slot.flush_subnormal().store(self.slots[i].add(offset));
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
        if self.update.moving.is_adjusted() {
            self.update.run_with(&Mover::<L, R, true>::new(&self.update.moving, rule));
        } else {
            self.update.run_with(&Mover::<L, R, false>::new(&self.update.moving, rule));
        }
    }
}

const ROWS: usize = 4;

impl KernelUpdate<'_> {
    #[inline(always)]
    fn run_with<L: F32Lane, R: UpdateRule, const ADJUSTED: bool>(&self, mover: &Mover<L, R, ADJUSTED>) {
        // SAFETY: the run loop gives matrices of the model's sizes, and this thread's rows and columns.
        unsafe {
            match self.sparse {
                Some(x) => self.listed(x, mover),
                None => self.tiles(mover),
            }
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn listed<L: F32Lane, R: UpdateRule, const ADJUSTED: bool>(
        &self,
        x: Sparse,
        mover: &Mover<L, R, ADJUSTED>,
    ) {
        let weights = self.moving.weights;
        // SAFETY: as the caller promises.
        unsafe {
            for cols in weights.spans(self.cols.clone()) {
                for_lanes!(L, cols, [8, 4, 2, 1], |j, N| {
                    for k in self.rows.clone() {
                        let acc = self.listed_row::<L, N>(x, k, j);
                        let offset = weights.offset(j) + k * weights.width;
                        for n in 0..N {
                            mover.step(offset + n * L::WIDTH, acc[n] + L::splat(0.0));
                        }
                    }
                });
            }
        }
    }

    /// `Σ_b x[b, k]·dy[b, j]` over the samples whose `x[b, k]` is not zero.
    ///
    /// # Safety
    /// As for [`Self::listed`].
    #[inline(always)]
    unsafe fn listed_row<L: F32Lane, const N: usize>(&self, x: Sparse, k: usize, j: usize) -> [L; N] {
        let mut acc = [L::splat(0.0); N];
        for first in (0..self.batch).step_by(64) {
            // Groups of samples beyond a short batch hold masks of an older one.
            let present = u64::MAX >> (64 - (self.batch - first).min(64));
            // SAFETY: as the caller promises.
            unsafe {
                let mut bits = x.mask_of_64(first, k) & present;
                while bits != 0 {
                    let b = first + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    let factor = L::splat(*x.columns.at(k, b));
                    for n in 0..N {
                        acc[n] = factor.mul_add(L::load(self.dy.at(b, j + n * L::WIDTH)), acc[n]);
                    }
                }
            }
        }
        acc
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tiles<L: F32Lane, R: UpdateRule, const ADJUSTED: bool>(&self, mover: &Mover<L, R, ADJUSTED>) {
        // SAFETY: as the caller promises.
        unsafe {
            for cols in self.moving.weights.spans(self.cols.clone()) {
                for_lanes!(L, cols, [4, 2, 1], |j, N| {
                    let mut k = self.rows.start;
                    while k < self.rows.end {
                        if self.rows.end - k >= ROWS {
                            self.tile::<L, R, ADJUSTED, ROWS, N>(mover, k, j);
                            k += ROWS;
                        } else {
                            self.tile::<L, R, ADJUSTED, 1, N>(mover, k, j);
                            k += 1;
                        }
                    }
                });
            }
        }
    }

    /// # Safety
    /// Matrices, rows and columns must fit each other.
    #[inline(always)]
    unsafe fn tile<L: F32Lane, R: UpdateRule, const ADJUSTED: bool, const M: usize, const N: usize>(
        &self,
        mover: &Mover<L, R, ADJUSTED>,
        k: usize,
        j: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let x = (self.x.at(0, k).cast_const(), 1, self.x.stride);
            let dy = (self.dy.at(0, j).cast_const(), self.dy.stride);
            let mut acc = [[L::splat(0.0); N]; M];
            add_product(&mut acc, x, dy, self.batch);
            end_chains(&mut acc);
            let weights = self.moving.weights;
            for m in 0..M {
                let offset = weights.offset(j) + (k + m) * weights.width;
                for n in 0..N {
                    mover.step(offset + n * L::WIDTH, acc[m][n]);
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
        let mover = Mover::<L, R, true>::new(moving, rule);
        for col in cols.clone().step_by(L::WIDTH) {
            // SAFETY: the run loop gives matrices of the model's sizes, and this thread's columns.
            unsafe {
                let mut sum = L::splat(0.0);
                for b in 0..batch {
                    sum = sum + L::load(dy.at(b, col));
                }
                mover.step(moving.weights.offset(col), sum + L::splat(0.0));
            }
        }
    }
}
