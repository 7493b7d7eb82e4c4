//! A table of values in colours: one factor's levels down, another's across.

use super::{WIDTH, chart, fitted, number};
use crate::report::color::{hex, sequential};
use maud::{Markup, html};

const LEFT: f64 = 92.0;
const TOP: f64 = 36.0;
const ROW: f64 = 30.0;

/// More columns than this leave no room for numbers in the cells.
const MOST_NUMBERED: usize = 6;

/// What is drawn.
pub struct ValueMap<'a> {
    /// Says what it is to those who cannot see it.
    pub title: &'a str,
    /// The factors' names: down and across.
    pub names: [&'a str; 2],
    /// The levels down.
    pub rows: &'a [String],
    /// The levels across.
    pub columns: &'a [String],
    /// The values, row by row; `None` where nothing was measured.
    pub values: &'a [Vec<Option<f64>>],
    /// The values that get the lightest and the deepest colour.
    pub range: [f64; 2],
    /// Digits after the point.
    pub decimals: usize,
}

impl ValueMap<'_> {
    /// The chart.
    pub fn draw(&self) -> Markup {
        let columns = self.columns.len().max(1);
        let width = (WIDTH - LEFT - 2.0) / columns as f64;
        let body = html! {
            text.axis x="0" y=(number(TOP - 8.0)) { (fitted(self.names[0], LEFT - 8.0)) }
            text.axis x=(number(LEFT)) y="11" { (self.names[1]) }
            @for (column, name) in self.columns.iter().enumerate() {
                text.tick.middle x=(number(LEFT + (column as f64 + 0.5) * width)) y=(number(TOP - 8.0)) { (fitted(name, width - 3.0)) }
            }
            @for (row, (name, values)) in self.rows.iter().zip(self.values).enumerate() {
                @let y = TOP + row as f64 * ROW;
                text.tick.end x=(number(LEFT - 7.0)) y=(number(y + ROW / 2.0 + 4.0)) { (fitted(name, LEFT - 10.0)) }
                @for (column, value) in values.iter().enumerate() {
                    (self.cell(LEFT + column as f64 * width, y, width, *value))
                }
            }
        };
        chart(TOP + ROW * self.rows.len() as f64 + 2.0, self.title, &body)
    }

    fn cell(&self, x: f64, y: f64, width: f64, value: Option<f64>) -> Markup {
        let Some(value) = value else {
            return html! { text.cell.right x=(number(x + width / 2.0)) y=(number(y + ROW / 2.0 + 3.5)) { "–" } };
        };
        let span = self.range[1] - self.range[0];
        let share = if span > 0.0 { ((value - self.range[0]) / span).clamp(0.0, 1.0) } else { 0.5 };
        let letters = if share > 0.5 { "cell on-dark" } else { "cell on-light" };
        html! {
            rect x=(number(x + 0.5)) y=(number(y + 0.5)) width=(number(width - 1.0)) height=(number(ROW - 1.0))
                fill=(hex(sequential(0.04 + 0.86 * share))) {
                title { (crate::format::fixed(value, self.decimals)) }
            }
            @if self.columns.len() <= MOST_NUMBERED {
                text class=(letters) x=(number(x + width / 2.0)) y=(number(y + ROW / 2.0 + 3.5)) {
                    (crate::format::fixed(value, self.decimals))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_carry_their_value_and_missing_ones_a_dash() {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let (rows, columns) = (names(["low", "high"]), names(["adam", "nadam"]));
        let values = vec![vec![Some(97.0), Some(98.0)], vec![None, Some(97.5)]];
        let map = ValueMap {
            title: "t",
            names: ["dropout", "optimizer"],
            rows: &rows,
            columns: &columns,
            values: &values,
            range: [97.0, 98.0],
            decimals: 1,
        };
        let svg = map.draw().into_string();
        assert_eq!((svg.matches("<rect").count(), svg.matches(">–<").count()), (3, 1), "{svg}");
        assert!(svg.contains(">98.0</text>") && svg.contains("on-dark") && svg.contains("on-light"), "{svg}");
    }
}
