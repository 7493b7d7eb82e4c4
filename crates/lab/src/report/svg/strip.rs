//! Rows of points on one common scale: dot plots, dumbbells and forest plots.
//!
//! Each row has its name and its number in writing above its strip, so that a narrow page can show all of it.

use super::scale::Scale;
use super::{Ink, Shape, WIDTH, chart, number};
use maud::{Markup, html};

const ROW: f64 = 44.0;
const FOOT: f64 = 40.0;
const EDGE: f64 = 14.0;

/// One row.
pub struct Strip {
    /// Its name, above it on the left.
    pub label: String,
    /// Its number, above it on the right.
    pub value: String,
    /// What is drawn on it, in this order.
    pub marks: Vec<Mark>,
}

/// Something drawn on a row.
pub enum Mark {
    /// A thick line between two values.
    Link(f64, f64),
    /// An interval with ends.
    Interval(Ink, [f64; 2]),
    /// A point.
    Point(Ink, f64),
    /// Single runs, small and pale.
    Runs(Ink, Vec<f64>),
}

/// Rows on one scale.
pub struct StripChart<'a> {
    /// Says what it is to those who cannot see it.
    pub title: &'a str,
    /// What the scale measures.
    pub x_label: &'a str,
    /// The values the scale covers.
    pub x: [f64; 2],
    /// Whether zero gets a line of its own.
    pub zero: bool,
    /// The rows from top to bottom.
    pub rows: Vec<Strip>,
}

impl StripChart<'_> {
    /// The chart.
    pub fn draw(&self) -> Markup {
        let scale = Scale::new(self.x, [EDGE, WIDTH - EDGE]);
        let floor = ROW * self.rows.len() as f64 + 6.0;
        let body = html! {
            @for (value, label) in scale.ticks(5) {
                @let x = number(scale.place(value));
                path.rule d={ "M" (x) (self.across_rows()) } {}
                text.tick.middle x=(x) y=(number(floor + 16.0)) { (label) }
            }
            @if self.zero { path.zero d={ "M" (number(scale.place(0.0))) (self.across_rows()) } {} }
            path.axis d={ "M" (number(EDGE)) " " (number(floor)) "H" (number(WIDTH - EDGE)) } {}
            text.axis.end x=(number(WIDTH - EDGE)) y=(number(floor + 34.0)) { (self.x_label) }
            @for (i, row) in self.rows.iter().enumerate() {
                @let top = ROW * i as f64;
                text.label x=(number(EDGE)) y=(number(top + 14.0)) { (row.label) }
                text.label.end x=(number(WIDTH - EDGE)) y=(number(top + 14.0)) { (row.value) }
                @for mark in &row.marks { (mark.draw(&scale, top + 30.0)) }
            }
        };
        chart(floor + FOOT, self.title, &html! { g.strip { (body) } })
    }

    /// The rest of an upright line that leaves out the writing above each strip.
    fn across_rows(&self) -> String {
        let jump = number(ROW - 21.0);
        let dashes: Vec<String> = (0..self.rows.len()).map(|_| format!("v21m0 {jump}")).collect();
        format!(" 21{}", dashes.concat())
    }
}

impl Mark {
    fn draw(&self, scale: &Scale, y: f64) -> Markup {
        let level = number(y);
        match self {
            Self::Link(from, to) => html! {
                path.link d={ "M" (number(scale.place(*from))) " " (level) "H" (number(scale.place(*to))) } {}
            },
            Self::Interval(_, ends)
                if !ends.iter().any(|end| scale.holds(*end))
                    && scale.below(ends[0]) == scale.below(ends[1]) =>
            {
                html! {}
            }
            Self::Interval(ink, [low, high]) => html! {
                path.interval.(ink.class())
                    d={ "M" (number(scale.place(*low))) " " (number(y - 4.0)) "v8m0 -4H" (number(scale.place(*high)))
                        "m0 -4v8" } {}
            },
            Self::Point(ink, value) if !scale.holds(*value) => {
                // An arrow at the edge: it lies beyond.
                let (x, back) = (scale.place(*value), if scale.below(*value) { 7 } else { -7 });
                html! { g class=(ink.class()) {
                    path.solid d={ "M" (number(x)) " " (level) "l" (back) " -4.5v9z" } {}
                } }
            }
            Self::Point(ink, value) => {
                html! { g class=(ink.class()) { (ink.shape().at(scale.place(*value), y)) } }
            }
            Self::Runs(ink, values) => html! {
                g.runs.(ink.class()) {
                    @for value in values.iter().filter(|value| scale.holds(**value)) {
                        (Shape::Disc.at(scale.place(*value), y + 7.0))
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_the_scale_is_an_arrow_at_its_edge() {
        let marks = vec![Mark::Interval(Ink::Test, [-90.0, -80.0]), Mark::Point(Ink::Test, -85.0)];
        let row = Strip { label: "zeros".into(), value: "−85".into(), marks };
        let chart = StripChart { title: "t", x_label: "points", x: [-1.0, 1.0], zero: true, rows: vec![row] };
        let svg = chart.draw().into_string();
        assert!(svg.contains("M14 30l7 -4.5v9z") && !svg.contains("class=\"interval"), "{svg}");
    }

    #[test]
    fn marks_lie_where_the_scale_says() {
        let marks = vec![
            Mark::Link(0.0, 10.0),
            Mark::Interval(Ink::Test, [2.5, 7.5]),
            Mark::Point(Ink::Test, 5.0),
            Mark::Runs(Ink::Test, vec![5.0]),
        ];
        let row = Strip { label: "<model>".into(), value: "+5".into(), marks };
        let chart = StripChart { title: "t", x_label: "points", x: [0.0, 10.0], zero: true, rows: vec![row] };
        let svg = chart.draw().into_string();
        assert!(svg.contains("M14 30H326"), "{svg}");
        assert!(svg.contains("M92 26v8m0 -4H248"), "{svg}");
        assert!(svg.contains(r#"cx="170" cy="30""#) && svg.contains(r#"cx="170" cy="37""#), "{svg}");
        assert!(svg.contains("&lt;model&gt;"), "{svg}");
    }
}
