//! A line chart over epochs, with bands.

use super::frame::Frame;
use super::{Ink, number};
use crate::format::fixed;
use maud::{Markup, html};

/// One line.
pub struct Series {
    /// What it stands for.
    pub ink: Ink,
    /// Its values, epoch by epoch; where one is not finite the line has a hole.
    pub values: Vec<f64>,
    /// Half the height of the band around each value; empty for no band.
    pub spread: Vec<f64>,
}

/// Lines over epochs on one pair of axes.
pub struct LineChart<'a> {
    /// Says what it is to those who cannot see it.
    pub title: &'a str,
    /// What the values are.
    pub y_label: &'a str,
    /// What the first value of every line belongs to: epoch 1, or 0 where it was measured before training.
    pub first: usize,
    /// How many values the axis covers.
    pub epochs: usize,
    /// The values the axis covers.
    pub y: [f64; 2],
    /// Whether zero gets a line of its own.
    pub zero: bool,
    /// The lines, drawn in this order.
    pub series: Vec<Series>,
}

const HEIGHT: f64 = 230.0;

/// More points than this stand too close for marks.
const MOST_MARKS: usize = 20;

impl LineChart<'_> {
    /// The chart.
    pub fn draw(&self) -> Markup {
        let (first, count) = (self.first as f64, self.epochs.max(1) as f64);
        let x = if self.epochs > 1 {
            [first - 0.02 * count, first + count - 1.0 + 0.02 * count]
        } else {
            [first - 0.5, first + 0.5]
        };
        let frame = Frame::new(HEIGHT, x, self.y);
        let mut x_ticks = frame.x.whole_ticks(5);
        if !x_ticks.iter().any(|(epoch, _)| *epoch <= first) && self.epochs < 30 {
            x_ticks.insert(0, (first, fixed(first, 0)));
        }
        let content = html! {
            @if self.zero {
                path.zero d={ "M" (number(frame.x.place(x[0]))) " " (number(frame.y.place(0.0)))
                    "H" (number(frame.x.place(x[1]))) } {}
            }
            @for series in &self.series { g class=(series.ink.class()) {
                @if !series.spread.is_empty() { path.band d=(series.band(&frame, self.first)) {} }
                path.line d=(series.path(&frame, self.first)) {}
                @if series.ink != Ink::Quiet && self.epochs <= MOST_MARKS {
                    @for (x, y) in series.points(&frame, self.first) { (series.ink.shape().at(x, y)) }
                }
            } }
        };
        frame.draw(self.title, ["epoch", self.y_label], [&x_ticks, &frame.y.ticks(5)], &content)
    }
}

impl Series {
    fn finite(&self) -> impl DoubleEndedIterator<Item = (usize, f64)> {
        self.values.iter().copied().enumerate().filter(|(_, value)| value.is_finite())
    }

    fn points(&self, frame: &Frame, first: usize) -> Vec<(f64, f64)> {
        let inside = self.finite().filter(|(_, value)| frame.y.holds(*value));
        inside.map(|(i, value)| (frame.x.place((i + first) as f64), frame.y.place(value))).collect()
    }

    /// The line as far as it lies on the scale; a part beyond is cut off where it leaves.
    fn path(&self, frame: &Frame, first: usize) -> String {
        let mut path = String::new();
        let mut previous: Option<(usize, f64)> = None;
        let mut draw = |command: char, epoch: f64, value: f64| {
            path.push(command);
            path.push_str(&place(frame, epoch, value));
        };
        for (i, value) in self.finite() {
            let epoch = (i + first) as f64;
            match previous.filter(|(before, _)| before + 1 == i) {
                None if frame.y.holds(value) => draw('M', epoch, value),
                None => {}
                Some((_, from)) => {
                    let between = |share: f64| (epoch - 1.0 + share, from + share * (value - from));
                    if let Some([enters, leaves]) = frame.y.inside(from, value) {
                        if enters > 0.0 {
                            let (epoch, value) = between(enters);
                            draw('M', epoch, value);
                        }
                        let (epoch, value) = between(leaves);
                        draw('L', epoch, value);
                    }
                }
            }
            previous = Some((i, value));
        }
        path
    }

    /// Along the upper edge and back along the lower one.
    fn band(&self, frame: &Frame, first: usize) -> String {
        let spread =
            |i: usize| self.spread.get(i).copied().filter(|spread| spread.is_finite()).unwrap_or(0.0);
        let upper = self.finite().map(|(i, value)| place(frame, (i + first) as f64, value + spread(i)));
        let lower = self.finite().rev().map(|(i, value)| place(frame, (i + first) as f64, value - spread(i)));
        let corners: Vec<String> = upper.chain(lower).collect();
        if corners.is_empty() { String::new() } else { format!("M{}z", corners.join("L")) }
    }
}

fn place(frame: &Frame, epoch: f64, value: f64) -> String {
    format!("{} {}", number(frame.x.place(epoch)), number(frame.y.place(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(values: Vec<f64>, spread: Vec<f64>) -> String {
        let series = vec![Series { ink: Ink::Test, values, spread }];
        let chart = LineChart {
            title: "t",
            y_label: "accuracy",
            first: 1,
            epochs: 3,
            y: [0.0, 1.0],
            zero: false,
            series,
        };
        chart.draw().into_string()
    }

    #[test]
    fn a_hole_in_the_values_is_a_hole_in_the_line() {
        let whole = draw(vec![0.1, 0.5, 0.9], vec![]);
        assert!(whole.contains("class=\"line\" d=\"M52.1 176.8L187"), "{whole}");
        let broken = draw(vec![0.1, f64::NAN, 0.9], vec![]);
        assert!(broken.contains("class=\"line\" d=\"M52.1 176.8M"), "{broken}");
        assert!(!broken.contains("NaN"), "{broken}");
    }

    #[test]
    fn a_line_from_beyond_the_scale_is_cut_where_it_comes_in() {
        let inside = draw(vec![0.0, 1.0, 0.5], vec![]);
        let beyond = draw(vec![-1.0, 1.0, 2.0], vec![]);
        // Halfway from epoch 1 to 2 it is 0, which is the axis; beyond 1 nothing is drawn.
        assert!(inside.contains("class=\"line\" d=\"M52.1 194L"), "{inside}");
        assert!(beyond.contains("class=\"line\" d=\"M119.5 194L187 22L187 22\""), "{beyond}");
        assert_eq!((inside.matches("<circle").count(), beyond.matches("<circle").count()), (3, 1));
    }

    #[test]
    fn bands_close_and_stay_inside() {
        let band = draw(vec![0.5, 0.95], vec![0.1, 0.1]);
        assert!(band.contains("class=\"band\" d=\"M52.1 90.8"), "{band}");
        assert!(band.contains(" 22L"), "the upper edge is clamped to the frame: {band}");
        assert!(!draw(vec![], vec![0.1]).contains("NaN"));
    }
}
