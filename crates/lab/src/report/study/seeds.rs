//! How each variant's scores are distributed over seeds.

use super::Page;
use crate::analysis::Metric;
use crate::format::fixed;
use crate::report::page::{figure, panel, section as page_section};
use crate::report::svg::Ink;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::scale::extent;
use crate::report::svg::strip::{Mark, Strip, StripChart};
use crate::statistics::summary::{mean, median, quantile};
use maud::{Markup, html};

/// How many variants are drawn.
const MOST: usize = 30;

pub(super) fn section(page: &Page<'_>) -> Markup {
    if !page.analysis.repeated() {
        return html! {};
    }
    let variants: Vec<usize> = std::iter::once(0).chain(page.most_different(MOST)).collect();
    let metrics =
        [(Metric::Training, Ink::Training), (Metric::Test, Ink::Test), (Metric::Gap, Ink::Model(0))];
    let panels: Vec<Markup> =
        metrics.iter().map(|(metric, ink)| distribution(page, *metric, *ink, &variants)).collect();
    let key =
        legend(&[(Ink::Quiet, Sample::Mark, "one seed each"), (Ink::Model(0), Sample::Mark, "large: mean")]);
    let body = html! {
        p { "One point per seed. How wide a row is spread is what chance alone does; only the seed changed along it." }
        (figure(&panels, &key, "Scores of single seeds, each panel on its own scale; the bar spans the middle half, and an arrow \
            stands for a mean beyond the scale."))
    };
    page_section("Distributions over seeds", &body)
}

fn distribution(page: &Page<'_>, metric: Metric, ink: Ink, variants: &[usize]) -> Markup {
    let measure = metric.measure();
    let rows: Vec<(usize, Vec<f64>)> = variants
        .iter()
        .map(|&variant| {
            let values = page.trials(variant).into_iter().filter_map(|trial| metric.of(trial));
            (variant, values.map(|value| measure.scale * value).collect())
        })
        .filter(|(_, values): &(usize, Vec<f64>)| !values.is_empty())
        .collect();
    let strips = rows.iter().map(|(variant, values)| {
        let middle = [0.25, 0.75].map(|level| quantile(values, level).unwrap_or(f64::NAN));
        // Multiplied after averaging, as in every table: where the mean lies halfway between two digits, both round alike.
        let summary = page.analysis.scores[*variant].metric(metric);
        let center = measure.scale * summary.map_or(f64::NAN, |summary| summary.mean);
        Strip {
            label: page.heading(*variant),
            value: fixed(center, 2),
            marks: vec![
                Mark::Link(middle[0], middle[1]),
                Mark::Runs(ink, values.clone()),
                Mark::Point(ink, center),
            ],
        }
    });
    let x_label = if metric == Metric::Gap { "points" } else { "accuracy, %" };
    let title = format!("{} of single seeds", measure.name);
    let x = scale(&rows).unwrap_or([0.0, 100.0]);
    let chart = StripChart { title: &title, x_label, x, zero: false, rows: strips.collect() };
    panel(&crate::format::capitalized(measure.name), &chart.draw())
}

/// From the smallest to the largest value of the variants that lie near the others: those whose mean is further from the
/// median than four times what three fifths of them are would hide what the others do.
fn scale(rows: &[(usize, Vec<f64>)]) -> Option<[f64; 2]> {
    let means: Vec<f64> = rows.iter().filter_map(|(_, values)| mean(values)).collect();
    let center = median(&means)?;
    let away: Vec<f64> = means.iter().map(|mean| (mean - center).abs()).collect();
    let limit = (4.0 * quantile(&away, 0.6)?).max(1.0);
    let near =
        rows.iter().filter(|(_, values)| mean(values).is_some_and(|mean| (mean - center).abs() <= limit));
    extent(near.flat_map(|(_, values)| values.iter().copied()), 0.06)
}
