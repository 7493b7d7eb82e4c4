//! Initializers: the first values of a layer's variables, under Keras's names and with Keras's
//! defaults.
//!
//! All draw from the variable's own stream, or from that of their own seed. Those of the normal
//! family scale the same standard draws, and those of the uniform family too, so that two variants
//! with the same seed differ in nothing but the choice itself.

use crate::config::{self, InvalidParameter, Named, Value, require};
use crate::names::{UnknownName, resolve};
use crate::random::{Purpose, Seed, Stream, Streams};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

mod constant;
mod identity;
mod orthogonal;
mod random_normal;
mod random_uniform;
#[cfg(test)]
mod testing;
mod truncated_normal;
mod variance_scaling;

pub use variance_scaling::{Distribution, FanMode, fans};

/// An initializer with its parameters.
///
/// ```
/// use seedbed_nn::initializers::Initializer;
/// use seedbed_nn::random::{Purpose, Seed, Streams};
///
/// let initializer: Initializer = "glorot_normal".parse()?;
/// let mut stream = Streams::new(Seed(7)).open(Purpose::Init, "dense/kernel", 0);
/// let mut kernel = vec![0.0; 784 * 128];
/// initializer.fill(&mut stream, &[784, 128], &mut kernel);
/// # Ok::<(), seedbed_nn::names::UnknownName>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "snake_case")]
pub enum Initializer {
    /// 0 everywhere.
    Zeros,
    /// 1 everywhere.
    Ones,
    /// The same value everywhere.
    Constant {
        /// The value: finite; 0.
        value: f64,
    },
    /// Normal.
    RandomNormal {
        /// The mean: finite; 0.
        mean: f64,
        /// The standard deviation: finite, not negative; 0.05.
        stddev: f64,
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Uniform.
    RandomUniform {
        /// The lower bound: finite; −0.05.
        minval: f64,
        /// The upper bound: finite, not below `minval`; 0.05.
        maxval: f64,
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Normal, drawn again where it is more than two standard deviations from the mean.
    TruncatedNormal {
        /// The mean: finite; 0.
        mean: f64,
        /// The standard deviation before the cut: finite, not negative; 0.05.
        stddev: f64,
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Random, of variance scale / fan.
    VarianceScaling {
        /// The scale: finite, above 0; 1.
        scale: f64,
        /// Which fan; `fan_in`.
        mode: FanMode,
        /// What to draw from; `truncated_normal`.
        distribution: Distribution,
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Truncated normal of variance 2 / (inputs + outputs).
    GlorotNormal {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Uniform of variance 2 / (inputs + outputs).
    GlorotUniform {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Truncated normal of variance 2 / inputs.
    HeNormal {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Uniform of variance 2 / inputs.
    HeUniform {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Truncated normal of variance 1 / inputs.
    LecunNormal {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Uniform of variance 1 / inputs.
    LecunUniform {
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// A random matrix with orthonormal columns or rows; at least two axes.
    Orthogonal {
        /// A factor: finite; 1.
        gain: f64,
        /// See [`Initializer::stream`]; none.
        seed: Option<u32>,
    },
    /// Ones on the diagonal; two axes.
    Identity {
        /// A factor: finite; 1.
        gain: f64,
    },
}

/// Every name with its default parameters; the last are Keras's aliases and other common words.
const TABLE: &[(&str, Initializer)] = &[
    ("zeros", Initializer::Zeros),
    ("ones", Initializer::Ones),
    ("constant", Initializer::Constant { value: 0.0 }),
    ("random_normal", RANDOM_NORMAL),
    ("random_uniform", RANDOM_UNIFORM),
    ("truncated_normal", Initializer::TruncatedNormal { mean: 0.0, stddev: 0.05, seed: None }),
    (
        "variance_scaling",
        Initializer::VarianceScaling {
            scale: 1.0,
            mode: FanMode::FanIn,
            distribution: Distribution::TruncatedNormal,
            seed: None,
        },
    ),
    ("glorot_normal", Initializer::GlorotNormal { seed: None }),
    ("glorot_uniform", Initializer::GlorotUniform { seed: None }),
    ("he_normal", Initializer::HeNormal { seed: None }),
    ("he_uniform", Initializer::HeUniform { seed: None }),
    ("lecun_normal", Initializer::LecunNormal { seed: None }),
    ("lecun_uniform", Initializer::LecunUniform { seed: None }),
    ("orthogonal", ORTHOGONAL),
    ("identity", IDENTITY),
    ("zero", Initializer::Zeros),
    ("one", Initializer::Ones),
    ("normal", RANDOM_NORMAL),
    ("uniform", RANDOM_UNIFORM),
    ("random", RANDOM_NORMAL),
    ("xavier", Initializer::GlorotNormal { seed: None }),
    ("xavier_normal", Initializer::GlorotNormal { seed: None }),
    ("xavier_uniform", Initializer::GlorotUniform { seed: None }),
    ("kaiming_normal", Initializer::HeNormal { seed: None }),
    ("kaiming_uniform", Initializer::HeUniform { seed: None }),
    ("OrthogonalInitializer", ORTHOGONAL),
    ("IdentityInitializer", IDENTITY),
];
const RANDOM_NORMAL: Initializer = Initializer::RandomNormal { mean: 0.0, stddev: 0.05, seed: None };
const RANDOM_UNIFORM: Initializer = Initializer::RandomUniform { minval: -0.05, maxval: 0.05, seed: None };
const ORTHOGONAL: Initializer = Initializer::Orthogonal { gain: 1.0, seed: None };
const IDENTITY: Initializer = Initializer::Identity { gain: 1.0 };

impl Initializer {
    /// Keras's name of each initializer.
    pub const NAMES: [&'static str; 15] = [
        "zeros",
        "ones",
        "constant",
        "random_normal",
        "random_uniform",
        "truncated_normal",
        "variance_scaling",
        "glorot_normal",
        "glorot_uniform",
        "he_normal",
        "he_uniform",
        "lecun_normal",
        "lecun_uniform",
        "orthogonal",
        "identity",
    ];

    /// Keras's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Ones => "ones",
            Self::Constant { .. } => "constant",
            Self::RandomNormal { .. } => "random_normal",
            Self::RandomUniform { .. } => "random_uniform",
            Self::TruncatedNormal { .. } => "truncated_normal",
            Self::VarianceScaling { .. } => "variance_scaling",
            Self::GlorotNormal { .. } => "glorot_normal",
            Self::GlorotUniform { .. } => "glorot_uniform",
            Self::HeNormal { .. } => "he_normal",
            Self::HeUniform { .. } => "he_uniform",
            Self::LecunNormal { .. } => "lecun_normal",
            Self::LecunUniform { .. } => "lecun_uniform",
            Self::Orthogonal { .. } => "orthogonal",
            Self::Identity { .. } => "identity",
        }
    }

    /// Fills a variable of a shape, in row-major order; `out` has as many values as the shape.
    ///
    /// The shape must have passed [`Initializer::validate_shape`].
    pub fn fill(&self, stream: &mut Stream, shape: &[usize], out: &mut [f32]) {
        use Distribution::{TruncatedNormal, Uniform};
        use FanMode::{FanAvg, FanIn};
        let mut scaled = |scale, mode, distribution| {
            variance_scaling::fill(scale, mode, distribution, &mut *stream, shape, &mut *out);
        };
        match *self {
            Self::VarianceScaling { scale, mode, distribution, .. } => scaled(scale, mode, distribution),
            Self::GlorotNormal { .. } => scaled(1.0, FanAvg, TruncatedNormal),
            Self::GlorotUniform { .. } => scaled(1.0, FanAvg, Uniform),
            Self::HeNormal { .. } => scaled(2.0, FanIn, TruncatedNormal),
            Self::HeUniform { .. } => scaled(2.0, FanIn, Uniform),
            Self::LecunNormal { .. } => scaled(1.0, FanIn, TruncatedNormal),
            Self::LecunUniform { .. } => scaled(1.0, FanIn, Uniform),
            Self::Zeros => constant::fill(0.0, out),
            Self::Ones => constant::fill(1.0, out),
            Self::Constant { value } => constant::fill(value, out),
            Self::RandomNormal { mean, stddev, .. } => random_normal::fill(mean, stddev, stream, out),
            Self::RandomUniform { minval, maxval, .. } => random_uniform::fill(minval, maxval, stream, out),
            Self::TruncatedNormal { mean, stddev, .. } => truncated_normal::fill(mean, stddev, stream, out),
            Self::Orthogonal { gain, .. } => orthogonal::fill(gain, stream, shape, out),
            Self::Identity { gain } => identity::fill(gain, shape, out),
        }
    }

    /// The seed of its own, where it may have one.
    fn seed(&self) -> Option<Option<u32>> {
        match *self {
            Self::Zeros | Self::Ones | Self::Constant { .. } | Self::Identity { .. } => None,
            Self::RandomNormal { seed, .. }
            | Self::RandomUniform { seed, .. }
            | Self::TruncatedNormal { seed, .. }
            | Self::VarianceScaling { seed, .. }
            | Self::GlorotNormal { seed }
            | Self::GlorotUniform { seed }
            | Self::HeNormal { seed }
            | Self::HeUniform { seed }
            | Self::LecunNormal { seed }
            | Self::LecunUniform { seed }
            | Self::Orthogonal { seed, .. } => Some(seed),
        }
    }

    /// What a variable's first values are drawn from. With a seed an initializer draws the same numbers wherever it
    /// stands and whatever the run's seed, as in Keras; otherwise each variable has a stream of its own.
    pub fn stream(&self, streams: &Streams, variable: &str) -> Stream {
        match self.seed().flatten() {
            Some(seed) => Streams::new(Seed(seed.into())).open(Purpose::Init, "seeded initializer", 0),
            None => streams.open(Purpose::Init, variable, 0),
        }
    }

    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`InvalidParameter`] for a parameter that is not finite, a negative `stddev`, a `scale` that
    /// is not above 0, or a `maxval` below `minval`.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        const FINITE: &str = "a finite number";
        let check =
            |ok, parameter, expected, received: f64| require(ok, self.name(), parameter, expected, received);
        match *self {
            Self::Constant { value } => check(value.is_finite(), "value", FINITE, value),
            Self::RandomNormal { mean, stddev, .. } | Self::TruncatedNormal { mean, stddev, .. } => {
                check(mean.is_finite(), "mean", FINITE, mean)?;
                check(stddev.is_finite() && stddev >= 0.0, "stddev", "a finite number from 0", stddev)
            }
            Self::RandomUniform { minval, maxval, .. } => {
                check(minval.is_finite(), "minval", FINITE, minval)?;
                check(maxval.is_finite() && maxval >= minval, "maxval", "a finite number from minval", maxval)
            }
            Self::VarianceScaling { scale, .. } => {
                check(scale.is_finite() && scale > 0.0, "scale", "a finite number above 0", scale)
            }
            Self::Orthogonal { gain, .. } | Self::Identity { gain } => {
                check(gain.is_finite(), "gain", FINITE, gain)
            }
            _ => Ok(()),
        }
    }

    /// Refuses a shape that the initializer is not for.
    ///
    /// # Errors
    /// [`InvalidParameter`] where `identity` has not two axes, or `orthogonal` fewer than two.
    pub fn validate_shape(&self, shape: &[usize]) -> Result<(), InvalidParameter> {
        let (ok, expected) = match self {
            Self::Identity { .. } => (shape.len() == 2, "two-dimensional"),
            Self::Orthogonal { .. } => (shape.len() >= 2, "at least two-dimensional"),
            _ => return Ok(()),
        };
        require(ok, self.name(), "shape", expected, format_args!("{shape:?}"))
    }
}

impl fmt::Display for Initializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Initializer {
    type Err = UnknownName;

    /// An initializer by its name, with default parameters.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        resolve("initializer", name, TABLE)
    }
}

impl Named for Initializer {
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        name.parse()
    }
    fn name(&self) -> &'static str {
        self.name()
    }
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let mut parameters: Vec<(&'static str, Value)> = match *self {
            Self::Constant { value } => vec![("value", value.into())],
            Self::RandomNormal { mean, stddev, .. } | Self::TruncatedNormal { mean, stddev, .. } => {
                vec![("mean", mean.into()), ("stddev", stddev.into())]
            }
            Self::RandomUniform { minval, maxval, .. } => {
                vec![("minval", minval.into()), ("maxval", maxval.into())]
            }
            Self::VarianceScaling { scale, mode, distribution, .. } => vec![
                ("scale", scale.into()),
                ("mode", mode.name().into()),
                ("distribution", distribution.name().into()),
            ],
            Self::Orthogonal { gain, .. } | Self::Identity { gain } => vec![("gain", gain.into())],
            _ => Vec::new(),
        };
        if let Some(seed) = self.seed() {
            parameters.push(("seed", seed.map(u64::from).into()));
        }
        parameters
    }
    fn validate(&self) -> Result<(), InvalidParameter> {
        self.validate()
    }
    fn from_table(table: Value) -> Result<Self, serde::de::value::Error> {
        Self::deserialize(table)
    }
}

/// The name alone where all parameters have their defaults, a table otherwise.
impl Serialize for Initializer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        config::serialize(self, to)
    }
}

/// A name, or a table with a name and parameters.
impl<'de> Deserialize<'de> for Initializer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        config::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::filled;
    use super::*;

    fn read(json: &str) -> Result<Initializer, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_table_agree() {
        for (&name, (key, initializer)) in Initializer::NAMES.iter().zip(TABLE) {
            assert_eq!((name, name), (*key, initializer.name()));
            let json = serde_json::to_string(initializer).unwrap();
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(read(&json), Ok(*initializer));
            assert_eq!(read(&format!("{{\"name\":{json}}}")), Ok(*initializer));
            assert!(initializer.validate().is_ok());
        }
    }

    #[test]
    fn class_names_and_other_words_are_understood() {
        for (word, name) in [
            ("GlorotUniform", "glorot_uniform"),
            ("LecunNormal", "lecun_normal"),
            ("xavier", "glorot_normal"),
            ("kaiming_uniform", "he_uniform"),
            ("random", "random_normal"),
            ("zero", "zeros"),
            ("OrthogonalInitializer", "orthogonal"),
        ] {
            assert_eq!(word.parse::<Initializer>().unwrap().name(), name);
        }
    }

    #[test]
    fn parameters_survive_a_file() {
        let (mode, distribution) = (FanMode::FanAvg, Distribution::Uniform);
        for initializer in [
            Initializer::Constant { value: 0.5 },
            Initializer::RandomNormal { mean: 0.0, stddev: 0.1, seed: None },
            Initializer::TruncatedNormal { mean: 1.0, stddev: 0.05, seed: None },
            Initializer::RandomUniform { minval: 0.0, maxval: 1.0, seed: None },
            Initializer::VarianceScaling { scale: 2.0, mode, distribution, seed: None },
            Initializer::Orthogonal { gain: 2.0, seed: None },
            Initializer::Identity { gain: 0.1 },
        ] {
            let json = serde_json::to_string(&initializer).unwrap();
            assert_eq!(read(&json), Ok(initializer), "{json}");
        }
        let seeded = read(r#"{"name":"he_uniform","seed":7}"#);
        assert_eq!(seeded, Ok(Initializer::HeUniform { seed: Some(7) }));
        assert_eq!(serde_json::to_string(&seeded.unwrap()).unwrap(), r#"{"name":"he_uniform","seed":7}"#);
        assert_eq!(read(r#"{"name":"he_uniform","seed":null}"#), read("\"he_uniform\""));
        let partial = read(r#"{"name":"random_normal","stddev":0.1}"#);
        assert_eq!(partial, Ok(Initializer::RandomNormal { mean: 0.0, stddev: 0.1, seed: None }));
        let kerasian = read(r#"{"name":"variance_scaling","distribution":"normal"}"#);
        assert_eq!(kerasian, read("\"variance_scaling\""));
    }

    #[test]
    fn bad_input_is_refused_and_explained() {
        for (json, expected) in [
            ("\"glorot_norml\"", "unknown initializer `glorot_norml`, did you mean `glorot_normal`?"),
            (
                r#"{"name":"random_normal","stddev":-1}"#,
                "random_normal: stddev must be a finite number from 0, but is -1",
            ),
            (
                r#"{"name":"random_uniform","minval":1}"#,
                "random_uniform: maxval must be a finite number from minval, but is 0.05",
            ),
            (
                r#"{"name":"variance_scaling","scale":0}"#,
                "variance_scaling: scale must be a finite number above 0, but is 0",
            ),
            (r#"{"name":"variance_scaling","mode":"fan"}"#, "variance_scaling: unknown variant `fan`"),
            (r#"{"name":"he_normal","seed":-1}"#, "he_normal: invalid value: integer `-1`"),
            (r#"{"name":"zeros","value":1}"#, "zeros has no parameters, but `value` was given"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn a_seed_draws_the_same_numbers_everywhere() {
        let of = |name: &str, seed: Option<u32>, run: u64, variable: &str| {
            let mut json = serde_json::json!({"name": name});
            json["seed"] = seed.into();
            let initializer: Initializer = serde_json::from_value(json).unwrap();
            let mut out = vec![f32::NAN; 12];
            let mut stream = initializer.stream(&Streams::new(Seed(run)), variable);
            initializer.fill(&mut stream, &[4, 3], &mut out);
            out
        };
        let seeded = Initializer::NAMES
            .into_iter()
            .filter(|name| name.parse::<Initializer>().unwrap().seed().is_some());
        let seeded: Vec<&str> = seeded.collect();
        assert_eq!(seeded.len(), 11);
        for name in seeded {
            let expected = of(name, Some(3), 1, "dense/kernel");
            assert_eq!(of(name, Some(3), 2, "dense_1/kernel"), expected, "{name}");
            assert_ne!(of(name, Some(4), 1, "dense/kernel"), expected, "{name}");
            assert_ne!(of(name, None, 3, "dense/kernel"), expected, "{name}");
            assert_ne!(of(name, None, 1, "dense/kernel"), of(name, None, 1, "dense_1/kernel"), "{name}");
        }
    }

    /// An independent calculation (Python, double precision, NumPy's QR) agrees to 1e-6 of each.
    #[test]
    fn weights_are_pinned() {
        for (name, expected) in [
            ("glorot_uniform", [0.399_865_87, 0.610_647_2, -0.292_172_4, 0.622_264_3]),
            ("random_normal", [0.005_938_955, 0.009_069_557, -0.011_381_211, 0.024_239_536]),
            ("glorot_normal", [0.057_578_56, 0.087_929_96, -0.110_341_586, 0.235_003_89]),
            ("orthogonal", [0.070_386_52, 0.111_427_61, -0.156_429_77, 0.073_340_036]),
        ] {
            assert_eq!(filled(&name.parse().unwrap(), &[6, 5])[..4], expected, "{name}");
        }
    }
}
