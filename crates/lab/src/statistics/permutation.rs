//! A p-value without assuming a bell curve: the sign-flip test.
//!
//! If a change does nothing, each difference is as likely to have come out with the opposite sign. p is the share of
//! the 2ⁿ ways to sign the differences whose mean lies at least as far from zero as the mean observed. E. J. G. Pitman,
//! "Significance tests which may be applied to samples from any populations" (1937); for the sampled version, which
//! counts the observation itself, B. Phipson and G. K. Smyth, "Permutation p-values should never be zero" (2010).
//!
//! With n seeds the smallest p possible is 2/2ⁿ: five seeds cannot go below 0.0625.

use super::draw::Draws;

/// The largest number of differences whose 2ⁿ sign patterns are all tried.
pub const EXACT_UP_TO: usize = 16;

/// How many sign patterns are drawn for more differences than that.
pub const DRAWN_PATTERNS: u32 = 100_000;

/// The two-sided p-value of `differences`; `None` for fewer than two or where one is not finite.
///
/// Exact up to [`EXACT_UP_TO`] differences, from [`DRAWN_PATTERNS`] seeded draws beyond.
///
/// ```
/// use seedbed_lab::statistics::permutation;
///
/// assert_eq!(permutation::sign_flip(&[1.0, 2.0, 3.0], 0), Some(2.0 / 8.0));
/// ```
pub fn sign_flip(differences: &[f64], seed: u64) -> Option<f64> {
    sign_flip_of(differences, seed, DRAWN_PATTERNS)
}

/// [`sign_flip`] with this many patterns where not all are tried.
pub fn sign_flip_of(differences: &[f64], seed: u64, patterns: u32) -> Option<f64> {
    if differences.len() < 2 || differences.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    Some(if differences.len() <= EXACT_UP_TO {
        exact(differences)
    } else {
        drawn(differences, seed, patterns)
    })
}

fn exact(differences: &[f64]) -> f64 {
    let bar = bar(differences);
    let patterns = 1u64 << differences.len();
    let extreme = (0..patterns).filter(|&pattern| signed_sum(differences, pattern).abs() >= bar).count();
    extreme as f64 / patterns as f64
}

fn drawn(differences: &[f64], seed: u64, patterns: u32) -> f64 {
    let bar = bar(differences);
    let mut draws = Draws::new(seed);
    let mut one_pattern =
        || -> f64 { differences.chunks(64).map(|chunk| signed_sum(chunk, draws.bits())).sum::<f64>().abs() };
    let extreme = (0..patterns).filter(|_| one_pattern() >= bar).count();
    (extreme + 1) as f64 / f64::from(patterns + 1)
}

/// The observed distance from zero, lowered by the rounding error of a sum so that equal sums count as equal.
fn bar(differences: &[f64]) -> f64 {
    let slack: f64 = differences.iter().map(|difference| difference.abs()).sum::<f64>() * 1e-13;
    differences.iter().sum::<f64>().abs() - slack
}

/// The sum of at most 64 values, those whose bit is set in `pattern` with their sign flipped.
fn signed_sum(values: &[f64], pattern: u64) -> f64 {
    let sign = |bit: usize| if pattern >> bit & 1 == 1 { -1.0 } else { 1.0 };
    values.iter().enumerate().map(|(bit, value)| sign(bit) * value).sum()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_scipy() {
        for case in fixture().paired {
            let got = sign_flip(&case.differences(), 0).unwrap();
            assert_close(got, case.permutation_p, 1e-12, &case.name);
        }
    }

    #[test]
    fn drawing_comes_close_to_trying_all() {
        for case in fixture().paired {
            let differences = case.differences();
            let (all, some) = (exact(&differences), drawn(&differences, 9, DRAWN_PATTERNS));
            assert!((all - some).abs() < 0.006, "{}: {all} against {some}", case.name);
        }
    }

    #[test]
    fn many_differences_are_drawn_and_never_give_zero() {
        let clear = vec![1.0; 70];
        assert_eq!(sign_flip(&clear, 0), Some(1.0 / f64::from(DRAWN_PATTERNS + 1)));
        let null: Vec<f64> = (0..70).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(sign_flip(&null, 0), Some(1.0));
    }

    #[test]
    fn one_run_proves_nothing() {
        assert_eq!(sign_flip(&[0.3], 0), None);
        assert_eq!(sign_flip(&[0.3, f64::INFINITY], 0), None);
        assert_eq!(sign_flip(&[0.0, 0.0], 0), Some(1.0));
    }
}
