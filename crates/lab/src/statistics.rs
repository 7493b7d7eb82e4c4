//! Numbers and their uncertainty: pure functions over plain data.
//!
//! Everything here answers `None` where a number would be a guess: one run has a mean but no spread, no interval and
//! no p-value. Values are in the caller's units; accuracies are fractions from 0 to 1 throughout.

pub mod anova;
pub mod bootstrap;
pub mod effect_size;
pub mod histogram;
pub mod holm;
pub mod importance;
pub mod mcnemar;
pub mod paired;
pub mod permutation;
pub mod planner;
pub mod power;
pub mod resample;
pub mod sentence;
pub mod spread;
pub mod summary;
pub mod symmetry;

mod draw;

#[cfg(test)]
mod fixture;
