//! Identity: gain on the diagonal, 0 elsewhere; a wider or higher matrix is cut off.
//!
//! Keras: `keras/src/initializers/constant_initializers.py`, `Identity`.

pub(super) fn fill(gain: f64, shape: &[usize], out: &mut [f32]) {
    let columns = shape.last().copied().unwrap_or(1).max(1);
    for (row, values) in out.chunks_exact_mut(columns).enumerate() {
        values.fill(0.0);
        if let Some(diagonal) = values.get_mut(row) {
            *diagonal = gain as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::filled};

    #[test]
    fn the_diagonal_holds_the_gain() {
        let identity = Initializer::Identity { gain: 2.0 };
        assert_eq!(filled(&identity, &[2, 2]), [2.0, 0.0, 0.0, 2.0]);
        assert_eq!(filled(&identity, &[3, 2]), [2.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        assert_eq!(filled(&identity, &[2, 3]), [2.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn only_matrices_have_a_diagonal() {
        let identity = Initializer::Identity { gain: 1.0 };
        assert!(identity.validate_shape(&[2, 3]).is_ok());
        let error = identity.validate_shape(&[2, 3, 4]).unwrap_err().to_string();
        assert_eq!(error, "identity: shape must be two-dimensional, but is [2, 3, 4]");
    }
}
