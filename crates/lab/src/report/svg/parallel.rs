//! Parallel coordinates: one upright axis per factor and one for the outcome; every variant is a line through its levels.

use super::scale::Scale;
use super::{fitted, number, wide_chart};
use maud::{Markup, html};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 300.0;
const EDGE: f64 = 60.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 12.0;

/// One upright axis.
pub struct Axis {
    /// Its name, above it.
    pub name: String,
    /// What stands beside it: where, from 0 at the bottom to 1 at the top, and in which words.
    pub ticks: Vec<(f64, String)>,
}

/// One line.
pub struct Line {
    /// Where it crosses each axis, from 0 to 1.
    pub at: Vec<f64>,
    /// How deep its colour is, from 0 to 1.
    pub depth: f64,
}

/// Draws `lines`, the palest first, through `axes`.
pub fn draw(title: &str, axes: &[Axis], lines: &mut [Line]) -> Markup {
    lines.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    let x = Scale::new([0.0, axes.len().saturating_sub(1).max(1) as f64], [EDGE, WIDTH - EDGE]);
    let y = Scale::new([0.0, 1.0], [HEIGHT - BOTTOM, TOP]);
    let room = (WIDTH - 2.0 * EDGE) / axes.len().saturating_sub(1).max(1) as f64;
    let body = html! {
        @for line in lines.iter() {
            path.thread style={ "opacity:" (number(0.15 + 0.85 * line.depth)) } d=(path(&line.at, x, y)) {}
        }
        @for (i, axis) in axes.iter().enumerate() {
            @let place = x.place(i as f64);
            path.axis d={ "M" (number(place)) " " (number(TOP)) "V" (number(HEIGHT - BOTTOM)) } {}
            text.label.middle x=(number(place)) y="14" { (fitted(&axis.name, room.min(2.0 * EDGE) - 6.0)) }
            @for (value, name) in &axis.ticks {
                text.tick.haloed x=(number(place + 5.0)) y=(number(y.place(*value) + 4.0)) { (fitted(name, room - 12.0)) }
            }
        }
    };
    wide_chart(WIDTH, HEIGHT, title, &body)
}

fn path(at: &[f64], x: Scale, y: Scale) -> String {
    let points = at
        .iter()
        .enumerate()
        .map(|(i, value)| format!("{} {}", number(x.place(i as f64)), number(y.place(*value))));
    let points: Vec<String> = points.collect();
    if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cross_their_axes_where_their_values_are() {
        let axis = |name: &str| Axis { name: name.into(), ticks: vec![(1.0, "top".into())] };
        let mut lines = [Line { at: vec![0.0, 1.0], depth: 1.0 }, Line { at: vec![0.5, 0.5], depth: 0.0 }];
        let svg = draw("t", &[axis("dropout"), axis("test")], &mut lines).into_string();
        let deep = svg.rfind("M60 288L840 30").unwrap();
        assert!(svg.find("M60 159L840 159").unwrap() < deep, "the deepest lies on top: {svg}");
        assert!(draw("t", &[], &mut []).into_string().contains("</svg>"));
    }
}
