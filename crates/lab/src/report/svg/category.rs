//! Lines over the levels of a factor: an interaction plot. Lines that run apart or cross are an interaction.

use super::frame::Frame;
use super::{Ink, WIDTH, fitted, number};
use maud::{Markup, html};

const HEIGHT: f64 = 230.0;

/// One line: another factor held at one of its levels.
pub struct Row {
    /// How it is drawn.
    pub ink: Ink,
    /// The value at each level; `None` where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// Lines over levels on one pair of axes.
pub struct CategoryChart<'a> {
    /// Says what it is to those who cannot see it.
    pub title: &'a str,
    /// What the levels belong to.
    pub x_label: &'a str,
    /// What the values are.
    pub y_label: &'a str,
    /// The levels' names.
    pub levels: &'a [String],
    /// The values the axis covers.
    pub y: [f64; 2],
    /// The lines.
    pub rows: Vec<Row>,
}

impl CategoryChart<'_> {
    /// The chart.
    pub fn draw(&self) -> Markup {
        let last = self.levels.len().saturating_sub(1) as f64;
        let frame = Frame::new(HEIGHT, [-0.35, last + 0.35], self.y);
        let room = (WIDTH - 60.0) / self.levels.len().max(1) as f64 - 4.0;
        // Many levels are those of a range: naming some of them says more than cutting the names of all.
        let longest = self.levels.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64 * 6.6;
        let every = if self.levels.len() > 6 { (longest / room).ceil().max(1.0) as usize } else { 1 };
        let names: Vec<(f64, String)> = self
            .levels
            .iter()
            .enumerate()
            .step_by(every)
            .map(|(i, name)| (i as f64, fitted(name, room * every as f64)))
            .collect();
        let content = html! {
            @for row in &self.rows { g class=(row.ink.class()) {
                path.line d=(row.path(&frame)) {}
                @for (i, value) in row.values.iter().enumerate() {
                    @if let Some(value) = value { (row.ink.shape().at(frame.x.place(i as f64), frame.y.place(*value))) }
                }
            } }
        };
        frame.draw(self.title, [self.x_label, self.y_label], [&names, &frame.y.ticks(5)], &content)
    }
}

impl Row {
    fn path(&self, frame: &Frame) -> String {
        let mut path = String::new();
        let mut broken = true;
        for (i, value) in self.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                broken = true;
                continue;
            };
            path.push(if broken { 'M' } else { 'L' });
            path.push_str(&format!("{} {}", number(frame.x.place(i as f64)), number(frame.y.place(value))));
            broken = false;
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_without_a_value_breaks_the_line() {
        let levels: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let row = |values: [Option<f64>; 3]| Row { ink: Ink::Model(1), values: values.to_vec() };
        let rows = vec![row([Some(0.0), Some(1.0), Some(0.5)]), row([Some(0.0), None, Some(0.5)])];
        let chart =
            CategoryChart { title: "t", x_label: "x", y_label: "y", levels: &levels, y: [0.0, 1.0], rows };
        let svg = chart.draw().into_string();
        assert_eq!((svg.matches("class=\"line\"").count(), svg.matches("<circle").count()), (2, 5), "{svg}");
        let second = svg.split("class=\"line\" d=\"").nth(2).unwrap().split('"').next().unwrap();
        assert_eq!((second.matches('M').count(), second.matches('L').count()), (2, 0), "{second}");
    }
}
