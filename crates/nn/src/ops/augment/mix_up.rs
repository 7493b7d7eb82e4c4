//! Who is mixed with whom, and how much: λ from Beta(α, α), partners in random order.
//!
//! `λ = G/(G + G′)` with G and G′ from Gamma(α); a gamma number for α < 1 is one for α + 1 times U^(1/α), taken as
//! logarithms, so that small α cannot round both to 0.
//!
//! Sources: Zhang et al. 2018 (mixup); Marsaglia and Tsang, *A simple method for generating gamma variables*
//! (2000); Keras `mix_up.py` in `keras/src/layers/preprocessing/image_preprocessing/`.

use crate::random::Stream;

/// A number from Beta(α, α).
pub(crate) fn beta(stream: &mut Stream, alpha: f64) -> f64 {
    let (a, b) = (ln_gamma_variate(stream, alpha), ln_gamma_variate(stream, alpha));
    1.0 / (1.0 + libm::exp(b - a))
}

/// The logarithm of a number from Gamma(α).
fn ln_gamma_variate(stream: &mut Stream, alpha: f64) -> f64 {
    if alpha < 1.0 {
        return ln_gamma_variate(stream, alpha + 1.0) + libm::log(open_uniform(stream)) / alpha;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = f64::from(stream.normal());
        let v = (1.0 + c * z).powi(3);
        if v > 0.0 && libm::log(open_uniform(stream)) < 0.5 * z * z + d - d * v + d * libm::log(v) {
            return libm::log(d * v);
        }
    }
}

/// A number from (0, 1).
fn open_uniform(stream: &mut Stream) -> f64 {
    f64::from(stream.uniform()) + f64::from(f32::EPSILON) / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed, Streams};

    /// Mean ½, variance 1/(4·(2α + 1)), and for α = 1 uniform.
    #[test]
    fn beta_numbers_are_beta() {
        let mut stream = Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0);
        for alpha in [0.01, 0.2, 1.0, 3.0] {
            let drawn: Vec<f64> = (0..50_000).map(|_| beta(&mut stream, alpha)).collect();
            let mean = drawn.iter().sum::<f64>() / 50_000.0;
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 50_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 4.5 * (expected / 50_000.0).sqrt(), "α {alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.03, "α {alpha}: {variance}, not {expected}");
            if alpha == 1.0 {
                let below = drawn.iter().filter(|&&x| x < 0.1).count() as f64;
                assert!((below - 5000.0).abs() < 4.5 * 4500_f64.sqrt(), "{below}");
            }
        }
    }
}
