//! Orthogonal: rows (or columns) of a matrix should stand at right angles.
//!
//! With the rows brought to length 1, `n_i = w_i·min(1/‖w_i‖, 1e7)`, the penalty is the mean of `|n_i·n_j|` over all pairs,
//! times `factor`. Its gradient goes through `d_i = factor/pairs · Σ_j sign(n_i·n_j)·n_j` to `(d_i − (d_i·n_i)·n_i)/‖w_i‖`.
//!
//! Source: Keras `keras/src/regularizers/regularizers.py`, `OrthogonalRegularizer`.

use super::Regularizer;
use crate::config::Value;
use crate::lane::Lane;
use crate::lane::linear::{multiply, row_sum, transpose};
use serde::{Deserialize, Serialize};

/// Which vectors of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vectors {
    /// Of a Dense kernel, one per input.
    Rows,
    /// Of a Dense kernel, one per unit.
    Columns,
}

/// Vectors that do not stand at right angles cost something.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrthogonalRegularizer {
    /// What the mean is multiplied by; at least 0.
    pub factor: f64,
    /// Which vectors.
    pub mode: Vectors,
}

impl Default for OrthogonalRegularizer {
    fn default() -> Self {
        Self { factor: 0.01, mode: Vectors::Rows }
    }
}

/// The vectors of a matrix at length 1 and what their products are, in room that the caller gave.
struct Pairs<'a, R> {
    /// How long each vector is.
    len: usize,
    /// How many pairs.
    count: R,
    unit: &'a mut [R],
    inverse: &'a mut [R],
    products: &'a mut [R],
    room: &'a mut [R],
}

impl OrthogonalRegularizer {
    pub(super) fn parameters(self) -> Vec<(&'static str, Value)> {
        let mode = match self.mode {
            Vectors::Rows => "rows",
            Vectors::Columns => "columns",
        };
        vec![("factor", self.factor.into()), ("mode", mode.into())]
    }

    /// How many vectors a matrix has, and how long they are.
    fn vectors(self, rows: usize, cols: usize) -> (usize, usize) {
        match self.mode {
            Vectors::Rows => (rows, cols),
            Vectors::Columns => (cols, rows),
        }
    }

    /// How many numbers of room the functions below need.
    pub(crate) fn scratch(self, rows: usize, cols: usize) -> usize {
        let (vectors, _) = self.vectors(rows, cols);
        2 * rows * cols + vectors + vectors * vectors
    }

    #[inline(always)]
    fn pairs<'a, R: Lane>(self, w: &[R], cols: usize, scratch: &'a mut [R]) -> Pairs<'a, R> {
        let (vectors, len) = self.vectors(w.len() / cols, cols);
        let (unit, scratch) = scratch.split_at_mut(w.len());
        let (room, scratch) = scratch.split_at_mut(w.len());
        let (inverse, scratch) = scratch.split_at_mut(vectors);
        let products = &mut scratch[..vectors * vectors];
        match self.mode {
            Vectors::Rows => unit.copy_from_slice(w),
            Vectors::Columns => transpose(w, cols, unit),
        }
        for (vector, inverse) in unit.chunks_exact_mut(len).zip(inverse.iter_mut()) {
            *inverse = R::lit(1e7).min(R::lit(1.0) / row_sum(vector, |x| x * x).sqrt());
            vector.iter_mut().for_each(|x| *x = *x * *inverse);
        }
        transpose(unit, len, room);
        multiply(unit, room, vectors, products);
        for (i, row) in products.chunks_exact_mut(vectors).enumerate() {
            row[i] = R::lit(0.0);
        }
        let count = R::lit(vectors as f64 * (vectors as f64 - 1.0) / 2.0);
        Pairs { len, count, unit, inverse, products, room }
    }

    /// The penalty on a matrix `w` with rows of `cols` numbers.
    #[inline(always)]
    pub(crate) fn penalty<R: Lane>(self, w: &[R], cols: usize, scratch: &mut [R]) -> R {
        let (vectors, _) = self.vectors(w.len() / cols, cols);
        if vectors < 2 {
            return R::lit(0.0);
        }
        let pairs = self.pairs(w, cols, scratch);
        let mut sum = R::lit(0.0);
        for row in pairs.products.chunks_exact(vectors) {
            sum = sum + row_sum(row, |x| x.abs());
        }
        R::lit(0.5 * self.factor) * sum / pairs.count
    }

    /// Adds its gradient to `g`.
    #[inline(always)]
    pub(crate) fn add_gradient<R: Lane>(self, w: &[R], g: &mut [R], cols: usize, scratch: &mut [R]) {
        let (vectors, _) = self.vectors(w.len() / cols, cols);
        if vectors < 2 {
            return;
        }
        let Pairs { len, count, unit, inverse, products, room } = self.pairs(w, cols, scratch);
        products.iter_mut().for_each(|x| *x = x.signum());
        multiply(products, unit, len, room);
        let factor = R::lit(self.factor) / count;
        for ((d, n), &inverse) in
            room.chunks_exact_mut(len).zip(unit.chunks_exact_mut(len)).zip(inverse.iter())
        {
            let mut along = R::lit(0.0);
            for (&d, &n) in d.iter().zip(n.iter()) {
                along = d.mul_add(n, along);
            }
            for (d, &n) in d.iter_mut().zip(n.iter()) {
                *d = factor * (*d - along * n) * inverse;
            }
        }
        match self.mode {
            Vectors::Rows => g.iter_mut().zip(room.iter()).for_each(|(g, &d)| *g = *g + d),
            Vectors::Columns => {
                transpose(room, len, unit);
                g.iter_mut().zip(unit.iter()).for_each(|(g, &d)| *g = *g + d);
            }
        }
    }
}

impl From<OrthogonalRegularizer> for Regularizer {
    fn from(regularizer: OrthogonalRegularizer) -> Self {
        Self::Orthogonal(regularizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_penalty() {
        let w: Vec<f64> = (0..20).map(|i| f64::from(i * i % 13) - 5.5).collect();
        for mode in [Vectors::Rows, Vectors::Columns] {
            let regularizer = OrthogonalRegularizer { factor: 0.7, mode };
            let mut scratch = vec![0.0; regularizer.scratch(4, 5)];
            let mut g = vec![0.25; 20];
            regularizer.add_gradient(&w, &mut g, 5, &mut scratch);
            for i in 0..20 {
                let mut at = |shift: f64| {
                    let mut w = w.clone();
                    w[i] += shift;
                    regularizer.penalty(&w, 5, &mut scratch)
                };
                let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((g[i] - 0.25 - slope).abs() < 1e-8, "{mode:?} {i}: {}, not {slope}", g[i] - 0.25);
            }
        }
    }

    /// Vectors at right angles cost nothing, parallel ones the whole factor.
    #[test]
    fn right_angles_are_free() {
        let regularizer = OrthogonalRegularizer { factor: 0.5, mode: Vectors::Rows };
        let mut scratch = vec![0.0; regularizer.scratch(2, 2)];
        let mut penalty = |w: [f64; 4]| regularizer.penalty(&w, 2, &mut scratch);
        assert_eq!(penalty([3.0, 0.0, 0.0, -2.0]), 0.0);
        assert!((penalty([1.0, 2.0, -2.0, -4.0]) - 0.5).abs() < 1e-15);
    }
}
