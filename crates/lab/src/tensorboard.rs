//! TensorBoard: what a training measures, and a whole study, as event files that TensorBoard reads.
//!
//! | part | what it does |
//! |---|---|
//! | `message` | protocol buffers, as far as they are needed to write |
//! | `event` | scalars, histograms and hyperparameters as TensorBoard's messages |
//! | `file` | event files: records with checksums |
//! | [`TrainingLog`] | writes while a model is trained, in the layout and under the names of Keras's callback |
//! | [`write_study`] | writes a finished or unfinished study, for the HParams tab |
//!
//! Runs are folders: `train` has the running means that Keras calls loss and accuracy, `validation` those of the test
//! samples, and `train_evaluated` those of the training samples in inference mode, measured on the same weights as
//! `validation`: the gap is the distance of these two.

mod event;
mod file;
mod message;
#[cfg(test)]
mod read_back;
mod study;
mod training;

pub use study::write_study;
pub use training::TrainingLog;

use crate::record::EpochRecord;
use event::Summary;

/// Loss and accuracy of an epoch, as one run has them.
type Scores = fn(&EpochRecord) -> [f64; 2];

/// The runs below a training's folder.
const RUNS: [(&str, Scores); 3] = [
    ("train", |epoch| [epoch.running_loss, epoch.running_accuracy]),
    ("validation", |epoch| [epoch.test_loss, epoch.test_accuracy]),
    ("train_evaluated", |epoch| [epoch.train_loss, epoch.train_accuracy]),
];

/// Loss and accuracy under Keras's names.
fn scores([loss, accuracy]: [f64; 2]) -> Summary {
    Summary::default().scalar("epoch_loss", loss).scalar("epoch_accuracy", accuracy)
}

/// The metrics that the HParams tab shows of a study: run below the session's, tag, name.
const METRICS: [(&str, &str, &str); 4] = [
    ("validation", "epoch_accuracy", "test accuracy"),
    ("train_evaluated", "epoch_accuracy", "training accuracy"),
    ("validation", "epoch_loss", "test loss"),
    ("train_evaluated", "epoch_loss", "training loss"),
];
