//! One HTML file per lesson, drawn from its record: no network, no script, readable in print and in the dark.
//!
//! [`page`] is the sheet of paper (style, head, tables, figures), [`svg`] draws charts, [`picture`] makes pictures of
//! bytes and weights, [`color`] holds the colour scales; [`lesson`] puts the lesson's page together from these.

pub mod color;
pub mod lesson;
pub mod page;
pub mod picture;
pub mod svg;
