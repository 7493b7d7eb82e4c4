//! The lesson: three models that differ in a few choices, run on the same seeds.
//!
//! | part | what it does |
//! |---|---|
//! | this file | what can be chosen, and the seeds |
//! | `models` | takes the choices, returns the three models with their recipes |
//! | `run` | runs model after model, seed after seed, over the cores |
//! | `record` | writes down data and models as the record holds them |

use crate::error::{LabError, within};
use seedbed_nn::initializers::Initializer;
use seedbed_nn::losses::Loss;
use seedbed_nn::optimizers::Optimizer;

mod models;
pub(crate) mod record;
mod run;

pub use models::{Choices, LessonModel};
pub use run::{Lesson, LessonObserver, TrialPlace};

/// The most seeds a lesson may have.
const MAX_SEEDS: usize = 10_000;

/// What can be chosen about a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonOptions {
    /// How the kernels of model 2 and model 3 start; `glorot_normal` by default.
    pub initializer: Initializer,
    /// The dropout rate of model 3, from 0 to below 1; 0.5 by default.
    pub dropout: f64,
    /// The optimizer of all three models; by default they have adam, nadam and adagrad.
    pub optimizer: Option<Optimizer>,
    /// The loss of all three models; `sparse_categorical_crossentropy` by default.
    pub loss: Option<Loss>,
    /// The l1 penalty on the kernels of model 2 and model 3, at least 0; none by default.
    pub l1: f64,
    /// The l2 penalty on the kernels of model 2 and model 3, at least 0; none by default.
    pub l2: f64,
    /// How many epochs, at least 1; 10 by default.
    pub epochs: usize,
    /// How many pictures a step sees, at least 1; 32 by default.
    pub batch_size: usize,
    /// How many hidden units, at least 1; 128 by default.
    pub hidden: usize,
    /// The first seed; 0 by default.
    pub seed: u64,
    /// How many seeds, from `seed` upwards, the same for every model; 1 by default.
    pub seeds: usize,
    /// How many of the first training pictures are used; all by default.
    pub train_size: Option<usize>,
}

impl Default for LessonOptions {
    fn default() -> Self {
        Self {
            initializer: Initializer::GlorotNormal { seed: None },
            dropout: 0.5,
            optimizer: None,
            loss: None,
            l1: 0.0,
            l2: 0.0,
            epochs: 10,
            batch_size: 32,
            hidden: 128,
            seed: 0,
            seeds: 1,
            train_size: None,
        }
    }
}

impl LessonOptions {
    /// The seeds: `seed`, `seed + 1`, …
    ///
    /// # Errors
    /// [`LabError::Choice`] for no seed, too many, or one beyond 2⁶⁴ − 1.
    pub fn all_seeds(&self) -> Result<Vec<u64>, LabError> {
        within("seeds", self.seeds, 1, MAX_SEEDS)?;
        let last = self.seed.checked_add(self.seeds as u64 - 1).ok_or_else(|| LabError::Choice {
            what: "seed",
            expected: format!(
                "at most {}, so that {} seeds follow one another",
                u64::MAX - (self.seeds as u64 - 1),
                self.seeds
            ),
            received: self.seed.to_string(),
        })?;
        Ok((self.seed..=last).collect())
    }
}
