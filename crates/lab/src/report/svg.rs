//! Charts as inline SVG, coloured by the page's style so that they follow it into the dark and into print.
//!
//! Every chart is one panel of the same width, so that its letters are as large on a phone as beside its neighbours on
//! a wide screen. Colours and marks have a meaning ([`Ink`], [`Shape`]) and never carry it alone: each ink has a dash
//! pattern or a shape of its own.

pub mod category;
pub mod frame;
pub mod heat_map;
pub mod histogram;
pub mod legend;
pub mod line;
pub mod parallel;
pub mod scale;
pub mod strip;
pub mod value_map;

use maud::{Markup, html};

/// The width of a panel in the chart's own units, which are pixels at a zoom of 1.
pub const WIDTH: f64 = 340.0;

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Measured on the training set.
    Training,
    /// Measured on the test set.
    Test,
    /// Running averages, and what is only there to compare with.
    Quiet,
    /// The model of this number, from 0.
    Model(usize),
}

/// The shape of a data point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A filled circle.
    Disc,
    /// A circle with paper inside.
    Ring,
    /// A filled square standing on its tip.
    Diamond,
    /// A filled square.
    Square,
    /// A filled triangle.
    Triangle,
    /// A cross.
    Cross,
}

/// How many models look different.
pub const MODELS_APART: usize = 6;

const SHAPES: [Shape; MODELS_APART] =
    [Shape::Disc, Shape::Ring, Shape::Diamond, Shape::Square, Shape::Triangle, Shape::Cross];

impl Ink {
    /// The style's class for it.
    pub fn class(self) -> &'static str {
        const MODELS: [&str; MODELS_APART] =
            ["ink-model-1", "ink-model-2", "ink-model-3", "ink-model-4", "ink-model-5", "ink-model-6"];
        match self {
            Self::Training => "ink-training",
            Self::Test => "ink-test",
            Self::Quiet => "ink-quiet",
            Self::Model(number) => MODELS[number % MODELS.len()],
        }
    }

    /// The shape of its data points.
    pub fn shape(self) -> Shape {
        match self {
            Self::Training | Self::Quiet => Shape::Disc,
            Self::Test => Shape::Ring,
            Self::Model(number) => SHAPES[number % MODELS_APART],
        }
    }
}

impl Shape {
    /// The shape around a point.
    pub fn at(self, x: f64, y: f64) -> Markup {
        let (cx, cy) = (number(x), number(y));
        match self {
            Self::Disc => html! { circle.solid cx=(cx) cy=(cy) r="3" {} },
            Self::Ring => html! { circle.hollow cx=(cx) cy=(cy) r="3" {} },
            Self::Square => {
                html! { rect.solid x=(number(x - 2.7)) y=(number(y - 2.7)) width="5.4" height="5.4" {} }
            }
            Self::Triangle => html! { path.solid d={ "M" (cx) " " (number(y - 3.7)) "l4 6.6h-8z" } {} },
            Self::Cross => html! {
                path.cross d={ "M" (number(x - 3.0)) " " (number(y - 3.0)) "l6 6m0 -6l-6 6" } {}
            },
            Self::Diamond => html! { path.solid d={ "M" (cx) " " (number(y - 4.0)) "l4 4 -4 4 -4 -4z" } {} },
        }
    }
}

/// A chart as wide as the page, which scrolls inside its box where the page is narrower than its letters allow.
pub fn wide_chart(width: f64, height: f64, title: &str, content: &Markup) -> Markup {
    html! {
        div.wide tabindex="0" {
            svg.chart viewBox={ "0 0 " (number(width)) " " (number(height)) } role="img" aria-label=(title) {
                (content)
            }
        }
    }
}

/// As many letters of a name as fit into `width`, at the charts' size of letters.
pub fn fitted(name: &str, width: f64) -> String {
    let room = ((width / 6.6) as usize).max(2);
    if name.chars().count() <= room {
        name.to_owned()
    } else {
        name.chars().take(room - 1).chain(['…']).collect()
    }
}

/// A chart of [`WIDTH`] × `height` with a title for those who hear it instead of seeing it.
pub fn chart(height: f64, title: &str, content: &Markup) -> Markup {
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (number(height)) } role="img" aria-label=(title) {
            (content)
        }
    }
}

/// A coordinate with one digit after the point, which is finer than a screen.
pub fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 2.26, -0.04].map(number), ["1", "2.3", "-0"]);
    }

    #[test]
    fn long_names_are_cut_where_the_room_ends() {
        assert_eq!(
            (fitted("glorot_uniform", 200.0).as_str(), fitted("glorot_uniform", 50.0).as_str()),
            ("glorot_uniform", "glorot…")
        );
    }

    #[test]
    fn models_look_different() {
        let looks: Vec<_> =
            (0..MODELS_APART).map(|model| (Ink::Model(model).class(), Ink::Model(model).shape())).collect();
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[i + 1..].iter().all(|b| a.0 != b.0 && a.1 != b.1));
        }
    }
}
