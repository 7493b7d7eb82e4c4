//! What a network is and how it learns: layers, plan, kernels, training.
//!
//! No files, no clock, no network, no printing.

pub mod kernels;
pub mod lane;
pub mod random;
