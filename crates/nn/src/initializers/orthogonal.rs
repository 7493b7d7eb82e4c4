//! Orthogonal: a random matrix whose columns (or rows, if it is wider than high) are orthonormal,
//! times gain.
//!
//! It is the Q of the QR decomposition of a matrix of standard normal numbers, with the signs that
//! make R's diagonal positive; that makes it unique, and uniform over all such matrices.
//! More axes than two are folded: a shape `[…, outputs]` counts as a matrix with `outputs` columns.
//!
//! Keras: `keras/src/initializers/random_initializers.py`, `Orthogonal`. Saxe, McClelland and
//! Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*
//! (2014). Decomposition: modified Gram-Schmidt with reorthogonalization where digits were lost
//! (Björck, *Numerics of Gram-Schmidt orthogonalization*, 1994).

use crate::random::Stream;

pub(super) fn fill(gain: f64, stream: &mut Stream, shape: &[usize], out: &mut [f32]) {
    let columns = shape.last().copied().unwrap_or(1).max(1);
    let rows = out.len() / columns;
    let (long, short) = (rows.max(columns), rows.min(columns));
    let mut normal = vec![0.0; long * short];
    stream.fill_normal(&mut normal);
    let mut vectors: Vec<Vec<f64>> =
        (0..short).map(|j| normal.iter().skip(j).step_by(short).map(|&z| f64::from(z)).collect()).collect();
    orthonormalize(&mut vectors);
    for (row, values) in out.chunks_exact_mut(columns).enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            let q = if rows < columns { vectors[row][column] } else { vectors[column][row] };
            *value = (gain * q) as f32;
        }
    }
}

/// Makes the vectors orthonormal, one after the other.
fn orthonormalize(vectors: &mut [Vec<f64>]) {
    for j in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(j);
        let vector = &mut rest[0];
        let before = dot(vector, vector).sqrt();
        subtract_projections(done, vector);
        let mut norm = dot(vector, vector).sqrt();
        if norm < 1e-3 * before {
            subtract_projections(done, vector);
            norm = dot(vector, vector).sqrt();
        }
        for x in vector {
            *x /= norm;
        }
    }
}

fn subtract_projections(done: &[Vec<f64>], vector: &mut [f64]) {
    for q in done {
        let projection = dot(q, vector);
        for (x, q) in vector.iter_mut().zip(q) {
            *x -= projection * q;
        }
    }
}

/// Eight interleaved sums, so that the processor can do them side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::filled};
    use super::*;

    /// The greatest deviation of QᵀQ (or QQᵀ, for a wide matrix) from gain² times the identity.
    fn deviation(q: &[f32], rows: usize, columns: usize, gain: f64) -> f64 {
        let q = |i: usize, j: usize| {
            f64::from(if rows < columns { q[j * columns + i] } else { q[i * columns + j] })
        };
        let (long, short) = (rows.max(columns), rows.min(columns));
        let mut worst = 0.0_f64;
        for a in 0..short {
            for b in 0..=a {
                let product: f64 = (0..long).map(|i| q(i, a) * q(i, b)).sum();
                worst = worst.max((product - if a == b { gain * gain } else { 0.0 }).abs());
            }
        }
        worst
    }

    #[test]
    fn columns_or_rows_are_orthonormal() {
        for (rows, columns, gain) in
            [(1, 1, 1.0), (64, 64, 1.0), (200, 33, 1.0), (33, 200, 0.5), (784, 128, 2.0)]
        {
            let q = filled(&Initializer::Orthogonal { gain, seed: None }, &[rows, columns]);
            let worst = deviation(&q, rows, columns, gain);
            assert!(worst < 2e-7 * gain * gain, "{rows}×{columns}: {worst}");
        }
    }

    #[test]
    fn a_convolution_kernel_is_folded() {
        let folded = filled(&Initializer::Orthogonal { gain: 1.0, seed: None }, &[45, 8]);
        assert_eq!(filled(&Initializer::Orthogonal { gain: 1.0, seed: None }, &[3, 3, 5, 8]), folded);
    }

    /// R = QᵀA must be upper triangular with a positive diagonal.
    #[test]
    fn it_is_the_q_of_a_qr_decomposition() {
        let original: Vec<Vec<f64>> =
            vec![vec![1.0, 2.0, 3.0, -1.0], vec![-2.0, 0.5, 1.0, 1.0], vec![4.0, -1.0, 0.25, 3.0]];
        let mut q = original.clone();
        orthonormalize(&mut q);
        for i in 0..3 {
            assert!(dot(&q[i], &original[i]) > 0.1);
            for earlier in &original[..i] {
                assert!(dot(&q[i], earlier).abs() < 1e-14);
            }
        }
    }

    /// Two almost equal vectors: one pass would leave an error of 1e-5.
    #[test]
    fn lost_digits_are_recovered() {
        let mut near = vec![vec![1.0; 100], vec![1.0; 100]];
        for (i, x) in near[1].iter_mut().enumerate() {
            *x += 1e-10 * (i as f64 * 1.7).sin();
        }
        orthonormalize(&mut near);
        assert!(dot(&near[0], &near[1]).abs() < 1e-14);
    }

    #[test]
    fn a_vector_has_no_orthogonal_matrix() {
        let error =
            Initializer::Orthogonal { gain: 1.0, seed: None }.validate_shape(&[10]).unwrap_err().to_string();
        assert_eq!(error, "orthogonal: shape must be at least two-dimensional, but is [10]");
    }
}
