//! What a network is and how it learns: layers, plan, kernels, training.
//!
//! No files, no clock, no network, no printing.

pub mod activations;
pub mod config;
pub mod initializers;
pub mod kernels;
pub mod lane;
pub mod names;
pub mod random;
