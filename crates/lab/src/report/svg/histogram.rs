//! Two histograms over the same bins, one behind the other.

use super::frame::Frame;
use super::{Ink, number};
use crate::statistics::histogram::Histogram;
use maud::{Markup, html};

const HEIGHT: f64 = 190.0;

/// Draws `before` as an area behind the outline of `after`, as shares of their weights.
pub fn before_after(title: &str, before: &Histogram, after: &Histogram) -> Markup {
    let tallest = shares(before).chain(shares(after)).fold(0.0, f64::max);
    let frame = Frame::new(HEIGHT, [before.low, before.high], [0.0, 1.05 * tallest.max(1e-9)]);
    let percent: Vec<(f64, String)> =
        frame.y.ticks(3).into_iter().map(|(share, _)| (share, short_percent(share))).collect();
    let content = html! {
        g class=(Ink::Quiet.class()) { path.area d={ (outline(&frame, before)) "z" } {} }
        g class=(Ink::Model(0).class()) { path.line d=(outline(&frame, after)) {} }
    };
    frame.draw(title, ["weight", "share of weights"], [&frame.x.ticks(5), &percent], &content)
}

fn short_percent(share: f64) -> String {
    let percent = 100.0 * share;
    format!("{}%", crate::format::fixed(percent, usize::from(percent.fract().abs() > 0.01)))
}

fn shares(histogram: &Histogram) -> impl Iterator<Item = f64> {
    let all = histogram.counts.iter().sum::<u64>().max(1) as f64;
    histogram.counts.iter().map(move |&count| count as f64 / all)
}

/// Up, along and down over every bin.
fn outline(frame: &Frame, histogram: &Histogram) -> String {
    let mut path = format!("M{} {}", number(frame.x.place(histogram.low)), number(frame.floor()));
    for (bin, share) in shares(histogram).enumerate() {
        let end = histogram.low + (bin + 1) as f64 * histogram.bin_width();
        path.push_str(&format!("V{}H{}", number(frame.y.place(share)), number(frame.x.place(end))));
    }
    path.push_str(&format!("V{}", number(frame.floor())));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_follows_the_counts() {
        let [before, after] = Histogram::shared([&[0.0, 1.0], &[0.0, 0.0]], 2);
        let svg = before_after("t", &before, &after).into_string();
        // Two equal bins across 44 to 330; a full bin reaches 1/1.05 of the height between 154 and 22.
        assert!(svg.contains("M44 154V91.1H187V91.1H330V154z"), "{svg}");
        assert!(svg.contains("M44 154V28.3H187V154H330V154\""), "{svg}");
    }
}
