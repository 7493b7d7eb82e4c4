//! Where pictures come from.
//!
//! A [`DataName`] and a [`Finder`] go in, a [`Dataset`] comes out: from a folder, from the cache, from a mirror, from a
//! person's own files ([`OwnData`]), or, for the built-in digits, drawn on the spot. Every file is verified; nothing
//! here prints.

pub mod catalog;
pub mod idx;
pub mod npy;

mod cache;
mod dataset;
mod digits;
mod download;
mod duplicates;
mod error;
mod find;
mod folder;
mod hash;
mod name;
mod own;
mod pictures;
mod progress;
#[cfg(test)]
mod testing;

pub use dataset::{Dataset, Source};
pub use duplicates::Duplicates;
pub use error::{DataError, Place};
pub use find::{Finder, Loaded, fetch, load, locate};
pub use name::DataName;
pub use own::OwnData;
pub use pictures::{Pictures, Statistics};
pub use progress::Progress;
