//! The frame of a chart with two axes: rules, ticks and labels.

use super::scale::Scale;
use super::{WIDTH, chart, number};
use maud::{Markup, html};

const LEFT: f64 = 44.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 36.0;

/// The space between two axes.
pub struct Frame {
    /// From values to places along the width.
    pub x: Scale,
    /// From values to places along the height, upwards.
    pub y: Scale,
    height: f64,
}

impl Frame {
    /// A frame of `height` over these domains.
    pub fn new(height: f64, x: [f64; 2], y: [f64; 2]) -> Self {
        Self { x: Scale::new(x, [LEFT, WIDTH - RIGHT]), y: Scale::new(y, [height - BOTTOM, TOP]), height }
    }

    /// Where the horizontal axis lies.
    pub fn floor(&self) -> f64 {
        self.height - BOTTOM
    }

    /// The finished chart: `content` between the axes, whose ticks and labels are these.
    pub fn draw(
        &self,
        title: &str,
        [x_label, y_label]: [&str; 2],
        [x_ticks, y_ticks]: [&[(f64, String)]; 2],
        content: &Markup,
    ) -> Markup {
        let floor = self.floor();
        let body = html! {
            text.axis x="0" y="12" { (y_label) }
            @for (value, label) in y_ticks {
                @let y = self.y.place(*value);
                path.rule d={ "M" (number(LEFT)) " " (number(y)) "H" (number(WIDTH - RIGHT)) } {}
                text.tick.end x=(number(LEFT - 6.0)) y=(number(y + 4.0)) { (label) }
            }
            path.axis d={ "M" (number(LEFT)) " " (number(floor)) "H" (number(WIDTH - RIGHT)) } {}
            @for (value, label) in x_ticks {
                @let x = self.x.place(*value);
                path.axis d={ "M" (number(x)) " " (number(floor)) "v4" } {}
                text.tick.middle x=(number(x)) y=(number(floor + 17.0)) { (label) }
            }
            text.axis.end x=(number(WIDTH - RIGHT)) y=(number(self.height - 4.0)) { (x_label) }
            (content)
        };
        chart(self.height, title, &body)
    }
}
