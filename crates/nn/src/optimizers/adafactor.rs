//! Adafactor: RMSprop that keeps one number per row and per column instead of one per weight.
//!
//! With `ρₜ = min(lr, 1/√t)`, `α = max(ε₂, rms(w))·ρₜ`, `β = 1 − t^decay` and `s = g² + ε₁`, for matrices
//! `r ← β·r + (1−β)·mean(s over columns)`, `c ← β·c + (1−β)·mean(s over rows)`, `v = (r / mean(r))·cᵀ`, for
//! vectors `v ← β·v + (1−β)·s`; then `u = g/√v` and `w ← w − α·u / max(1, rms(u)/d)` with the threshold `d`. A
//! convolution kernel is one matrix `[in, out]` for every place of its window.
//!
//! Source: Shazeer and Stern 2018; Keras `keras/src/optimizers/adafactor.py`. Keras takes the minimum with
//! `1/√t` whether or not `relative_step` is set, so that parameter changes nothing there, nor here.

use super::Rule;
use super::variable::{Variable, VariableRule};
use crate::config::Value;
use crate::lane::Lane;
use crate::lane::linear::{row_sum, sum_of_squares};
use serde::Deserialize;

/// Adafactor; defaults: decay −0.8, ε₁ 1e-30, ε₂ 1e-3, threshold 1, relative step.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adafactor {
    /// The power of t that is taken from 1 to give β; ≤ 0.
    pub beta_2_decay: f64,
    /// Is added to every squared gradient; ≥ 0.
    pub epsilon_1: f64,
    /// What counts as the size of a variable that is smaller; ≥ 0.
    pub epsilon_2: f64,
    /// Above which root mean square a step is shortened; > 0.
    pub clip_threshold: f64,
    /// Whether the learning rate is at most 1/√t; see the source above.
    pub relative_step: bool,
}

impl Default for Adafactor {
    fn default() -> Self {
        Self {
            beta_2_decay: -0.8,
            epsilon_1: 1e-30,
            epsilon_2: 1e-3,
            clip_threshold: 1.0,
            relative_step: true,
        }
    }
}

impl Adafactor {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("beta_2_decay", self.beta_2_decay.into()),
            ("epsilon_1", self.epsilon_1.into()),
            ("epsilon_2", self.epsilon_2.into()),
            ("clip_threshold", self.clip_threshold.into()),
            ("relative_step", self.relative_step.into()),
        ]
    }

    /// Moves the means over columns and rows of one matrix, and divides its gradient by what they stand for.
    #[inline(always)]
    fn divide<R: Lane>(&self, beta: R, cols: usize, g: &mut [R], r: &mut [R], c: &mut [R]) {
        let (rest, epsilon) = (R::lit(1.0) - beta, R::lit(self.epsilon_1));
        let rows = r.len();
        for (r, row) in r.iter_mut().zip(g.chunks_exact(cols)) {
            let mean = row_sum(row, |g| g * g + epsilon) / R::lit(cols as f64);
            *r = (beta * *r + rest * mean).flush_subnormal();
        }
        for (j, c) in c.iter_mut().enumerate() {
            let mut sum = R::lit(0.0);
            for row in g.chunks_exact(cols) {
                sum = sum + (row[j] * row[j] + epsilon);
            }
            *c = (beta * *c + rest * (sum / R::lit(rows as f64))).flush_subnormal();
        }
        let mean = row_sum(r, |r| r) / R::lit(rows as f64);
        for (&r, row) in r.iter().zip(g.chunks_exact_mut(cols)) {
            let share = r / mean;
            for (g, &c) in row.iter_mut().zip(c.iter()) {
                *g = *g / (share * c).sqrt();
            }
        }
    }
}

#[inline(always)]
fn root_mean_square<R: Lane>(x: &[R], cols: usize) -> R {
    (sum_of_squares(x, cols) / R::lit(x.len() as f64)).sqrt()
}

impl VariableRule for Adafactor {
    /// Keeps the means over columns (slot 0; of a vector the mean squares) and over rows (slot 1).
    #[inline(always)]
    fn update<R: Lane>(&self, lr: R, t: u64, variable: Variable<'_, R>) {
        let Variable { shape, cols, w, g, slots: [r, c], .. } = variable;
        let (one, time) = (R::lit(1.0), R::lit(t as f64));
        let rate = lr.min(one / time.sqrt());
        let alpha = R::lit(self.epsilon_2).max(root_mean_square(w, cols)) * rate;
        let beta = one - (time.ln() * R::lit(self.beta_2_decay)).exp();
        if let [.., inputs, _] = *shape {
            for (index, g) in g.chunks_exact_mut(inputs * cols).enumerate() {
                let r = &mut r[index * inputs..(index + 1) * inputs];
                self.divide(beta, cols, g, r, &mut c[index * cols..(index + 1) * cols]);
            }
        } else {
            for (g, v) in g.iter_mut().zip(r) {
                *v = (beta * *v + (one - beta) * (*g * *g + R::lit(self.epsilon_1))).flush_subnormal();
                *g = *g / v.sqrt();
            }
        }
        let over = root_mean_square(g, cols) / R::lit(self.clip_threshold);
        let shorter = one.max(over);
        for (w, u) in w.iter_mut().zip(g) {
            *w = *w - alpha * (*u / shorter);
        }
    }
}

impl From<Adafactor> for Rule {
    fn from(rule: Adafactor) -> Self {
        Self::Adafactor(rule)
    }
}
