//! How large an effect is beside the noise: Hedges' g of paired differences.
//!
//! d = mean / standard deviation of the differences; small samples overstate it, and g = J·d with
//! J = Γ(df/2) / (√(df/2)·Γ((df − 1)/2)), df = n − 1, takes that off. L. V. Hedges, "Distribution theory for Glass's
//! estimator of effect size and related estimators" (Journal of Educational Statistics 6, 1981).
//!
//! It is not a share of anything: g = 1 means that the effect is as large as one seed's difference scatters.

use super::paired::PairedEffect;
use statrs::function::gamma::ln_gamma;

/// Hedges' g; `None` for fewer than three seeds and differences that are all alike but for rounding.
///
/// ```
/// use seedbed_lab::statistics::{effect_size, paired::PairedEffect};
///
/// let effect = PairedEffect::of(&[0.001, 0.002, 0.003]).expect("three differences");
/// assert!((effect_size::hedges(&effect).expect("three seeds") - 1.128).abs() < 0.001);
/// ```
pub fn hedges(effect: &PairedEffect) -> Option<f64> {
    let spread = effect.spread.filter(|spread| spread.standard_deviation > 1e-12 * effect.mean.abs())?;
    let freedom = effect.seeds().checked_sub(1).filter(|&freedom| freedom > 1)? as f64;
    let correction =
        (ln_gamma(freedom / 2.0) - ln_gamma((freedom - 1.0) / 2.0)).exp() / (freedom / 2.0).sqrt();
    Some(correction * effect.mean / spread.standard_deviation)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, fixture};
    use super::*;

    #[test]
    fn agrees_with_scipys_gamma_function() {
        for case in fixture().spreads {
            let got = hedges(&PairedEffect::of(&case.values).unwrap());
            match case.hedges {
                Some(expected) => assert_close(got.unwrap(), expected, 1e-8, "g"),
                None => assert_eq!(got, None),
            }
        }
        assert_eq!(hedges(&PairedEffect::of(&[0.5; 4]).unwrap()), None);
    }
}
