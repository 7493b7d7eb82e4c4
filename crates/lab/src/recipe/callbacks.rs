//! Callbacks as a model file writes them, in Keras's words:
//!
//! ```toml
//! [[fit.callbacks]]
//! class_name = "EarlyStopping"
//! monitor = "val_loss"
//! patience = 3
//! restore_best_weights = true
//! ```
//!
//! What they do stands in `seedbed_nn::callbacks`; the files that some of them write, in [`trial`](crate::trial).

use super::file_pattern::FilePattern;
use super::numbered::Numbered;
use seedbed_nn::callbacks::Mode;
use seedbed_nn::choices::{Choice, DefaultValue, Parameter};
use seedbed_nn::names::resolve;
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The default of a parameter; one without a default must be given.
macro_rules! default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

/// Writes, from one table: each callback's struct with its defaults, the enum of all, and how they are read and written.
macro_rules! callbacks {
    ($($(#[$doc:meta])* $class:ident {
        $($(#[$about:meta])* $field:ident: $type:ty $(= $default:expr)?,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $class {
                $($(#[$about])* pub $field: $type,)*
            }

            impl Default for $class {
                fn default() -> Self {
                    Self { $($field: default!($($default)?),)* }
                }
            }

            impl From<$class> for CallbackRecipe {
                fn from(callback: $class) -> Self {
                    Self::$class(callback)
                }
            }
        )*

        /// A callback as a recipe has it.
        #[derive(Clone, Debug, PartialEq)]
        pub enum CallbackRecipe {
            $($(#[$doc])* $class($class),)*
        }

        impl CallbackRecipe {
            /// Every one with its default parameters.
            fn all() -> [(&'static str, Self); [$(stringify!($class)),*].len()] {
                [$((stringify!($class), $class::default().into())),*]
            }

            /// Keras's name.
            pub fn class_name(&self) -> &'static str {
                match self {
                    $(Self::$class(_) => stringify!($class),)*
                }
            }

            /// Each parameter's name, its value, and whether it must be given; `null` is no value.
            fn parameters(&self) -> Vec<(&'static str, Value, bool)> {
                let value = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
                match self {
                    $(Self::$class(_callback) => vec![$((
                        stringify!($field),
                        value(serde_json::to_value(&_callback.$field)),
                        stringify!($($default)?).is_empty(),
                    ),)*],)*
                }
            }

            /// The same with what `table` gives.
            fn with(self, table: &mut Map<String, Value>) -> Result<Self, String> {
                Ok(match self {
                    $(Self::$class(_callback) => $class {
                        $($field: take(table, stringify!($field), _callback.$field)?,)*
                    }.into(),)*
                })
            }
        }
    };
}

callbacks! {
    /// Ends the training when a number has not improved for some epochs.
    EarlyStopping {
        /// The number, by its name in the history.
        monitor: String = "val_loss".to_owned(),
        /// Changes up to this are no improvement.
        min_delta: f64 = 0.0,
        /// How many epochs without improvement end it.
        patience: usize = 0,
        /// Which way the number gets better.
        mode: Mode = Mode::Auto,
        /// What the number must become better than.
        baseline: Option<f64> = None,
        /// Whether the model ends with the weights of its best epoch.
        restore_best_weights: bool = false,
        /// Before this epoch, counted from 0, nothing is looked at.
        start_from_epoch: usize = 0,
    }

    /// Multiplies the learning rate when a number has not improved for some epochs.
    ReduceLROnPlateau {
        /// The number, by its name in the history.
        monitor: String = "val_loss".to_owned(),
        /// What the rate is multiplied with, between 0 and 1.
        factor: f64 = 0.1,
        /// After how many epochs without improvement.
        patience: usize = 10,
        /// Which way the number gets better.
        mode: Mode = Mode::Auto,
        /// Changes up to this are no improvement.
        min_delta: f64 = 1e-4,
        /// For how many epochs after a reduction nothing is counted.
        cooldown: usize = 0,
        /// Below this the rate never falls.
        min_lr: f64 = 0.0,
    }

    /// Sets the learning rate by the epoch. Keras takes a function; a file has a table.
    LearningRateScheduler {
        /// The rate from an epoch on, counted from 0; before the first of them it is the optimizer's.
        schedule: Numbered,
    }

    /// Writes the model, or its weights, after every epoch or after the best so far.
    ModelCheckpoint {
        /// The file's name, in which `{epoch:02d}` and `{val_loss:.2f}` stand for numbers.
        filepath: String,
        /// The number that must be the best so far, by its name in the history.
        monitor: String = "val_loss".to_owned(),
        /// Whether only the best are written.
        save_best_only: bool = false,
        /// Whether weights are written instead of the whole model.
        save_weights_only: bool = false,
        /// Which way the number gets better.
        mode: Mode = Mode::Auto,
        /// When it is written.
        save_freq: SaveFreq = SaveFreq::Epoch,
        /// What the number must be better than from the beginning.
        initial_value_threshold: Option<f64> = None,
    }

    /// Writes a line of numbers per epoch.
    CSVLogger {
        /// The file's name.
        filename: String,
        /// What stands between numbers.
        separator: String = ",".to_owned(),
        /// Whether lines are added to those that the file has.
        append: bool = false,
    }

    /// Scores the averages that the optimizer's `use_ema` keeps, instead of the weights that are trained.
    SwapEMAWeights {
        /// Whether the averages also stand in the weights' place from the end of each epoch to the start of the next.
        swap_on_epoch: bool = false,
    }

    /// Ends the training where the loss is not a finite number, as every training here ends.
    TerminateOnNaN {}

    /// Keeps the state of the training after every epoch, so that it goes on after an interruption, with the same bits.
    BackupAndRestore {
        /// The folder where it is kept; nothing else may be there.
        backup_dir: String,
        /// When it is kept.
        save_freq: SaveFreq = SaveFreq::Epoch,
    }
}

/// When something is written: after every epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// `"epoch"`.
    #[default]
    Epoch,
}

impl Serialize for SaveFreq {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("epoch")
    }
}

impl<'de> Deserialize<'de> for SaveFreq {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) if text == "epoch" => Ok(Self::Epoch),
            other => Err(D::Error::custom(format!(
                "expected \"epoch\", received {other}; files are written after whole epochs only"
            ))),
        }
    }
}

/// Takes a parameter out of a table, or its default.
fn take<T: DeserializeOwned>(table: &mut Map<String, Value>, name: &str, default: T) -> Result<T, String> {
    match table.remove(name) {
        Some(value) => serde_json::from_value(value).map_err(|error| format!("{name}: {error}")),
        None => Ok(default),
    }
}

impl Serialize for CallbackRecipe {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("class_name", self.class_name())?;
        for (name, value, _) in self.parameters().iter().filter(|(_, value, _)| !value.is_null()) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for CallbackRecipe {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(Map::deserialize(from)?).map_err(D::Error::custom)
    }
}

fn read(mut table: Map<String, Value>) -> Result<CallbackRecipe, String> {
    let Some(Value::String(name)) = table.remove("class_name") else {
        return Err("callbacks: each needs a `class_name`, as in class_name = \"EarlyStopping\"".to_owned());
    };
    let default = resolve("callback", &name, &CallbackRecipe::all()).map_err(|error| error.to_string())?;
    let (class, parameters) = (default.class_name(), default.parameters());
    let of = |problem: String| format!("{class}: {problem}");
    if let Some((missing, ..)) =
        parameters.iter().find(|(name, _, needed)| *needed && !table.contains_key(*name))
    {
        return Err(of(format!("expected `{missing}`, which has no default")));
    }
    let callback = default.with(&mut table).map_err(of)?;
    let known: Vec<(&str, ())> = parameters.iter().map(|(name, ..)| (*name, ())).collect();
    match table.keys().next() {
        Some(stranger) if known.is_empty() => {
            Err(of(format!("it has no parameters, but `{stranger}` was given")))
        }
        Some(stranger) => Err(of(resolve("parameter", stranger, &known).err().map_or_else(
            || format!("`{stranger}` is spelled otherwise; known are {}", listed(&known)),
            |error| error.to_string(),
        ))),
        None => Ok(callback),
    }
}

fn listed(known: &[(&str, ())]) -> String {
    known.iter().map(|(name, ())| *name).collect::<Vec<_>>().join(", ")
}

/// Every callback with its parameters and their defaults.
pub fn choices() -> Vec<Choice> {
    let choice = |(name, callback): (&'static str, CallbackRecipe)| {
        let parameters = callback.parameters().into_iter().map(|(name, value, needed)| {
            let default = if needed { None } else { DefaultValue::deserialize(value).ok() };
            Parameter { name, default }
        });
        Choice { name, parameters: parameters.collect() }
    };
    CallbackRecipe::all().into_iter().map(choice).collect()
}

/// Refuses what is not `ok`.
fn require(ok: bool, what: &str, expected: &str, received: impl std::fmt::Display) -> Result<(), String> {
    if ok { Ok(()) } else { Err(format!("{what}: expected {expected}, received {received}")) }
}

impl CallbackRecipe {
    /// Whether it writes files.
    pub fn writes_files(&self) -> bool {
        matches!(self, Self::ModelCheckpoint(_) | Self::CSVLogger(_) | Self::BackupAndRestore(_))
    }

    /// Whether it changes the learning rate.
    pub(super) fn changes_learning_rate(&self) -> bool {
        matches!(self, Self::ReduceLROnPlateau(_) | Self::LearningRateScheduler(_))
    }

    /// Refuses parameters out of range; `measured` are the names of the history.
    pub(super) fn validate(&self, measured: &[String]) -> Result<(), String> {
        match self {
            Self::EarlyStopping(EarlyStopping { monitor, min_delta, baseline, .. }) => {
                known(monitor, measured)?;
                require(min_delta.is_finite(), "min_delta", "a finite number", min_delta)?;
                let baseline = baseline.unwrap_or_default();
                require(baseline.is_finite(), "baseline", "a finite number", baseline)
            }
            Self::ReduceLROnPlateau(ReduceLROnPlateau { monitor, factor, min_delta, min_lr, .. }) => {
                known(monitor, measured)?;
                require(*factor > 0.0 && *factor < 1.0, "factor", "a number above 0 and below 1", factor)?;
                require(min_delta.is_finite(), "min_delta", "a finite number", min_delta)?;
                require(min_lr.is_finite() && *min_lr >= 0.0, "min_lr", "a finite number ≥ 0", min_lr)
            }
            Self::LearningRateScheduler(LearningRateScheduler { schedule }) => {
                require(
                    !schedule.is_empty(),
                    "schedule",
                    "a rate from an epoch on, as in { \"0\" = 0.1 }",
                    "none",
                )?;
                schedule.0.values().try_for_each(|rate| {
                    require(rate.is_finite() && *rate > 0.0, "schedule", "finite rates > 0", rate)
                })
            }
            Self::ModelCheckpoint(checkpoint) => checkpoint.validate(measured),
            Self::CSVLogger(CSVLogger { filename, separator, .. }) => {
                require(!filename.is_empty(), "filename", "a file's name", "none")?;
                let ok = !separator.is_empty() && !separator.contains(['\n', '\r']);
                require(ok, "separator", "what stands between numbers, as in \",\"", format!("{separator:?}"))
            }
            Self::SwapEMAWeights(_) | Self::TerminateOnNaN(_) => Ok(()),
            Self::BackupAndRestore(BackupAndRestore { backup_dir, .. }) => {
                require(!backup_dir.is_empty(), "backup_dir", "a folder's name", "none")
            }
        }
    }
}

impl ModelCheckpoint {
    fn validate(&self, measured: &[String]) -> Result<(), String> {
        if self.save_best_only {
            known(&self.monitor, measured)?;
        }
        let of = |problem: String| format!("filepath: {problem}");
        let pattern = FilePattern::parse(&self.filepath).map_err(of)?;
        let mut named = pattern.names().filter(|name| *name != "epoch");
        named.try_for_each(|name| {
            known(name, measured).map_err(|_| {
                let known = measured.join(", ");
                of(format!(
                    "expected names between braces that are measured: epoch, {known}; received {name}"
                ))
            })
        })?;
        let (endings, expected): (&[&str], _) = if self.save_weights_only {
            let expected =
                "a name that ends with .weights.h5, .safetensors or .npz, as save_weights_only is on";
            (&[".weights.h5", ".safetensors", ".npz"], expected)
        } else {
            let others = "with save_weights_only = true, .weights.h5, .safetensors or .npz";
            (&[".keras"], &format!("a name that ends with .keras; {others}"))
        };
        let fits = endings.iter().any(|ending| self.filepath.ends_with(ending));
        require(fits, "filepath", expected, &self.filepath)?;
        let threshold = self.initial_value_threshold.unwrap_or_default();
        require(!threshold.is_nan(), "initial_value_threshold", "a number", threshold)
    }
}

/// Refuses a number that is not in the history.
fn known(monitor: &str, measured: &[String]) -> Result<(), String> {
    if measured.iter().any(|name| name == monitor) {
        return Ok(());
    }
    let names = measured.join(", ");
    let validated = measured.iter().any(|name| name == "val_loss");
    if monitor.starts_with("val_") && !validated {
        return Err(format!(
            "monitor: expected one of {names}, received {monitor}; give the fit a validation_split or validation_data, \
             and there is a {monitor}"
        ));
    }
    let table: Vec<(&str, ())> = measured.iter().map(|name| (name.as_str(), ())).collect();
    let nearest = resolve("number", monitor, &table).err().and_then(|error| error.nearest);
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    Err(format!("monitor: expected one of {names}, received {monitor}{hint}"))
}
