//! Many questions at once: Holm's correction.
//!
//! Sorted p₁ ≤ … ≤ pₘ become max over j ≤ i of min(1, (m − j + 1) pⱼ). Calling those below 0.05 real keeps the chance
//! of even one false alarm among all m at 5%. S. Holm, "A simple sequentially rejective multiple test procedure"
//! (Scandinavian Journal of Statistics 6, 1979).

/// The corrected p-values, in the order of `p_values`.
///
/// ```
/// use seedbed_lab::statistics::holm;
///
/// assert_eq!(holm::adjust(&[0.5, 0.01]), [0.5, 0.02]);
/// ```
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        let questions_left = (p_values.len() - rank) as f64;
        floor = floor.max((questions_left * p_values[index]).min(1.0));
        adjusted[index] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_statsmodels() {
        for case in fixture().holm {
            for (got, expected) in adjust(&case.p).into_iter().zip(case.adjusted) {
                assert_close(got, expected, 1e-12, &format!("{:?}", case.p));
            }
        }
        assert!(adjust(&[]).is_empty());
    }
}
