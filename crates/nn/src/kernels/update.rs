//! How a variable moves: its gradient a few rows at a time, and the optimizer's step behind it.
//!
//! `g[k, j] = Σ_b x[b, k]·dy[b, j]`: a kernel's row k is one row of weights and of every slot. Where
//! `x` is mostly zeros, only the samples whose `x[b, k]` is not zero are visited (see
//! [`super::sparse`] and [`super::listed`]).
//!
//! ```text
//!   x, dy  →  products  →  gradient of up to 6 rows  →  Move: penalty, decay, rule  →  weights, slots
//!                          384 numbers on the stack,
//!                          never outside the first cache
//! ```
//!
//! The products know no rule and the rule knows no product, so each is compiled once per lane.

use super::listed::HiddenColumns;
use super::matrix::{Matrix, Panels, TILE_ROWS, add_product, end_chains, for_lanes, for_tiles};
use super::scratch::Scratch;
use super::sparse::{ByInput, GROUP, Input};
use super::{Kernel, SimdLevel};
use crate::lane::{F32Lane, PAD};
use crate::optimizers::variable::VariableRule;
use crate::optimizers::{Clip, MAX_SLOTS, Optimizer, Rule, RuleVisitor, Scalars, UpdateRule};
use crate::plan::layout::PANEL;
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
    pub(crate) clip: Clip<f32>,
    pub(crate) weight_decay: f64,
    pub(crate) rule: &'a Rule,
    pub(crate) scalars: &'a Scalars<f32>,
    pub(crate) learning_rate: f32,
    /// Where the gradient is kept, laid out like the weights, if they move later: [`Update`] moves them then.
    pub(crate) keep: Option<*mut f32>,
}

impl Moving<'_> {
    /// Whether anything but the rule itself moves the weights.
    fn is_adjusted(&self) -> bool {
        self.regularizer.is_some() || self.weight_decay != 0.0 || self.clip != Clip::None
    }

    /// Moves the weights of rows `rows` and columns `cols`, which lie in one panel, by their gradient,
    /// which stands row by row without gaps.
    ///
    /// # Safety
    /// Rows and columns must be inside the variable, `gradient` valid for all of them.
    #[inline(always)]
    pub(super) unsafe fn rows<L: F32Lane>(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        gradient: *const f32,
    ) {
        let mut done = 0;
        for range in self.weights.ranges(rows, cols) {
            // SAFETY: as the caller promises.
            let gradient = unsafe { gradient.add(done) };
            done += range.len();
            match self.keep {
                // SAFETY: as above.
                Some(to) => unsafe { self.keep::<L>(to, range, gradient) },
                None => SimdLevel::of::<L>().run(MoveRange { moving: self, range, gradient }),
            }
        }
    }

    /// Keeps the gradient of a range of numbers, with the penalty's.
    ///
    /// # Safety
    /// The numbers must be inside the variable, `gradient` valid for all of them.
    #[inline(always)]
    unsafe fn keep<L: F32Lane>(&self, to: *mut f32, range: Range<usize>, gradient: *const f32) {
        for (i, at) in range.enumerate().step_by(L::WIDTH) {
            // SAFETY: as the caller promises.
            unsafe {
                let g = L::load(gradient.add(i));
                let g = match self.regularizer {
                    Some(regularizer) => regularizer.add_gradient(L::load(self.weights.column(0).add(at)), g),
                    None => g,
                };
                g.store(to.add(at));
            }
        }
    }
}

/// Moves weights by a gradient that was kept.
pub(crate) struct Update<'a> {
    pub(crate) moving: Moving<'a>,
    pub(crate) gradient: *const f32,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for range in self.moving.weights.ranges(self.rows, self.cols) {
            // SAFETY: the run loop gives rows and columns of the variable, and its gradient.
            let gradient = unsafe { self.gradient.add(range.start) };
            SimdLevel::of::<L>().run(MoveRange { moving: &self.moving, range, gradient });
        }
    }
}

/// Moves weights that follow each other, counted from the variable's start, by their gradient.
struct MoveRange<'a> {
    moving: &'a Moving<'a>,
    range: Range<usize>,
    gradient: *const f32,
}

impl Kernel for MoveRange<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        self.moving.rule.visit(Move::<L> { of: &self, lane: PhantomData });
    }
}

/// [`MoveRange`] once the rule is known.
struct Move<'a, L> {
    of: &'a MoveRange<'a>,
    lane: PhantomData<L>,
}

impl<L: F32Lane> RuleVisitor for Move<'_, L> {
    type Output = ();

    #[inline(always)]
    fn visit<R: UpdateRule>(self, rule: R) {
        let moving = self.of.moving;
        if moving.is_adjusted() {
            self.run(&Mover::<L, R, true>::new(moving, rule));
        } else {
            self.run(&Mover::<L, R, false>::new(moving, rule));
        }
    }

    /// Rules for whole variables never come here: see [`super::optimize::MoveVariable`].
    fn visit_variable<R: VariableRule>(self, _: &R) {}
}

impl<L: F32Lane> Move<'_, L> {
    #[inline(always)]
    fn run<R: UpdateRule, const ADJUSTED: bool>(&self, mover: &Mover<L, R, ADJUSTED>) {
        for (i, offset) in self.of.range.clone().step_by(L::WIDTH).enumerate() {
            // SAFETY: as `Moving::rows` promises.
            unsafe { mover.step(offset, L::load(self.of.gradient.add(i * L::WIDTH))) }
        }
    }
}

/// `Moving` with the numbers of the step in every place of a lane. `ADJUSTED` leaves penalties and
/// decay out of the loop where there are none.
struct Mover<L, R, const ADJUSTED: bool> {
    weights: *mut f32,
    slots: [*mut f32; MAX_SLOTS],
    regularizer: Option<Regularizer>,
    clip: Clip<L>,
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
            clip: moving.clip.map(L::splat),
            weight_decay: moving.weight_decay,
            scalars: moving.scalars.map(L::splat),
            learning_rate: L::splat(moving.learning_rate),
            rule,
        }
    }

    /// Penalty, clipping and decay.
    #[inline(always)]
    fn adjust(&self, w: L, g: L) -> (L, L) {
        let g = match self.regularizer {
            Some(regularizer) => regularizer.add_gradient(w, g),
            None => g,
        };
        (Optimizer::decay(self.weight_decay, self.learning_rate, w), self.clip.apply(g))
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
    pub(crate) x: Input<'a>,
    pub(crate) dy: Matrix,
    pub(crate) batch: usize,
    pub(crate) moving: Moving<'a>,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
    /// Where a hidden input is listed, if the kernel is large enough.
    pub(crate) scratch: Option<*mut f32>,
}

/// The gradient of some rows of one panel, row by row without gaps.
#[repr(align(64))]
pub(super) struct Gradient(pub(super) [f32; TILE_ROWS * PANEL]);

impl Gradient {
    /// All 0.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([0.0; TILE_ROWS * PANEL])
    }

    #[inline(always)]
    pub(super) fn start(&mut self) -> *mut f32 {
        self.0.as_mut_ptr()
    }
}

impl Kernel for KernelUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices of the model's sizes, this thread's rows and columns, and as much scratch
        // memory as `take_scratch` asked for.
        unsafe {
            let room = self.scratch.map(|start| self.room(start));
            match self.x {
                Input::Lists(x) => self.listed::<L>(x.by_input, room),
                Input::Whole(x) => self.tiles::<L>(x),
                Input::Hidden(x) => {
                    match room.and_then(|room| room.list::<L>(x, self.batch, self.rows.clone())) {
                        Some(x) => self.listed::<L>(x, room),
                        None => self.tiles::<L>(x),
                    }
                }
            }
        }
    }
}

impl KernelUpdate<'_> {
    /// Takes what a run needs.
    pub(crate) fn take_scratch(batch: usize, inputs: usize, scratch: &mut Scratch) {
        HiddenColumns::take(scratch, batch, inputs);
    }

    fn room(&self, scratch: *mut f32) -> HiddenColumns {
        HiddenColumns::take(&mut Scratch::new(scratch), self.batch, self.rows.end)
    }

    /// # Safety
    /// Rows and columns must be inside the kernel.
    #[inline(always)]
    unsafe fn listed<L: F32Lane>(&self, x: ByInput, room: Option<HiddenColumns>) {
        let mut gradient = Gradient::new();
        let to = gradient.start();
        for cols in self.moving.weights.spans(self.cols.clone()) {
            // SAFETY: as the caller promises; a panel's columns fit the gradient.
            unsafe {
                let dy = match room {
                    Some(room) if self.dy.stride > PANEL => room.copy(self.dy, self.batch, cols.clone()),
                    _ => Matrix::new(self.dy.at(0, cols.start), self.dy.stride),
                };
                for first in self.rows.clone().step_by(TILE_ROWS) {
                    let rows = first..self.rows.end.min(first + TILE_ROWS);
                    for (i, k) in rows.clone().enumerate() {
                        self.listed_row::<L>(x, k, dy, 0..cols.len(), to.add(i * cols.len()));
                    }
                    self.moving.rows::<L>(rows, cols.clone(), to);
                }
            }
        }
    }

    /// The gradient of row `k`: `Σ_b x[b, k]·dy[b, j]` over the samples whose `x[b, k]` is not zero.
    ///
    /// # Safety
    /// The row must be inside the kernel, the columns inside `dy`, `to` valid for them.
    #[inline(always)]
    unsafe fn listed_row<L: F32Lane>(
        &self,
        x: ByInput,
        k: usize,
        dy: Matrix,
        cols: Range<usize>,
        to: *mut f32,
    ) {
        for_lanes!(L, cols, [8, 4, 2, 1], |j, N| {
            // SAFETY: as the caller promises.
            unsafe {
                let acc = self.listed_lanes::<L, N>(x, k, dy, j);
                for n in 0..N {
                    (acc[n] + L::splat(0.0)).store(to.add(j + n * L::WIDTH));
                }
            }
        });
    }

    /// # Safety
    /// As for [`Self::listed_row`].
    #[inline(always)]
    unsafe fn listed_lanes<L: F32Lane, const N: usize>(
        &self,
        x: ByInput,
        k: usize,
        dy: Matrix,
        j: usize,
    ) -> [L; N] {
        let mut acc = [L::splat(0.0); N];
        // SAFETY: as the caller promises.
        unsafe {
            for first in (0..self.batch).step_by(GROUP) {
                let mut bits = x.mask(first, k);
                while bits != 0 {
                    let b = first + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    let (factor, dy) = (L::splat(*x.number(k, b)), dy.at(b, j));
                    for n in 0..N {
                        acc[n] = factor.mul_add(L::load(dy.add(n * L::WIDTH)), acc[n]);
                    }
                }
            }
        }
        acc
    }

    /// # Safety
    /// Rows and columns must be inside the kernel.
    #[inline(always)]
    unsafe fn tiles<L: F32Lane>(&self, x: Matrix) {
        let mut gradient = Gradient::new();
        let to = gradient.start();
        for cols in self.moving.weights.spans(self.cols.clone()) {
            for first in self.rows.clone().step_by(TILE_ROWS) {
                let rows = first..self.rows.end.min(first + TILE_ROWS);
                // SAFETY: as the caller promises; a panel's columns fit the gradient.
                unsafe {
                    self.some_rows::<L>(x, rows.clone(), cols.clone(), to);
                    self.moving.rows::<L>(rows, cols.clone(), to);
                }
            }
        }
    }

    /// The gradient of up to [`TILE_ROWS`] rows.
    ///
    /// # Safety
    /// Rows and columns must be inside the kernel, `to` valid for all of them.
    #[inline(always)]
    unsafe fn some_rows<L: F32Lane>(&self, x: Matrix, rows: Range<usize>, cols: Range<usize>, to: *mut f32) {
        let width = cols.len();
        for_tiles!(L, rows, cols, |k, M, j, N| {
            // SAFETY: as the caller promises.
            unsafe {
                let to = to.add((k - rows.start) * width + j - cols.start);
                self.tile::<L, M, N>(x, k, j, to, width);
            }
        });
    }

    /// # Safety
    /// As for [`Self::some_rows`].
    #[inline(always)]
    unsafe fn tile<L: F32Lane, const M: usize, const N: usize>(
        &self,
        x: Matrix,
        k: usize,
        j: usize,
        to: *mut f32,
        width: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let x = (x.at(0, k).cast_const(), 1, x.stride);
            let dy = (self.dy.at(0, j).cast_const(), self.dy.stride);
            let mut acc = [[L::splat(0.0); N]; M];
            add_product(&mut acc, x, dy, self.batch);
            end_chains(&mut acc);
            for m in 0..M {
                for n in 0..N {
                    acc[m][n].store(to.add(m * width + n * L::WIDTH));
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
        debug_assert!(self.cols.start.is_multiple_of(PAD) && self.cols.end.is_multiple_of(PAD));
        let mut gradient = Gradient::new();
        let to = gradient.start();
        for cols in self.moving.weights.spans(self.cols.clone()) {
            // SAFETY: the run loop gives matrices of the model's sizes, and this thread's columns.
            unsafe {
                for col in cols.clone().step_by(L::WIDTH) {
                    let mut sum = L::splat(0.0);
                    for b in 0..self.batch {
                        sum = sum + L::load(self.dy.at(b, col));
                    }
                    (sum + L::splat(0.0)).store(to.add(col - cols.start));
                }
                self.moving.rows::<L>(0..1, cols, to);
            }
        }
    }
}
