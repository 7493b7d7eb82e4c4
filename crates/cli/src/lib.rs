//! Seedbed, a neural-network lab: what does a training choice really do to training accuracy and to test accuracy?
//!
//! This crate is the published face of the others: [`nn`] is the engine in Keras's words, [`data`] finds pictures,
//! [`lab`] runs trials and compares them. [`prelude`] holds what a program usually needs.
//!
//! ```
//! use seedbed::prelude::*;
//!
//! let digits = load_data("digits")?;
//! let data = Prepared::new(&digits.dataset, &DataRecipe { train_size: Some(500), ..DataRecipe::default() })?;
//! let mut model = Sequential::new([28, 28])
//!     .add(Flatten::new())
//!     .add(Dense::new(10).activation(Activation::Softmax))
//!     .compile(Compile::new(Adam::default(), "sparse_categorical_crossentropy".parse()?))?;
//! model.fit(data.train(), Fit::new().epochs(2))?;
//! assert!(model.evaluate(data.test())?.accuracy() > 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod progress_bar;

pub use progress_bar::ProgressBar;
pub use seedbed_data as data;
pub use seedbed_lab as lab;
pub use seedbed_nn as nn;

/// Everything that a program usually needs.
pub mod prelude {
    pub use crate::{ProgressBar, load_data};
    pub use seedbed_data::{DataName, Dataset};
    pub use seedbed_lab::prepared::Prepared;
    pub use seedbed_lab::recipe::{DataRecipe, Recipe};
    pub use seedbed_nn::prelude::*;
}

/// Loads a dataset by name from the usual places: `$SEEDBED_DATA`, the cache, the mirrors. `auto` is MNIST where that
/// can be had, otherwise the built-in digits, and the notice says so.
///
/// # Errors
/// For an unknown name, or data that are damaged or cannot be had.
///
/// ```
/// let loaded = seedbed::load_data("digits")?;
/// assert_eq!(loaded.dataset.train.count, 60_000);
/// assert!(seedbed::load_data("digit").is_err());
/// # Ok::<(), seedbed::data::DataError>(())
/// ```
pub fn load_data(name: &str) -> Result<data::Loaded, data::DataError> {
    data::load(&name.parse()?, &data::Finder::from_env(None), &mut |_| {})
}

/// The README's examples.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
