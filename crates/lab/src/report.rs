//! One HTML file per lesson or study, drawn from its record: no network, no script, readable in print and in the dark.
//!
//! [`page`] is the sheet of paper (style, head, tables, figures), [`svg`] draws charts, [`seeds`] makes curves of trials,
//! [`picture`] makes pictures of bytes and weights, [`color`] holds the colour scales; [`lesson`] and [`study`] put the pages
//! together from these, and [`markdown`] says the same in plain text.

pub mod color;
pub mod lesson;
pub mod markdown;
pub mod page;
pub mod picture;
pub mod seeds;
pub mod study;
pub mod svg;
