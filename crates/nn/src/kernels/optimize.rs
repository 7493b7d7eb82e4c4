//! What the optimizer does with whole gradients and variables, behind all gradients.
//!
//! Elementwise passes run over the same rows and columns as the gradient's. Constraints run over its
//! columns or groups of rows. A rule or penalty that looks at the whole variable gets it row by row: one thread copies it
//! out and back.

use super::Kernel;
use super::matrix::Panels;
use super::score;
use crate::constraints::{Constraint, Groups, NonNeg};
use crate::lane::{F32Lane, PAD};
use crate::optimizers::variable::{VARIABLE_SLOTS, Variable, VariableRule};
use crate::optimizers::{Clip, Optimizer, Rule, RuleVisitor, UpdateRule};
use crate::plan::layout::PanelPlace;
use crate::regularizers::Regularizer;
use std::ops::Range;

/// Rows and columns of a variable, whose numbers are treated one by one.
pub(crate) struct Numbers {
    pub(crate) weights: Panels,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
}

impl Numbers {
    /// Where every lane of them is, counted from the variable's start.
    #[inline(always)]
    fn lanes<L: F32Lane>(self) -> impl Iterator<Item = usize> {
        self.weights.ranges(self.rows, self.cols).flat_map(|range| range.step_by(L::WIDTH))
    }
}

/// `sum ← sum + g`, or where weights move `g ← (g + sum)/batches`, `sum ← 0`.
pub(crate) struct Accumulate {
    pub(crate) gradient: *mut f32,
    pub(crate) sum: *mut f32,
    pub(crate) part: Numbers,
    pub(crate) batches: f32,
    pub(crate) moves: bool,
}

impl Kernel for Accumulate {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for i in self.part.lanes::<L>() {
            // SAFETY: the run loop gives a part of both buffers.
            unsafe {
                let (g, sum) = (self.gradient.add(i), self.sum.add(i));
                let total = L::load(g) + L::load(sum);
                if self.moves {
                    (total / L::splat(self.batches)).store(g);
                    L::splat(0.0).store(sum);
                } else {
                    total.store(sum);
                }
            }
        }
    }
}

/// `average ← momentum·average + (1−momentum)·w`, then perhaps `w ← average`.
pub(crate) struct Average {
    pub(crate) weights: *mut f32,
    pub(crate) average: *mut f32,
    pub(crate) part: Numbers,
    pub(crate) momentum: f32,
    pub(crate) overwrites: bool,
}

impl Kernel for Average {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let (momentum, rest) = (L::splat(self.momentum), L::splat(1.0 - self.momentum));
        for i in self.part.lanes::<L>() {
            // SAFETY: as above.
            unsafe {
                let (w, average) = (self.weights.add(i), self.average.add(i));
                let moved = momentum * L::load(average) + rest * L::load(w);
                moved.store(average);
                if self.overwrites {
                    moved.store(w);
                }
            }
        }
    }
}

/// Brings a variable back to its constraint.
pub(crate) struct Constrain<'a> {
    pub(crate) weights: Panels,
    pub(crate) constraint: &'a Constraint,
    pub(crate) groups: Option<&'a Groups>,
    /// All columns, in whole lanes of 16.
    pub(crate) width: usize,
    pub(crate) rows: usize,
    /// This thread's part, where the columns are shared.
    pub(crate) cols: Range<usize>,
    /// This thread's share of the groups, where they are: every so many from the first.
    pub(crate) share: (usize, usize),
}

impl Kernel for Constrain<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives a variable of these rows and columns.
        unsafe {
            match self.groups {
                None => self.no_negatives::<L>(),
                Some(groups) if groups.along_rows => self.by_rows::<L>(groups),
                Some(groups) => self.by_columns::<L>(groups),
            }
        }
    }
}

impl Constrain<'_> {
    /// # Safety
    /// Rows and columns must be inside the variable.
    #[inline(always)]
    unsafe fn no_negatives<L: F32Lane>(&self) {
        for col in self.cols.clone().step_by(L::WIDTH) {
            for row in 0..self.rows {
                // SAFETY: as the caller promises.
                unsafe {
                    let w = self.weights.column(col).add(row * self.weights.width);
                    NonNeg::apply(L::load(w)).store(w);
                }
            }
        }
    }

    /// One norm per group and column: an ascending chain down the rows.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    unsafe fn by_columns<L: F32Lane>(&self, groups: &Groups) {
        for rows in groups.iter() {
            for col in self.cols.clone().step_by(L::WIDTH) {
                // SAFETY: as the caller promises.
                unsafe {
                    let at = |row: u32| self.weights.column(col).add(row as usize * self.weights.width);
                    let mut sum = L::splat(0.0);
                    for &row in rows {
                        let w = L::load(at(row));
                        sum = w.mul_add(w, sum);
                    }
                    let factor = self.constraint.factor(sum.sqrt());
                    for &row in rows {
                        (L::load(at(row)) * factor).store(at(row));
                    }
                }
            }
        }
    }

    /// One norm per group of rows: 16 interleaved chains along each, folded, and the rows' sums ascending.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    unsafe fn by_rows<L: F32Lane>(&self, groups: &Groups) {
        let (first, each) = self.share;
        for rows in groups.iter().skip(first).step_by(each) {
            // SAFETY: as the caller promises.
            unsafe {
                let at = |row: u32, col| self.weights.column(col).add(row as usize * self.weights.width);
                let mut total = 0.0;
                for &row in rows {
                    let mut chains = [0.0_f32; PAD];
                    for group in (0..self.width).step_by(PAD) {
                        for i in (0..PAD).step_by(L::WIDTH) {
                            let (w, chain) = (L::load(at(row, group + i)), chains.as_mut_ptr().add(i));
                            w.mul_add(w, L::load(chain)).store(chain);
                        }
                    }
                    total += score::sum(&chains);
                }
                let factor = L::splat(self.constraint.factor(total.sqrt()));
                for &row in rows {
                    for col in (0..self.width).step_by(L::WIDTH) {
                        (L::load(at(row, col)) * factor).store(at(row, col));
                    }
                }
            }
        }
    }
}

/// A variable and its gradient, which one thread takes out of their panels, row by row.
pub(crate) struct Whole<'a> {
    pub(crate) place: PanelPlace,
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [usize],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) weights: *mut f32,
    pub(crate) gradient: *mut f32,
    pub(crate) scratch: &'a mut [f32],
}

impl Whole<'_> {
    /// How much room it takes for a variable, without what a rule or penalty wants.
    pub(crate) fn scratch(rows: usize, cols: usize) -> usize {
        2 * rows * cols
    }

    /// The variable and its gradient row by row, and the rest of the room.
    ///
    /// # Safety
    /// The buffers must have the variable.
    #[inline(always)]
    unsafe fn take(&mut self) -> (&mut [f32], &mut [f32], &mut [f32]) {
        let (place, cols) = (self.place, self.cols);
        let (w, rest) = self.scratch.split_at_mut(self.rows * cols);
        let (g, rest) = rest.split_at_mut(w.len());
        // SAFETY: as the caller promises.
        unsafe {
            Self::get(place, cols, self.weights, w);
            Self::get(place, cols, self.gradient, g);
        }
        (w, g, rest)
    }

    /// Copies numbers out of their panels.
    ///
    /// # Safety
    /// The buffer must have the variable.
    #[inline(always)]
    unsafe fn get(place: PanelPlace, cols: usize, from: *const f32, numbers: &mut [f32]) {
        for (i, number) in numbers.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { *number = *from.add(place.at(i / cols, i % cols)) }
        }
    }

    /// Puts numbers that stand row by row back into their panels.
    ///
    /// # Safety
    /// The buffer must have the variable.
    #[inline(always)]
    unsafe fn put(place: PanelPlace, cols: usize, numbers: &[f32], to: *mut f32) {
        for (i, &number) in numbers.iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { *to.add(place.at(i / cols, i % cols)) = number }
        }
    }
}

/// The penalty of a regularizer that looks at the whole variable.
pub(crate) struct WholePenalty<'a> {
    pub(crate) whole: Whole<'a>,
    pub(crate) regularizer: Regularizer,
}

impl Kernel for WholePenalty<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<L: F32Lane>(self) -> f32 {
        let Whole { place, rows, cols, weights, scratch, .. } = self.whole;
        let (w, room) = scratch.split_at_mut(rows * cols);
        // SAFETY: the run loop gives the weights of the variable. There may be no gradient.
        unsafe { Whole::get(place, cols, weights, w) }
        match self.regularizer {
            Regularizer::Orthogonal(regularizer) => regularizer.penalty(w, cols, room),
            Regularizer::L1L2(_) => 0.0,
        }
    }
}

/// Its gradient, added to the variable's.
pub(crate) struct WholeRegularize<'a> {
    pub(crate) whole: Whole<'a>,
    pub(crate) regularizer: Regularizer,
}

impl Kernel for WholeRegularize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(mut self) {
        let (place, cols, to) = (self.whole.place, self.whole.cols, self.whole.gradient);
        // SAFETY: as above.
        let (w, g, room) = unsafe { self.whole.take() };
        if let Regularizer::Orthogonal(regularizer) = self.regularizer {
            regularizer.add_gradient(w, g, cols, room);
        }
        // SAFETY: as above.
        unsafe { Whole::put(place, cols, g, to) }
    }
}

/// Moves a variable by a rule that looks at the whole of it.
pub(crate) struct MoveVariable<'a> {
    pub(crate) whole: Whole<'a>,
    pub(crate) rule: &'a Rule,
    /// Where the slots have the variable: as many numbers each as the variable takes, row by row.
    pub(crate) slots: [&'a mut [f32]; VARIABLE_SLOTS],
    pub(crate) clip: Clip<f32>,
    pub(crate) weight_decay: f64,
    pub(crate) learning_rate: f32,
    pub(crate) update: u64,
}

impl Kernel for MoveVariable<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        self.rule.visit(self);
    }
}

impl RuleVisitor for MoveVariable<'_> {
    type Output = ();

    /// Rules for single weights never come here: see [`super::update`].
    fn visit<R: UpdateRule>(self, _: R) {}

    #[inline(always)]
    fn visit_variable<R: VariableRule>(mut self, rule: &R) {
        let Whole { place, name, shape, cols, weights, .. } = self.whole;
        // SAFETY: as above.
        let (w, g, scratch) = unsafe { self.whole.take() };
        w.iter_mut().for_each(|w| *w = Optimizer::decay(self.weight_decay, self.learning_rate, *w));
        g.iter_mut().for_each(|g| *g = self.clip.apply(*g));
        let count = w.len();
        let slots = self.slots.map(|slot| &mut slot[..count]);
        let variable = Variable { name, shape, cols, w, g, slots, scratch };
        rule.update(self.learning_rate, self.update, variable);
        let w = &self.whole.scratch[..count];
        // SAFETY: as above.
        unsafe { Whole::put(place, cols, w, weights) }
    }
}
