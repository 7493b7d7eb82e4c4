//! From trials to answers: records of what was run, statistics over them, and the report that shows both.
//!
//! | part | what it does |
//! |---|---|
//! | [`format`](mod@format) | how a number is written, the same in the terminal and on the page |
//! | [`statistics`] | takes numbers, returns differences with their uncertainty, and sentences about them |
//! | [`record`] | what was run and what came out, as plain data that can be saved and read again |
//! | [`comparison`] | takes a record, returns every model's scores and its paired differences to the baseline |
//! | [`answer`](mod@answer) | says in words what a comparison shows |
//! | [`report`] | draws all of it as one HTML file |
//!
//! Imports run upwards in this table only. Nothing here opens a file, reads a clock or prints.

pub mod answer;
pub mod comparison;
pub mod format;
pub mod record;
pub mod report;
pub mod statistics;
