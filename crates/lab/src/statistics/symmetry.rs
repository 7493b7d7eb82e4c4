//! How many hidden units really differ.
//!
//! Two units of a layer with the same weights in and out get the same gradient, so they stay the same for ever: this
//! symmetry is why weights must not start equal. I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning" (2016), 8.4.

use std::collections::HashSet;

/// The number of units whose incoming weights are not equal, bit for bit, to another's that is counted already.
///
/// `kernel` is `[inputs, units]` row by row; zero and minus zero are the same weight. A layer without units has 0.
///
/// ```
/// use seedbed_lab::statistics::symmetry;
///
/// assert_eq!(symmetry::distinct_units(&[1.0, 2.0, 1.0, 4.0, 5.0, 4.0], 3), 2);
/// ```
pub fn distinct_units(kernel: &[f32], units: usize) -> usize {
    let column = |unit: usize| -> Vec<u32> {
        kernel.iter().skip(unit).step_by(units).map(|weight| (weight + 0.0).to_bits()).collect()
    };
    (0..units).map(column).collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_one_unit() {
        assert_eq!(distinct_units(&[0.0, -0.0, 0.0, 0.0, 0.0, -0.0], 3), 1);
    }

    #[test]
    fn one_weight_makes_the_difference() {
        let mut kernel = vec![0.25; 4 * 3];
        assert_eq!(distinct_units(&kernel, 3), 1);
        kernel[3 * 3 + 2] = 0.250_000_03;
        assert_eq!(distinct_units(&kernel, 3), 2);
        assert_eq!(distinct_units(&[], 0), 0);
    }
}
