//! What inks and marks mean, above the charts that use them.

use super::Ink;
use maud::{Markup, html};

/// How an entry's sample looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// A line, with a mark where the ink has one.
    Line,
    /// A mark alone.
    Mark,
    /// A filled area.
    Area,
    /// A line without marks.
    Outline,
}

/// One row of samples with their names.
pub fn legend(entries: &[(Ink, Sample, &str)]) -> Markup {
    html! {
        ul.legend {
            @for (ink, sample, name) in entries {
                li {
                    svg.sample.(ink.class()) viewBox="0 0 26 10" width="26" height="10" aria-hidden="true" {
                        @match sample {
                            Sample::Area => rect.area x="2" y="0" width="22" height="10" {},
                            Sample::Outline => path.line d="M0 5H26" {},
                            Sample::Mark => (ink.shape().at(13.0, 5.0)),
                            Sample::Line => {
                                path.line d="M0 5H26" {}
                                @if *ink != Ink::Quiet { (ink.shape().at(13.0, 5.0)) }
                            },
                        }
                    }
                    (name)
                }
            }
        }
    }
}
