//! Steps that treat every number alike: activations alone, products, shifts, and their gradients.

use super::Kernel;
use super::matrix::Matrix;
use crate::activations::{Activation, Elementwise, ElementwiseVisitor};
use crate::lane::F32Lane;
use std::marker::PhantomData;
use std::ops::Range;

/// `to = f(from)`.
///
/// # Safety
/// Both matrices must have the rows and columns; the columns are whole lanes.
#[inline(always)]
pub(super) unsafe fn map_rows<L: F32Lane>(
    from: Matrix,
    to: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
    f: impl Fn(L) -> L,
) {
    for row in rows {
        let mut col = cols.start;
        while col < cols.end {
            // SAFETY: as the caller promises.
            unsafe { f(L::load(from.at(row, col))).store(to.at(row, col)) }
            col += L::WIDTH;
        }
    }
}

/// `to = f(a, b)`.
///
/// # Safety
/// All matrices must have the rows and columns; the columns are whole lanes.
#[inline(always)]
pub(super) unsafe fn zip_rows<L: F32Lane>(
    (a, b): (Matrix, Matrix),
    to: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
    f: impl Fn(L, L) -> L,
) {
    for row in rows {
        let mut col = cols.start;
        while col < cols.end {
            // SAFETY: as the caller promises.
            unsafe { f(L::load(a.at(row, col)), L::load(b.at(row, col))).store(to.at(row, col)) }
            col += L::WIDTH;
        }
    }
}

/// `to = x·factor`.
///
/// # Safety
/// As [`zip_rows`].
#[inline(always)]
pub(super) unsafe fn multiply_rows<L: F32Lane>(
    x: Matrix,
    factor: Matrix,
    to: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    // SAFETY: as the caller promises.
    unsafe {
        zip_rows::<L>(
            (x, factor),
            to,
            rows,
            cols,
            #[inline(always)]
            |x, factor| x * factor,
        )
    }
}

/// What an elementwise step computes.
#[derive(Clone, Copy)]
pub(crate) enum Formula {
    /// `out = f(a)`
    Activate(Activation),
    /// `out = f′·b`, where `a` is f's input or output
    ActivateGradient(Activation, Matrix),
    /// `out = scale·a + offset`
    Affine(f64, f64),
    /// `out = a·b`
    Multiply(Matrix),
    /// `out = a + b`
    Add(Matrix),
}

/// An elementwise step, or the elementwise end of another.
pub(crate) struct Map {
    pub(crate) formula: Formula,
    pub(crate) a: Matrix,
    pub(crate) out: Matrix,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
}

impl Kernel for Map {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let Self { formula, a, out, rows, cols } = self;
        match formula {
            Formula::Activate(f) => {
                f.visit(Activate::<L> { a, out, rows, cols, lane: PhantomData });
            }
            Formula::ActivateGradient(f, dy) => {
                f.visit(ActivateGradient::<L> { v: a, dy, out, rows, cols, lane: PhantomData });
            }
            Formula::Affine(scale, offset) => {
                let (scale, offset) = (L::lit(scale), L::lit(offset));
                // SAFETY: the run loop gives matrices of the same size.
                unsafe {
                    map_rows::<L>(
                        a,
                        out,
                        rows,
                        cols,
                        #[inline(always)]
                        |x| x.mul_add(scale, offset),
                    )
                }
            }
            // SAFETY: as above.
            Formula::Multiply(factor) => unsafe { multiply_rows::<L>(a, factor, out, rows, cols) },
            // SAFETY: as above.
            Formula::Add(b) => unsafe {
                zip_rows::<L>(
                    (a, b),
                    out,
                    rows,
                    cols,
                    #[inline(always)]
                    |a, b| a + b,
                )
            },
        }
    }
}

struct Activate<L> {
    a: Matrix,
    out: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
    lane: PhantomData<L>,
}

impl<L: F32Lane> ElementwiseVisitor for Activate<L> {
    type Output = ();

    #[inline(always)]
    fn visit<E: Elementwise>(self, f: E) {
        // SAFETY: the matrices have these rows and columns.
        unsafe {
            map_rows::<L>(
                self.a,
                self.out,
                self.rows,
                self.cols,
                #[inline(always)]
                |x| f.value(x),
            )
        }
    }
}

struct ActivateGradient<L> {
    v: Matrix,
    dy: Matrix,
    out: Matrix,
    rows: Range<usize>,
    cols: Range<usize>,
    lane: PhantomData<L>,
}

impl<L: F32Lane> ElementwiseVisitor for ActivateGradient<L> {
    type Output = ();

    #[inline(always)]
    fn visit<E: Elementwise>(self, f: E) {
        // SAFETY: the matrices have these rows and columns.
        unsafe {
            zip_rows::<L>(
                (self.v, self.dy),
                self.out,
                self.rows,
                self.cols,
                #[inline(always)]
                |v, dy| f.gradient(v, dy),
            )
        }
    }
}
