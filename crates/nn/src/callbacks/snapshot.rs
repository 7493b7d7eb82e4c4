//! Everything that training changed: enough to go on later with the same bits.

use crate::schedules::LearningRate;

/// The state of a model between two epochs. It does not depend on the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// How many epochs were done: the order of the samples depends on it.
    pub epochs_done: u64,
    /// How many batches were done: dropout and the optimizer depend on it.
    pub steps: u64,
    /// What the optimizer remembers that is the same for all weights.
    pub memory: Vec<f32>,
    /// The learning rate, as callbacks left it.
    pub learning_rate: LearningRate,
    /// Row-major: every variable under its name; what the optimizer keeps of it under `slot_0/` and its name, and so on;
    /// under `accumulated/` the gradients since the last update, and under `average/` its average, where there are any.
    pub tensors: Vec<(String, Vec<f32>)>,
}
