//! Rules that need a whole variable at once: its norm, the means of its rows, its singular values.
//!
//! Such a rule runs apart from the gradient, one thread per variable, on numbers that stand row by row. The oracle runs
//! the same code; the order of its sums is that of `crate::lane::linear`.

use crate::lane::Lane;

/// How many numbers per weight there is room to keep.
pub const VARIABLE_SLOTS: usize = 2;

/// A variable as a rule sees it: everything row by row, `cols` numbers each, without gaps.
#[derive(Debug)]
pub struct Variable<'a, R> {
    /// Keras's name: `dense/kernel`.
    pub name: &'a str,
    /// Its shape, as Keras has it.
    pub shape: &'a [usize],
    /// The last axis.
    pub cols: usize,
    /// The weights.
    pub w: &'a mut [R],
    /// Their gradient; whatever the rule leaves here is lost.
    pub g: &'a mut [R],
    /// What the rule keeps from step to step, each as long as the variable; 0 at first.
    pub slots: [&'a mut [R]; VARIABLE_SLOTS],
    /// As much room as [`VariableRule::scratch`] asked for.
    pub scratch: &'a mut [R],
}

/// The formula of an optimizer that looks at a whole variable.
pub trait VariableRule {
    /// How many numbers of room a step needs for a variable of so many rows and columns.
    fn scratch(&self, _rows: usize, _cols: usize) -> usize {
        0
    }
    /// Moves the variable in step `t` (1 for the first) at the learning rate `lr`.
    fn update<R: Lane>(&self, lr: R, t: u64, variable: Variable<'_, R>);
}
