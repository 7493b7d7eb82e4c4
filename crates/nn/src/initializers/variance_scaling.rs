//! Variance scaling: random weights of variance scale / n, n being the kernel's fan.
//!
//! Glorot (Xavier), He (Kaiming) and LeCun initialization are thin names for it:
//!
//! | name   | scale | mode    | source |
//! |--------|-------|---------|--------|
//! | glorot | 1     | fan_avg | Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010) |
//! | he     | 2     | fan_in  | He, Zhang, Ren and Sun, *Delving deep into rectifiers* (2015) |
//! | lecun  | 1     | fan_in  | LeCun, Bottou, Orr and Müller, *Efficient backprop* (1998) |
//!
//! Keras: `keras/src/initializers/random_initializers.py`, `VarianceScaling`, `compute_fans`.

use super::{random_normal, random_uniform, truncated_normal};
use crate::random::Stream;
use serde::{Deserialize, Serialize};

/// The standard deviation of a standard normal number cut off at ±2.
const TRUNCATED_STDDEV: f64 = 0.879_625_661_034_239_8;

/// Which fan sets the variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    /// The number of inputs to a unit.
    FanIn,
    /// The number of outputs.
    FanOut,
    /// The mean of both.
    FanAvg,
}

impl FanMode {
    /// Keras's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::FanIn => "fan_in",
            Self::FanOut => "fan_out",
            Self::FanAvg => "fan_avg",
        }
    }
}

/// What the weights are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Normal, cut off at two standard deviations and widened to have the variance asked for.
    #[serde(alias = "normal")]
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform.
    Uniform,
}

impl Distribution {
    /// Keras's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TruncatedNormal => "truncated_normal",
            Self::UntruncatedNormal => "untruncated_normal",
            Self::Uniform => "uniform",
        }
    }
}

/// The numbers of inputs and outputs of a kernel `[…, inputs, outputs]`; the axes in front of
/// these two are a convolution's receptive field and multiply both.
pub fn fans(shape: &[usize]) -> (f64, f64) {
    match *shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref field @ .., inputs, outputs] => {
            let field: f64 = field.iter().map(|&n| n as f64).product();
            (inputs as f64 * field, outputs as f64 * field)
        }
    }
}

pub(super) fn fill(
    scale: f64,
    mode: FanMode,
    distribution: Distribution,
    stream: &mut Stream,
    shape: &[usize],
    out: &mut [f32],
) {
    let (fan_in, fan_out) = fans(shape);
    let n = match mode {
        FanMode::FanIn => fan_in,
        FanMode::FanOut => fan_out,
        FanMode::FanAvg => (fan_in + fan_out) / 2.0,
    };
    let variance = scale / n.max(1.0);
    match distribution {
        Distribution::TruncatedNormal => {
            truncated_normal::fill(0.0, variance.sqrt() / TRUNCATED_STDDEV, stream, out);
        }
        Distribution::UntruncatedNormal => random_normal::fill(0.0, variance.sqrt(), stream, out),
        Distribution::Uniform => {
            let limit = (3.0 * variance).sqrt();
            random_uniform::fill(-limit, limit, stream, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Initializer, testing::*};
    use super::*;

    const SHAPE: [usize; 2] = [300, 200];

    #[test]
    fn fans_of_dense_and_convolution_kernels() {
        assert_eq!(fans(&[]), (1.0, 1.0));
        assert_eq!(fans(&[5]), (5.0, 5.0));
        assert_eq!(fans(&[784, 128]), (784.0, 128.0));
        assert_eq!(fans(&[3, 5, 16, 32]), (240.0, 480.0));
    }

    /// The standard deviations are worked out by hand for fans of 300 and 200.
    #[test]
    fn the_names_have_their_distributions() {
        for (initializer, stddev) in [
            (Initializer::GlorotNormal { seed: None }, 0.063_245_553),
            (Initializer::HeNormal { seed: None }, 0.081_649_658),
            (Initializer::LecunNormal { seed: None }, 0.057_735_027),
        ] {
            let spread = stddev / 0.879_625_661;
            let sample = filled(&initializer, &SHAPE);
            assert_distribution(sample, |x| truncated_normal_cdf(x / spread), 0.0, stddev);
        }
        for (initializer, limit) in [
            (Initializer::GlorotUniform { seed: None }, 0.109_544_512),
            (Initializer::HeUniform { seed: None }, 0.141_421_356),
            (Initializer::LecunUniform { seed: None }, 0.1),
        ] {
            let sample = filled(&initializer, &SHAPE);
            let cdf = |x: f64| (0.5 + 0.5 * x / limit).clamp(0.0, 1.0);
            assert_distribution(sample, cdf, 0.0, limit / 3_f64.sqrt());
        }
    }

    #[test]
    fn untruncated_means_the_whole_normal() {
        let (mode, distribution) = (FanMode::FanOut, Distribution::UntruncatedNormal);
        let sample =
            filled(&Initializer::VarianceScaling { scale: 3.0, mode, distribution, seed: None }, &SHAPE);
        let stddev = 0.015_f64.sqrt();
        assert_distribution(sample, |x| normal_cdf(x / stddev), 0.0, stddev);
    }

    #[test]
    fn the_normal_family_scales_the_same_draws() {
        let glorot = filled(&Initializer::GlorotNormal { seed: None }, &SHAPE);
        let he = filled(&Initializer::HeNormal { seed: None }, &SHAPE);
        let ratio = (2.0_f64 / 300.0 / (1.0 / 250.0)).sqrt() as f32;
        for (g, h) in glorot.iter().zip(&he) {
            assert!((h - ratio * g).abs() <= 1e-7 * h.abs() * 3.0, "{g} {h}");
        }
    }
}
