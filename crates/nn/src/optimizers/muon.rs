//! Muon: every matrix moves by its momentum with all singular values brought near 1.
//!
//! `m ← m + (g + m·(μ−1))`, `x = g + μ·m` (Nesterov) or `m`, then with rows no longer than columns
//! `x ← x / (‖x‖ + 1e-7)` and, `ns_steps` times, Newton and Schulz's iteration `A = x·xᵀ`, `x ← a·x + (b·A + c·A²)·x`;
//! `w ← w − lr·x·√max(rows, cols)·rms_rate`. Variables that are no matrices, and those whose name contains one of
//! `exclude_layers`, move by Adam at the learning rate `lr·adam_lr_ratio`.
//!
//! Source: Jordan et al. 2024, *Muon: an optimizer for hidden layers*; Liu et al. 2025 for the scale; Keras
//! `keras/src/optimizers/muon.py`. Keras's names in `exclude_layers` are regular expressions, here plain parts of
//! names.

use super::variable::{Variable, VariableRule};
use super::{Adam, Rule};
use crate::config::Value;
use crate::lane::Lane;
use crate::lane::linear::{multiply, norm, transpose};
use serde::{Deserialize, Deserializer};

/// Muon; defaults: momentum 0.95 with Nesterov, 5 iterations, weight decay 0.004 for both kinds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Muon {
    /// Adam's β₁, from 0 to below 1.
    pub adam_beta_1: f64,
    /// Adam's β₂, from 0 to below 1.
    pub adam_beta_2: f64,
    /// The weight decay of variables that move by Adam; ≥ 0.
    pub adam_weight_decay: f64,
    /// Adam's ε; ≥ 0.
    pub epsilon: f64,
    /// Parts of names of variables that move by Adam.
    pub exclude_layers: Vec<String>,
    /// Whether variables with "embedding" in their name move by Adam.
    pub exclude_embeddings: bool,
    /// The iteration's factor of x; finite.
    pub muon_a: f64,
    /// The iteration's factor of A; finite.
    pub muon_b: f64,
    /// The iteration's factor of A²; finite.
    pub muon_c: f64,
    /// Adam's learning rate is so many times Muon's; > 0.
    pub adam_lr_ratio: f64,
    /// How much of the last direction is kept, from 0 to below 1.
    pub momentum: f64,
    /// How many iterations, from 1 to 100.
    pub ns_steps: u64,
    /// Look ahead along the momentum.
    pub nesterov: bool,
    /// Scales the step to a root mean square of about this; ≥ 0, and 0 (Keras's `None`) for no scale.
    #[serde(deserialize_with = "none_is_zero")]
    pub rms_rate: f64,
}

/// What Keras looks for in a name, in any case.
const EMBEDDING: &[u8] = b"embedding";

fn none_is_zero<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(0.0))
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            adam_beta_1: 0.9,
            adam_beta_2: 0.999,
            adam_weight_decay: 0.004,
            epsilon: 1e-7,
            exclude_layers: Vec::new(),
            exclude_embeddings: true,
            muon_a: 3.4445,
            muon_b: -4.7750,
            muon_c: 2.0315,
            adam_lr_ratio: 1.0,
            momentum: 0.95,
            ns_steps: 5,
            nesterov: true,
            rms_rate: 0.2,
        }
    }
}

impl Muon {
    pub(super) fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("adam_beta_1", self.adam_beta_1.into()),
            ("adam_beta_2", self.adam_beta_2.into()),
            ("adam_weight_decay", self.adam_weight_decay.into()),
            ("epsilon", self.epsilon.into()),
            ("exclude_layers", self.exclude_layers.as_slice().into()),
            ("exclude_embeddings", self.exclude_embeddings.into()),
            ("muon_a", self.muon_a.into()),
            ("muon_b", self.muon_b.into()),
            ("muon_c", self.muon_c.into()),
            ("adam_lr_ratio", self.adam_lr_ratio.into()),
            ("momentum", self.momentum.into()),
            ("ns_steps", self.ns_steps.into()),
            ("nesterov", self.nesterov.into()),
            ("rms_rate", self.rms_rate.into()),
        ]
    }

    /// Whether a variable moves by Adam.
    pub(super) fn uses_adam(&self, name: &str, shape: &[usize]) -> bool {
        // Asked in every step, so the name is not copied to be written small.
        let is_embedding = |part: &[u8]| part.eq_ignore_ascii_case(EMBEDDING);
        shape.len() != 2
            || (self.exclude_embeddings && name.as_bytes().windows(EMBEDDING.len()).any(is_embedding))
            || self.exclude_layers.iter().any(|part| name.contains(part.as_str()))
    }

    #[inline(always)]
    fn adam<R: Lane>(&self, lr: R, t: u64, w: &mut [R], g: &[R], m: &mut [R], v: &mut [R]) {
        let adam = Adam {
            beta_1: self.adam_beta_1,
            beta_2: self.adam_beta_2,
            epsilon: self.epsilon,
            amsgrad: false,
        };
        let alpha = adam.alpha(lr * R::lit(self.adam_lr_ratio), t);
        for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            let (mean, square) = adam.moments(g, *m, *v);
            *w = adam.move_by(alpha, *w, mean, square);
            (*m, *v) = (mean.flush_subnormal(), square.flush_subnormal());
        }
    }

    /// Brings the singular values of the direction near 1; `x` is `[short, long]`.
    #[inline(always)]
    fn orthogonalize<R: Lane>(&self, x: &mut [R], (short, long): (usize, usize), scratch: &mut [R]) {
        let (turned, scratch) = scratch.split_at_mut(short * long);
        let (product, scratch) = scratch.split_at_mut(short * long);
        let (a, scratch) = scratch.split_at_mut(short * short);
        let b = &mut scratch[..short * short];
        for _ in 0..self.ns_steps {
            transpose(x, long, turned);
            multiply(x, turned, short, a);
            multiply(a, a, short, b);
            for (b, &a) in b.iter_mut().zip(a.iter()) {
                *b = R::lit(self.muon_b) * a + R::lit(self.muon_c) * *b;
            }
            multiply(b, x, long, product);
            for (x, &product) in x.iter_mut().zip(product.iter()) {
                *x = R::lit(self.muon_a) * *x + product;
            }
        }
    }
}

impl VariableRule for Muon {
    fn scratch(&self, rows: usize, cols: usize) -> usize {
        3 * rows * cols + 2 * rows.min(cols).pow(2)
    }

    #[inline(always)]
    fn update<R: Lane>(&self, lr: R, t: u64, variable: Variable<'_, R>) {
        let Variable { name, shape, cols, w, g, slots: [m, v], scratch } = variable;
        if self.uses_adam(name, shape) {
            return self.adam(lr, t, w, g, m, v);
        }
        let momentum = R::lit(self.momentum);
        for (g, m) in g.iter_mut().zip(m) {
            let mean = *m + (*g + *m * R::lit(self.momentum - 1.0));
            *g = if self.nesterov { *g + momentum * mean } else { mean };
            *m = mean.flush_subnormal();
        }
        let rows = g.len() / cols;
        let tall = rows > cols;
        let (x, scratch) = scratch.split_at_mut(g.len());
        if tall {
            transpose(g, cols, x);
        } else {
            x.copy_from_slice(g);
        }
        let length = norm(g, cols) + R::lit(1e-7);
        x.iter_mut().for_each(|x| *x = *x / length);
        self.orthogonalize(x, (rows.min(cols), rows.max(cols)), scratch);
        if tall {
            transpose(x, rows, g);
        } else {
            g.copy_from_slice(x);
        }
        let (size, rate) = (R::lit(rows.max(cols) as f64).sqrt(), R::lit(self.rms_rate));
        for (w, &x) in w.iter_mut().zip(g.iter()) {
            let step = lr * x;
            *w = *w - if self.rms_rate == 0.0 { step } else { step * size * rate };
        }
    }
}

impl From<Muon> for Rule {
    fn from(rule: Muon) -> Self {
        Self::Muon(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the singular values were, they end near 1: the rows of the step are nearly orthonormal.
    #[test]
    fn a_step_is_nearly_orthogonal() {
        let muon =
            Muon { rms_rate: 0.0, ns_steps: 12, muon_a: 1.5, muon_b: -0.5, muon_c: 0.0, ..Muon::default() };
        for (rows, cols) in [(3, 7), (7, 3)] {
            let mut g: Vec<f64> = (0..21).map(|i| f64::from(i * i % 17) - 8.0).collect();
            let (mut w, mut m, mut v) = (vec![0.0; 21], vec![0.0; 21], vec![0.0; 21]);
            let mut scratch = vec![0.0; muon.scratch(rows, cols)];
            let slots = [m.as_mut_slice(), v.as_mut_slice()];
            let shape = [rows, cols];
            let (name, w_view, scratch) = ("dense/kernel", w.as_mut_slice(), scratch.as_mut_slice());
            let variable = Variable { name, shape: &shape, cols, w: w_view, g: &mut g, slots, scratch };
            muon.update(1.0, 1, variable);
            let at = |i: usize, k: usize| if rows < cols { w[i * cols + k] } else { w[k * cols + i] };
            for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
                let product: f64 = (0..7).map(|k| at(i, k) * at(j, k)).sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "{rows}×{cols}: {i}, {j}: {product}");
            }
        }
    }
}
