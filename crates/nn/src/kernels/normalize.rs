//! Normalising steps: runs within a sample, channels over the batch, or with fixed statistics.

use super::Kernel;
use super::channel::{ByChannel, Positions, by_channel};
use super::matrix::Matrix;
use super::score::sum;
use crate::lane::{F32Lane, Lane, PAD};
use crate::ops::{FixedForm, RunForm};
use std::ops::Range;

/// The largest factor of a length, as Keras has it.
const LIMIT: f32 = 1e12;

/// `1/√(v + ε)`
#[inline(always)]
fn factor<L: F32Lane>(variance: L, epsilon: f64) -> L {
    L::splat(1.0) / (variance + L::lit(epsilon)).sqrt()
}

/// `max(√v, 10⁻⁷)`
#[inline(always)]
fn deviation<L: F32Lane>(variance: L) -> L {
    L::lit(1e-7).max(variance.sqrt())
}

/// What a sum along a run adds up.
#[derive(Clone, Copy)]
enum Term {
    /// `Σ a`
    Number,
    /// `Σ (a − m)²`
    Square(f32),
    /// `Σ a·b`
    Product,
}

impl Term {
    #[inline(always)]
    fn add<L: F32Lane>(self, a: L, b: L, sum: L) -> L {
        match self {
            Self::Number => sum + a,
            Self::Square(m) => {
                let d = a - L::splat(m);
                d.mul_add(d, sum)
            }
            Self::Product => a.mul_add(b, sum),
        }
    }
}

/// A sum along a run of `size` numbers: number i in chain i mod 16, folded 8, 4, 2, 1.
///
/// # Safety
/// Both runs must be valid.
#[inline(always)]
unsafe fn along<L: F32Lane>(term: Term, a: *const f32, b: *const f32, size: usize) -> f32 {
    let mut chains = [0.0_f32; PAD];
    let whole = size - size % PAD;
    // SAFETY: as the caller promises.
    unsafe {
        for first in (0..PAD).step_by(L::WIDTH) {
            let mut lanes = L::splat(0.0);
            for at in (first..whole).step_by(PAD) {
                lanes = term.add(L::load(a.add(at)), L::load(b.add(at)), lanes);
            }
            lanes.store(chains.as_mut_ptr().add(first));
        }
        for at in whole..size {
            chains[at - whole] = term.add(*a.add(at), *b.add(at), chains[at - whole]);
        }
    }
    sum(&chains)
}

/// Elementwise work along a run.
trait AlongRun {
    /// Does the numbers `at` to `at + L::WIDTH`.
    ///
    /// # Safety
    /// They must be inside the run.
    unsafe fn lanes<L: F32Lane>(&self, at: usize);
}

/// Does a run, in whole lanes as long as they fit.
///
/// # Safety
/// The work must be on runs of `size` numbers.
#[inline(always)]
unsafe fn along_run<L: F32Lane>(work: &impl AlongRun, size: usize) {
    let mut at = 0;
    // SAFETY: as the caller promises.
    unsafe {
        while size - at >= L::WIDTH {
            work.lanes::<L>(at);
            at += L::WIDTH;
        }
        while at < size {
            work.lanes::<f32>(at);
            at += 1;
        }
    }
}

/// `y = (x − m)·r` of every run.
pub(crate) struct Runs {
    pub(crate) form: RunForm,
    pub(crate) size: usize,
    pub(crate) x: Matrix,
    pub(crate) y: Matrix,
    pub(crate) scale: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Runs {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let n = self.size as f32;
        for row in self.rows.clone() {
            for (run, first) in (0..self.width).step_by(self.size).enumerate() {
                // SAFETY: the run loop gives matrices with these rows, whole runs wide.
                unsafe {
                    let x = self.x.at(row, first).cast_const();
                    let total = |term| along::<L>(term, x, x, self.size);
                    let (m, r) = match self.form {
                        RunForm::Variance { epsilon } => {
                            let m = total(Term::Number) / n;
                            (m, factor(total(Term::Square(m)) / n, epsilon))
                        }
                        RunForm::MeanSquare { epsilon } => (0.0, factor(total(Term::Product) / n, epsilon)),
                        RunForm::Length => (0.0, Lane::min(1.0 / total(Term::Product).sqrt(), LIMIT)),
                    };
                    *self.scale.at(row, run) = r;
                    along_run::<L>(&Scaled { x, m, r, y: self.y.at(row, first) }, self.size);
                }
            }
        }
    }
}

struct Scaled {
    x: *const f32,
    m: f32,
    r: f32,
    y: *mut f32,
}

impl AlongRun for Scaled {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe { ((L::load(self.x.add(at)) - L::splat(self.m)) * L::splat(self.r)).store(self.y.add(at)) }
    }
}

/// The gradient of [`Runs`].
pub(crate) struct RunsGradient {
    pub(crate) form: RunForm,
    pub(crate) size: usize,
    pub(crate) y: Matrix,
    pub(crate) scale: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for RunsGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let n = self.size as f32;
        for row in self.rows.clone() {
            for (run, first) in (0..self.width).step_by(self.size).enumerate() {
                // SAFETY: as for `Runs`.
                unsafe {
                    let (y, dy) = (self.y.at(row, first).cast_const(), self.dy.at(row, first).cast_const());
                    let r = *self.scale.at(row, run);
                    let product = along::<L>(Term::Product, dy, y, self.size);
                    let (s, t) = match self.form {
                        RunForm::Variance { .. } => {
                            (along::<L>(Term::Number, dy, dy, self.size) / n, product / n)
                        }
                        RunForm::MeanSquare { .. } => (0.0, product / n),
                        RunForm::Length if r < LIMIT => (0.0, product),
                        RunForm::Length => (0.0, 0.0),
                    };
                    let slope = Slope { y, dy, r, s, t, dx: self.dx.at(row, first) };
                    along_run::<L>(&slope, self.size);
                }
            }
        }
    }
}

/// `dx = r·(dy − s − y·t)`
struct Slope {
    y: *const f32,
    dy: *const f32,
    r: f32,
    s: f32,
    t: f32,
    dx: *mut f32,
}

impl AlongRun for Slope {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let (y, dy) = (L::load(self.y.add(at)), L::load(self.dy.add(at)));
            let rest = (-y).mul_add(L::splat(self.t), dy - L::splat(self.s));
            (L::splat(self.r) * rest).store(self.dx.add(at));
        }
    }
}

/// `y = exp(x − max)/Σ exp(x − max)` of every run.
pub(crate) struct SoftmaxRuns {
    pub(crate) size: usize,
    pub(crate) x: Matrix,
    pub(crate) y: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for SoftmaxRuns {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows.clone() {
            for first in (0..self.width).step_by(self.size) {
                // SAFETY: the run loop gives matrices with these rows, whole runs wide.
                unsafe {
                    let (x, y) = (self.x.at(row, first).cast_const(), self.y.at(row, first));
                    let run = std::slice::from_raw_parts(x, self.size);
                    let max = run.iter().fold(run[0], |max, &x| if x > max { x } else { max });
                    along_run::<L>(&Exponential { x, max, y }, self.size);
                    let total = along::<L>(Term::Number, y, y, self.size);
                    along_run::<L>(&Share { total, y }, self.size);
                }
            }
        }
    }
}

struct Exponential {
    x: *const f32,
    max: f32,
    y: *mut f32,
}

impl AlongRun for Exponential {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe { (L::load(self.x.add(at)) - L::splat(self.max)).exp().store(self.y.add(at)) }
    }
}

struct Share {
    total: f32,
    y: *mut f32,
}

impl AlongRun for Share {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe { (L::load(self.y.add(at)) / L::splat(self.total)).store(self.y.add(at)) }
    }
}

/// `dx = y·(dy − Σ(dy·y))` of every run.
pub(crate) struct SoftmaxRunsGradient {
    pub(crate) size: usize,
    pub(crate) y: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for SoftmaxRunsGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows.clone() {
            for first in (0..self.width).step_by(self.size) {
                // SAFETY: as for `SoftmaxRuns`.
                unsafe {
                    let (y, dy) = (self.y.at(row, first).cast_const(), self.dy.at(row, first).cast_const());
                    let product = along::<L>(Term::Product, y, dy, self.size);
                    along_run::<L>(&Rest { y, dy, product, dx: self.dx.at(row, first) }, self.size);
                }
            }
        }
    }
}

/// `dx = y·(dy − product)`
struct Rest {
    y: *const f32,
    dy: *const f32,
    product: f32,
    dx: *mut f32,
}

impl AlongRun for Rest {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, at: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let rest = L::load(self.dy.add(at)) - L::splat(self.product);
            (L::load(self.y.add(at)) * rest).store(self.dx.add(at));
        }
    }
}

/// Mean and variance of channels over the batch, and the moving statistics. A thread has its own channels of
/// all samples, so that each sum is one chain.
pub(crate) struct BatchMoments {
    pub(crate) x: Matrix,
    pub(crate) mean: Matrix,
    pub(crate) variance: Matrix,
    pub(crate) moving: [*mut f32; 2],
    pub(crate) momentum: f64,
    pub(crate) positions: Positions,
    pub(crate) batch: usize,
    pub(crate) channels: Range<usize>,
}

impl Kernel for BatchMoments {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices and variables of these sizes, and this thread's channels.
        unsafe { by_channel::<L>(&self, self.channels.clone()) }
    }
}

impl ByChannel for BatchMoments {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let n = numbers::<L>(self.positions, self.batch);
            let x = self.x;
            let mean =
                chains::<L>(self.positions, self.batch, c, |row, at, sum| L::load(x.at(row, at)) + sum) / n;
            let variance = chains::<L>(self.positions, self.batch, c, |row, at, sum| {
                let d = L::load(x.at(row, at)) - mean;
                d.mul_add(d, sum)
            }) / n;
            mean.store(self.mean.at(0, c));
            variance.store(self.variance.at(0, c));
            for (moving, statistic) in self.moving.into_iter().zip([mean, variance]) {
                let share = statistic * L::lit(1.0 - self.momentum);
                L::load(moving.add(c)).mul_add(L::lit(self.momentum), share).store(moving.add(c));
            }
        }
    }
}

/// How many numbers a channel has in the batch.
#[inline(always)]
fn numbers<L: F32Lane>(positions: Positions, batch: usize) -> L {
    L::splat((batch * (positions.width / positions.channels)) as f32)
}

/// One chain for each of some channels: samples ascending, positions ascending within a sample.
#[inline(always)]
fn chains<L: F32Lane>(
    positions: Positions,
    batch: usize,
    c: usize,
    link: impl Fn(usize, usize, L) -> L,
) -> L {
    let mut sum = L::splat(0.0);
    for row in 0..batch {
        for at in positions.of(c) {
            sum = link(row, at, sum);
        }
    }
    sum + L::splat(0.0)
}

/// `y = (x − mean)·1/√(variance + ε)`
pub(crate) struct Batch {
    pub(crate) epsilon: f64,
    pub(crate) x: Matrix,
    pub(crate) mean: Matrix,
    pub(crate) variance: Matrix,
    pub(crate) y: Matrix,
    pub(crate) positions: Positions,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Batch {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices of these sizes.
        unsafe { by_channel::<L>(&self, 0..self.positions.channels) }
    }
}

impl ByChannel for Batch {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let mean = L::load(self.mean.at(0, c));
            let r = factor(L::load(self.variance.at(0, c)), self.epsilon);
            for row in self.rows.clone() {
                for at in self.positions.of(c) {
                    ((L::load(self.x.at(row, at)) - mean) * r).store(self.y.at(row, at));
                }
            }
        }
    }
}

/// `Σdy/n` and `Σ(dy·y)/n` of channels over the batch, shared like [`BatchMoments`].
pub(crate) struct BatchGradientMeans {
    pub(crate) y: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) mean_dy: Matrix,
    pub(crate) mean_dy_y: Matrix,
    pub(crate) positions: Positions,
    pub(crate) batch: usize,
    pub(crate) channels: Range<usize>,
}

impl Kernel for BatchGradientMeans {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices of these sizes, and this thread's channels.
        unsafe { by_channel::<L>(&self, self.channels.clone()) }
    }
}

impl ByChannel for BatchGradientMeans {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let n = numbers::<L>(self.positions, self.batch);
            let (y, dy) = (self.y, self.dy);
            let sum =
                chains::<L>(self.positions, self.batch, c, |row, at, sum| L::load(dy.at(row, at)) + sum);
            let product = chains::<L>(self.positions, self.batch, c, |row, at, sum| {
                L::load(dy.at(row, at)).mul_add(L::load(y.at(row, at)), sum)
            });
            (sum / n).store(self.mean_dy.at(0, c));
            (product / n).store(self.mean_dy_y.at(0, c));
        }
    }
}

/// `dx = 1/√(variance + ε)·(dy − mean_dy − y·mean_dy_y)`
pub(crate) struct BatchGradient {
    pub(crate) epsilon: f64,
    pub(crate) y: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) variance: Matrix,
    pub(crate) mean_dy: Matrix,
    pub(crate) mean_dy_y: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) positions: Positions,
    pub(crate) rows: Range<usize>,
}

impl Kernel for BatchGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices of these sizes.
        unsafe { by_channel::<L>(&self, 0..self.positions.channels) }
    }
}

impl ByChannel for BatchGradient {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let r = factor(L::load(self.variance.at(0, c)), self.epsilon);
            let (s, t) = (L::load(self.mean_dy.at(0, c)), L::load(self.mean_dy_y.at(0, c)));
            for row in self.rows.clone() {
                for at in self.positions.of(c) {
                    let (y, dy) = (L::load(self.y.at(row, at)), L::load(self.dy.at(row, at)));
                    (r * (-y).mul_add(t, dy - s)).store(self.dx.at(row, at));
                }
            }
        }
    }
}

/// `out = form(x)`, or its gradient.
pub(crate) struct Fixed {
    pub(crate) form: FixedForm,
    pub(crate) mean: *const f32,
    pub(crate) variance: *const f32,
    /// Whether `x` is a gradient.
    pub(crate) backward: bool,
    pub(crate) x: Matrix,
    pub(crate) out: Matrix,
    pub(crate) positions: Positions,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Fixed {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        // SAFETY: the run loop gives matrices and statistics of these sizes.
        unsafe { by_channel::<L>(&self, 0..self.positions.channels) }
    }
}

impl ByChannel for Fixed {
    #[inline(always)]
    unsafe fn lanes<L: F32Lane>(&self, c: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let (mean, variance) = (L::load(self.mean.add(c)), L::load(self.variance.add(c)));
            let r = match self.form {
                FixedForm::Epsilon { epsilon } => factor(variance, epsilon),
                FixedForm::Divide | FixedForm::Multiply => deviation(variance),
            };
            for row in self.rows.clone() {
                for at in self.positions.of(c) {
                    let x = L::load(self.x.at(row, at));
                    let out = match (self.form, self.backward) {
                        (FixedForm::Epsilon { .. }, false) => (x - mean) * r,
                        (FixedForm::Divide, false) => (x - mean) / r,
                        (FixedForm::Multiply, false) => x.mul_add(r, mean),
                        (FixedForm::Epsilon { .. } | FixedForm::Multiply, true) => x * r,
                        (FixedForm::Divide, true) => x / r,
                    };
                    out.store(self.out.at(row, at));
                }
            }
        }
    }
}
