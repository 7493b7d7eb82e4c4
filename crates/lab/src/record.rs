//! What was run and what came out: plain data, without behaviour beyond reading it.
//!
//! A record holds measurements only. Means, intervals and sentences are computed from it by
//! [`statistics`](crate::statistics) whenever they are shown, so a record never disagrees with its report.

pub(crate) mod bytes;
mod diagnostics;
mod epoch;
#[cfg(test)]
pub(crate) mod example;
mod inspection;
mod lesson;
mod number;
mod numbers;
mod study;
mod trial;

pub use diagnostics::{LayerDiagnostics, LayerState};
pub use epoch::EpochRecord;
pub use inspection::{Inspection, KernelPictures, LayerWeights, Mistake};
pub use lesson::{DatasetRecord, Environment, LayerRow, LessonRecord, ModelRecord, Picture};
pub use numbers::Numbers;
pub use study::{
    Arm, BudgetStream, Design, FactorRecord, LevelRecord, RangeRecord, StudyRecord, StudyTrial, TriedRate,
    TunedRecord, TuningRecord, VariantRecord,
};
pub use trial::{TrialRecord, TrialStatus};
