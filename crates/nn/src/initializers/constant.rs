//! Constant, and its thin names zeros and ones: every weight the same.
//!
//! Hidden units that start equal get equal gradients and never become different: with zeros or any
//! other constant, a wide layer learns as much as one unit.
//!
//! Keras: `keras/src/initializers/constant_initializers.py`, `Constant`, `Zeros`, `Ones`.

pub(super) fn fill(value: f64, out: &mut [f32]) {
    out.fill(value as f32);
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::filled};

    #[test]
    fn every_weight_is_the_value() {
        assert_eq!(filled(&Initializer::Zeros, &[2, 2]), [0.0; 4]);
        assert_eq!(filled(&Initializer::Ones, &[2, 2]), [1.0; 4]);
        assert_eq!(filled(&Initializer::Constant { value: -0.1 }, &[3]), [-0.1; 3]);
    }
}
