//! From recipes to trials, from trials to answers: runs the engine, records what came out, draws statistics and the
//! report from that.
//!
//! | part | what it does |
//! |---|---|
//! | [`error`], [`files`] | what can go wrong; writing files whole or not at all |
//! | [`format`](mod@format) | how a number is written, the same in the terminal and on the page |
//! | [`statistics`] | takes numbers, returns differences with their uncertainty, and sentences about them |
//! | [`record`] | what was run and what came out, as plain data that can be saved and read again |
//! | [`recipe`] | everything that decides a run but the seed: the model file |
//! | [`formats`] | models and weights as files of other programs |
//! | [`prepared`] | a dataset as a recipe wants it |
//! | [`trial`] | runs one recipe with one seed and its callbacks, returns its record |
//! | [`mod@bench`] | the work that is timed against other programs |
//! | [`history`] | what a trial leaves, as a file |
//! | [`tensorboard`] | a training or a study as event files for TensorBoard |
//! | [`parity`] | replays Keras's records, returns the certificate: how far every choice is from Keras |
//! | [`lesson`] | the lesson's three models, run with every seed; returns the lesson's record |
//! | [`mod@study`] | a baseline, factors, a design, seeds: run trial by trial into a store |
//! | [`analysis`] | takes a study's record, returns effects, what made the spread, and what can be said of it |
//! | [`comparison`] | takes a record, returns every model's scores and its paired differences to the baseline |
//! | [`answer`](mod@answer) | says in words what a comparison shows |
//! | [`report`] | draws all of it as one HTML file |
//!
//! Imports run upwards in this table only. Nothing here prints, and everything from [`analysis`] on is pure.

pub mod analysis;
pub mod answer;
pub mod bench;
pub mod comparison;
mod environment;
pub mod error;
pub mod files;
pub mod format;
pub mod formats;
pub mod history;
pub mod lesson;
pub mod parity;
pub mod prepared;
pub mod recipe;
pub mod record;
pub mod report;
pub mod statistics;
pub mod study;
pub mod tensorboard;
#[cfg(test)]
mod testing;
pub mod trial;
