//! Softmax, losses and accuracy, one sample's row at a time.
//!
//! A sum along a row has 16 interleaved chains (number i goes to chain i mod 16), folded 8, 4, 2, 1:
//! the same for every lane width.

use super::Kernel;
use super::matrix::Matrix;
use crate::lane::{F32Lane, Lane, PAD};
use crate::losses::probability::smooth;
use crate::losses::reduction::Weighing;
use crate::losses::{Loss, Target, Whole, overlap};
use std::ops::Range;

/// The targets of a batch.
#[derive(Clone, Copy)]
pub(crate) enum TargetsView {
    /// One class number per sample.
    Classes(*const u32),
    /// One number per output and sample.
    Rows(Matrix),
}

// SAFETY: targets are written by one step and read by later ones, with a barrier between.
unsafe impl Send for TargetsView {}
// SAFETY: as above.
unsafe impl Sync for TargetsView {}

impl TargetsView {
    /// # Safety
    /// The sample must be inside the batch, with targets of this width.
    #[inline(always)]
    pub(crate) unsafe fn of<'a>(self, sample: usize, width: usize) -> Target<'a, f32> {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Classes(labels) => Target::Class(*labels.add(sample) as usize),
                Self::Rows(rows) => Target::Row(rows.row(sample, width)),
            }
        }
    }
}

/// 16 chains folded to one number.
fn fold(mut chains: [f32; PAD], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = PAD / 2;
    while half > 0 {
        for i in 0..half {
            chains[i] = f(chains[i], chains[i + half]);
        }
        half /= 2;
    }
    chains[0]
}

/// The sum of a row.
#[inline(always)]
pub(super) fn sum(row: &[f32]) -> f32 {
    let mut chains = [0.0; PAD];
    for group in row.chunks(PAD) {
        for (chain, x) in chains.iter_mut().zip(group) {
            *chain += x;
        }
    }
    fold(chains, |a, b| a + b)
}

/// The largest number of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut chains = [f32::NEG_INFINITY; PAD];
    for group in row.chunks(PAD) {
        for (chain, &x) in chains.iter_mut().zip(group) {
            *chain = Lane::max(x, *chain);
        }
    }
    fold(chains, Lane::max)
}

/// `to = softmax(z)`; returns `max z` and `Σ exp(z − max z)`.
///
/// # Safety
/// Both rows must have `width` numbers, padded to whole lanes.
#[inline(always)]
unsafe fn softmax_row<L: F32Lane>(z: *const f32, to: *mut f32, width: usize) -> (f32, f32) {
    // SAFETY: as the caller promises.
    unsafe {
        let max = largest(std::slice::from_raw_parts(z, width));
        let mut col = 0;
        while col < width {
            (L::load(z.add(col)) - L::splat(max)).exp().store(to.add(col));
            col += L::WIDTH;
        }
        let total = sum(std::slice::from_raw_parts(to, width));
        let mut col = 0;
        while col < width {
            (L::load(to.add(col)) / L::splat(total)).store(to.add(col));
            col += L::WIDTH;
        }
        std::slice::from_raw_parts_mut(to, width.next_multiple_of(PAD))[width..].fill(0.0);
        (max, total)
    }
}

/// `out = softmax(x)`.
pub(crate) struct Softmax {
    pub(crate) x: Matrix,
    pub(crate) out: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Softmax {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                softmax_row::<L>(self.x.at(row, 0), self.out.at(row, 0), self.width);
            }
        }
    }
}

/// `dx = y·(dy − Σ dy·y)`.
pub(crate) struct SoftmaxGradient {
    pub(crate) y: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for SoftmaxGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let (y, dy) = (self.y.row(row, self.width), self.dy.row(row, self.width));
                let dx = self.dx.row_mut(row, self.width);
                for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                    *dx = dy * y;
                }
                let inner = sum(dx);
                for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                    *dx = y * (dy - inner);
                }
            }
        }
    }
}

/// How much each sample of a batch weighs.
#[derive(Clone, Copy)]
pub(crate) struct SampleWeights<'a> {
    pub(crate) weighing: Weighing<f32>,
    /// Positions of the batch's samples in the examples.
    pub(crate) order: &'a [u32],
    /// The weight of every example; all 1 where there are none.
    pub(crate) of_examples: Option<&'a [f32]>,
}

impl SampleWeights<'_> {
    #[inline(always)]
    fn of(&self, row: usize) -> Option<f32> {
        self.of_examples.map(|weights| weights[self.order[row] as usize])
    }

    #[inline(always)]
    fn loss(&self, row: usize, loss: f32) -> f32 {
        self.weighing.loss(loss, self.of(row))
    }

    #[inline(always)]
    fn share(&self, row: usize) -> f32 {
        self.weighing.share(self.of(row))
    }
}

/// Loss of every sample from logits, and the gradient of their mean.
pub(crate) struct SoftmaxCrossentropy<'a> {
    pub(crate) loss: Loss,
    pub(crate) logits: Matrix,
    pub(crate) probabilities: Matrix,
    pub(crate) dlogits: Option<Matrix>,
    pub(crate) targets: TargetsView,
    pub(crate) weights: SampleWeights<'a>,
    pub(crate) losses: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for SoftmaxCrossentropy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let (smoothing, ignored) = (self.loss.label_smoothing(), self.loss.ignore_class());
        for row in self.rows.clone() {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let p = self.probabilities.at(row, 0);
                let (max, total) = softmax_row::<L>(self.logits.at(row, 0), p, self.width);
                let target = self.targets.of(row, self.width);
                let log_total = Lane::ln(total);
                let loss = match target {
                    Target::Class(class) if Some(class) == ignored => {
                        *self.losses.at(0, row) = 0.0;
                        if let Some(dlogits) = self.dlogits {
                            dlogits.row_mut(row, self.width).fill(0.0);
                        }
                        continue;
                    }
                    // What the chain below gives for a one-hot row.
                    Target::Class(class) if smoothing == 0.0 => {
                        (log_total - (*self.logits.at(row, class) - max)) + 0.0
                    }
                    target => self.chain(target, self.logits.row(row, self.width), max, log_total),
                };
                *self.losses.at(0, row) = self.weights.loss(row, loss);
                if let Some(dlogits) = self.dlogits {
                    let share = self.weights.share(row);
                    let to = dlogits.row_mut(row, self.width);
                    for (i, slot) in to.iter_mut().enumerate() {
                        *slot = (*p.add(i) - smooth(target.at(i), smoothing, self.width)) * share;
                    }
                }
            }
        }
    }
}

impl SoftmaxCrossentropy<'_> {
    /// `Σ t·(ln Σeᶻ⁻ᵐ − (z − m))`, ascending.
    #[inline(always)]
    fn chain(&self, target: Target<'_, f32>, logits: &[f32], max: f32, log_total: f32) -> f32 {
        let smoothing = self.loss.label_smoothing();
        let term =
            |(i, z): (usize, &f32)| (smooth(target.at(i), smoothing, self.width), log_total - (z - max));
        logits.iter().enumerate().map(term).fold(0.0, |sum, (t, x)| Lane::mul_add(t, x, sum)) + 0.0
    }
}

/// `sums[b] = (Σtp, Σt, Σp)`.
pub(crate) struct LossSums {
    pub(crate) prediction: Matrix,
    pub(crate) targets: TargetsView,
    pub(crate) sums: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for LossSums {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let target = self.targets.of(row, self.width);
                let sums = overlap::sums(target, self.prediction.row(row, self.width));
                self.sums.row_mut(row, 3).copy_from_slice(&sums);
            }
        }
    }
}

/// Loss of every sample, and the gradient of their mean.
pub(crate) struct RowLoss<'a> {
    pub(crate) loss: Loss,
    pub(crate) prediction: Matrix,
    /// What [`LossSums`] wrote, of all samples.
    pub(crate) sums: Option<Matrix>,
    pub(crate) dprediction: Option<Matrix>,
    pub(crate) targets: TargetsView,
    /// Whether every target of the batch is 0 or 1, where the loss asks.
    pub(crate) binary: bool,
    pub(crate) weights: SampleWeights<'a>,
    pub(crate) losses: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for RowLoss<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        let whole = self.whole();
        for row in self.rows.clone() {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let target = self.targets.of(row, self.width);
                let mut gradient = self.dprediction.map(|matrix| matrix.row_mut(row, self.width));
                let prediction = self.prediction.row(row, self.width);
                let loss = self.loss.row(&whole, target, prediction, gradient.as_deref_mut());
                *self.losses.at(0, row) = self.weights.loss(row, loss);
                let share =
                    if self.sums.is_some() { self.weights.weighing.whole() } else { self.weights.share(row) };
                for slot in gradient.into_iter().flatten() {
                    *slot *= share;
                }
            }
        }
    }
}

impl RowLoss<'_> {
    /// Adds up the sums of all samples, in ascending order: every thread for itself.
    #[inline(always)]
    fn whole(&self) -> Whole<f32> {
        let mut total = [0.0; 3];
        for row in 0..if self.sums.is_some() { self.weights.order.len() } else { 0 } {
            // SAFETY: the run loop gives matrices with these rows, and a barrier stands before this step.
            let sums = self.sums.map_or(&[0.0; 3][..], |sums| unsafe { sums.row(row, 3) });
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        Whole { binary: self.binary, sums: total }
    }
}

/// 1 where the largest output is the right one (with one output: where the target is 1 for one above ½,
/// and 0 for the others), else 0.
pub(crate) struct Accuracy {
    pub(crate) prediction: Matrix,
    pub(crate) targets: TargetsView,
    pub(crate) correct: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Accuracy {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let prediction = self.prediction.row(row, self.width);
                let right = is_right(prediction, self.targets.of(row, self.width));
                *self.correct.at(0, row) = if right { 1.0 } else { 0.0 };
            }
        }
    }
}

/// Whether a prediction counts as right; source: Keras `keras/src/metrics/accuracy_metrics.py`.
#[inline(always)]
pub(crate) fn is_right<R: Lane + PartialOrd>(prediction: &[R], target: Target<'_, R>) -> bool {
    match target {
        Target::Row([t]) => {
            prediction.first().is_some_and(|p| *t == R::lit(if *p > R::lit(0.5) { 1.0 } else { 0.0 }))
        }
        Target::Row(row) => arg_max(prediction) == arg_max(row),
        Target::Class(class) => arg_max(prediction) == class,
    }
}

/// The place of the first of the largest numbers.
#[inline(always)]
pub(crate) fn arg_max<R: PartialOrd>(row: &[R]) -> usize {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = i;
        }
    }
    best
}
