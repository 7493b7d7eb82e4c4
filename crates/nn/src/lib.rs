//! What a network is and how it learns: layers, plan, kernels, training.
//!
//! No files, no clock, no network, no printing. A [`Sequential`] describes a model;
//! [`Sequential::compile`] makes a [`Model`], which can be fitted, evaluated and asked to predict.
//!
//! ```
//! use seedbed_nn::prelude::*;
//!
//! let (inputs, labels) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0, 1, 1, 0]);
//! let examples = Examples::classes([2], &inputs, &labels)?;
//! let mut model = Sequential::new([2])
//!     .add(Dense::new(16).activation(Activation::Tanh))
//!     .add(Dense::new(2).activation(Activation::Softmax))
//!     .compile(Compile::new("adam".parse::<Optimizer>()?.learning_rate(0.05), "sparse_categorical_crossentropy".parse()?))?;
//! model.fit(&examples, Fit::new().epochs(200))?;
//! assert_eq!(model.evaluate(&examples)?.accuracy(), 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod activations;
pub mod callbacks;
pub mod choices;
mod config;
pub mod constraints;
pub mod error;
pub mod examples;
pub mod history;
pub mod initializers;
pub mod kernels;
pub mod lane;
pub mod layers;
pub mod losses;
pub mod metrics;
pub mod model;
pub mod names;
pub mod ops;
pub mod optimizers;
pub mod plan;
pub mod random;
pub mod regularizers;
pub mod schedules;
pub mod sequential;
pub mod shape;
pub mod summary;
pub mod window;

pub use config::InvalidParameter;
pub use history::History;
pub use model::Model;
pub use plan::run::Score;
pub use sequential::Sequential;

/// Everything that a program usually needs.
pub mod prelude {
    pub use crate::activations::Activation;
    pub use crate::callbacks::{
        Callback, CsvLogger, EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLrOnPlateau,
        Snapshot, SwapEmaWeights,
    };
    pub use crate::error::ModelError;
    pub use crate::examples::{Examples, Normalization};
    pub use crate::history::{Ending, History};
    pub use crate::initializers::Initializer;
    pub use crate::kernels::SimdLevel;
    pub use crate::layers::*;
    pub use crate::losses::{
        BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
        CategoricalGeneralizedCrossEntropy, CategoricalHinge, CosineSimilarity, Dice, Hinge, Huber,
        KlDivergence, LogCosh, Loss, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
        MeanSquaredLogarithmicError, Poisson, Reduction, SparseCategoricalCrossentropy, SquaredHinge,
        Tversky,
    };
    pub use crate::metrics::Metric;
    pub use crate::model::{Compile, Fit, Model};
    pub use crate::optimizers::{
        Adadelta, Adafactor, Adagrad, Adam, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, Optimizer, RmsProp, Sgd,
    };
    pub use crate::regularizers::Regularizer;
    pub use crate::sequential::Sequential;
    pub use crate::window::Padding;
}
