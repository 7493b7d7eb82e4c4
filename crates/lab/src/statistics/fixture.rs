//! The committed values of SciPy and statsmodels that the tests of this folder compare with
//! (`tests/fixtures/make_statistics.py` makes them).

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Fixture {
    pub(super) quantile_levels: Vec<f64>,
    pub(super) paired: Vec<PairedCase>,
    pub(super) holm: Vec<HolmCase>,
    pub(super) power: PowerCases,
    pub(super) anova: Vec<AnovaCase>,
    pub(super) mcnemar: Vec<McNemarCase>,
    pub(super) spreads: Vec<SpreadCase>,
}

#[derive(Deserialize)]
pub(super) struct PairedCase {
    pub(super) name: String,
    pub(super) baseline: Vec<f64>,
    pub(super) variant: Vec<f64>,
    pub(super) mean: f64,
    pub(super) standard_deviation: f64,
    pub(super) median: f64,
    pub(super) quantiles: Vec<f64>,
    pub(super) t: f64,
    pub(super) p: f64,
    pub(super) interval: [f64; 2],
    pub(super) permutation_p: f64,
    pub(super) bootstrap: Option<BootstrapCase>,
}

impl PairedCase {
    pub(super) fn differences(&self) -> Vec<f64> {
        self.variant.iter().zip(&self.baseline).map(|(variant, baseline)| variant - baseline).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct BootstrapCase {
    pub(super) resampled: Vec<f64>,
    pub(super) interval: [f64; 2],
    pub(super) interval_of_200000: [f64; 2],
}

#[derive(Deserialize)]
pub(super) struct HolmCase {
    pub(super) p: Vec<f64>,
    pub(super) adjusted: Vec<f64>,
}

#[derive(Deserialize)]
pub(super) struct PowerCases {
    pub(super) power: Vec<PowerCase>,
    pub(super) smallest: Vec<EffectCase>,
    pub(super) needed: Vec<EffectCase>,
}

#[derive(Deserialize)]
pub(super) struct PowerCase {
    pub(super) pairs: usize,
    pub(super) effect: f64,
    pub(super) power: f64,
}

#[derive(Deserialize)]
pub(super) struct EffectCase {
    pub(super) pairs: f64,
    pub(super) effect: f64,
}

#[derive(Deserialize)]
pub(super) struct AnovaCase {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
    pub(super) factors: Vec<Vec<usize>>,
    pub(super) block: Option<Vec<usize>>,
    pub(super) pairs: bool,
    pub(super) terms: Vec<TermCase>,
    pub(super) residual_squares: f64,
    pub(super) residual_freedom: f64,
}

#[derive(Deserialize)]
pub(super) struct TermCase {
    pub(super) squares: f64,
    pub(super) freedom: f64,
    pub(super) f: f64,
    pub(super) p: f64,
}

#[derive(Deserialize)]
pub(super) struct McNemarCase {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) exact: f64,
    pub(super) mid: f64,
}

#[derive(Deserialize)]
pub(super) struct SpreadCase {
    pub(super) values: Vec<f64>,
    pub(super) variance: f64,
    pub(super) interval: [f64; 2],
    pub(super) upper_80: f64,
    pub(super) hedges: Option<f64>,
}

pub(super) fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/statistics.json")).unwrap()
}

/// Panics unless `got` equals `expected` to `tolerance`, relative to the larger of 1e-300 and `expected`.
pub(super) fn assert_close(got: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (got - expected).abs() / expected.abs().max(1e-300);
    assert!(
        got == expected || error <= tolerance,
        "{what}: got {got}, expected {expected}, relative error {error}"
    );
}
