//! Whether two networks err on different pictures: McNemar's test.
//!
//! Of the pictures that only one of two networks names correctly, each network should have about half if they are
//! equally good. With b and c such pictures the exact p is 2·P(X ≤ min(b, c)) for X binomial with b + c and ½; the
//! mid-p takes half of the observed outcome's chance off each side and is less timid. Q. McNemar, "Note on the sampling error of
//! the difference between correlated proportions or percentages" (Psychometrika 12, 1947); M. Fagerland, S. Lydersen,
//! P. Laake, "The McNemar test for binary matched-pairs data" (BMC Medical Research Methodology 13, 2013).

use serde::Serialize;
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

/// The pictures on which two networks differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// How many only the first names correctly.
    pub only_first: usize,
    /// How many only the second names correctly.
    pub only_second: usize,
    /// The exact two-sided p-value of "equally good".
    pub exact_p: f64,
    /// The mid-p value.
    pub mid_p: f64,
}

impl McNemar {
    /// The test for these counts; without any picture to tell them apart, p is 1.
    ///
    /// ```
    /// use seedbed_lab::statistics::mcnemar::McNemar;
    ///
    /// assert!((McNemar::of(0, 5).exact_p - 2.0 / 32.0).abs() < 1e-12);
    /// ```
    pub fn of(only_first: usize, only_second: usize) -> Self {
        let (fewer, all) = (only_first.min(only_second) as u64, (only_first + only_second) as u64);
        let (exact_p, mid_p) = match Binomial::new(0.5, all) {
            Ok(binomial) if all > 0 => {
                let exact = (2.0 * binomial.cdf(fewer)).min(1.0);
                (exact, exact - binomial.pmf(fewer))
            }
            _ => (1.0, 1.0),
        };
        Self { only_first, only_second, exact_p, mid_p }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_statsmodels_and_scipy() {
        for case in fixture().mcnemar {
            let got = McNemar::of(case.first, case.second);
            assert_close(got.exact_p, case.exact, 1e-8, &format!("{} and {}", case.first, case.second));
            assert_close(got.mid_p, case.mid, 1e-8, &format!("{} and {}", case.first, case.second));
        }
    }
}
