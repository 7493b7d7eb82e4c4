//! One HTML file per lesson or study, drawn from its record.
