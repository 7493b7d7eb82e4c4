//! Random designs: which factors matter, how the outcome changes along each, and every variant as a line.

use super::Page;
use crate::analysis::Metric;
use crate::analysis::random::FactorImportance;
use crate::format::{capitalized, fixed, short};
use crate::record::{Design, FactorRecord};
use crate::report::page::{figure, panel, section as page_section, table};
use crate::report::svg::Ink;
use crate::report::svg::category::{CategoryChart, Row};
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::parallel::{self, Axis, Line};
use crate::report::svg::scale::extent;
use crate::report::svg::strip::{Mark, Strip, StripChart};
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    if page.study.factors.len() < 2 || page.study.design == Design::OneAtATime {
        return html! {};
    }
    let importance = &page.analysis.importance;
    let lines = coordinates(page);
    if importance.is_empty() && lines.is_none() {
        return html! {};
    }
    let body = html! {
        @if !importance.is_empty() {
            p {
                "Everything varied at once, so what each factor does is read off a random forest that learned the outcome from the \
                 levels: for each factor the share of what the forest predicts that it explains alone, averaged over all others (functional \
                 analysis of variance). What the forest cannot predict for variants it has not seen is noise to it."
            }
            (shares(page, importance))
            (marginals(page, importance))
        }
        @if let Some(lines) = lines { (lines) }
    };
    page_section(if importance.is_empty() { "Every variant" } else { "Which factors matter" }, &body)
}

fn shares(page: &Page<'_>, all: &[FactorImportance]) -> Markup {
    let panels: Vec<Markup> = all
        .iter()
        .filter(|of| of.metric != Metric::Loss)
        .map(|of| {
            let mut order: Vec<usize> = (0..page.study.factors.len()).collect();
            order.sort_by(|&a, &b| of.importance.single[b].total_cmp(&of.importance.single[a]));
            let rows = order.iter().map(|&factor| {
                let share = 100.0 * of.importance.single[factor];
                Strip {
                    label: page.study.factors[factor].name.clone(),
                    value: format!("{}%", fixed(share, 1)),
                    marks: vec![Mark::Link(0.0, share), Mark::Point(ink(of.metric), share)],
                }
            });
            let most = of.importance.single.iter().copied().fold(0.0, f64::max);
            let name = of.metric.measure().name;
            let title = format!("importance for {name}");
            let chart = StripChart {
                title: &title,
                x_label: "share explained, %",
                x: [0.0, 105.0 * most],
                zero: false,
                rows: rows.collect(),
            };
            let heading = format!(
                "{}: {}% predicted",
                capitalized(name),
                fixed(100.0 * of.importance.predicted.max(0.0), 0)
            );
            panel(&heading, &chart.draw())
        })
        .collect();
    let pairs: Vec<Vec<String>> = all
        .iter()
        .filter(|of| of.metric == Metric::Test)
        .flat_map(|of| of.importance.pairs.iter().take(5))
        .filter(|pair| pair.2 >= 0.005)
        .map(|&(a, b, share)| {
            vec![
                format!("{} × {}", page.study.factors[a].name, page.study.factors[b].name),
                fixed(100.0 * share, 1),
            ]
        })
        .collect();
    html! {
        (figure(&panels, &html! {}, "How much of the variance that the forest predicts each factor explains alone, averaged over all \
            others; above each panel how much of the variance of variants it has not seen the forest predicts."))
        @if !pairs.is_empty() {
            (table(&["pair of factors", "share, %"], &pairs, "Test accuracy: what pairs explain beyond their parts, largest first."))
        }
    }
}

fn ink(metric: Metric) -> Ink {
    match metric {
        Metric::Training => Ink::Training,
        Metric::Test => Ink::Test,
        Metric::Gap | Metric::Loss => Ink::Model(0),
    }
}

/// How training and test accuracy change along each factor.
fn marginals(page: &Page<'_>, all: &[FactorImportance]) -> Markup {
    let accuracy = |metric: Metric| all.iter().find(|of| of.metric == metric);
    let (Some(training), Some(test)) = (accuracy(Metric::Training), accuracy(Metric::Test)) else {
        return html! {};
    };
    let values = |of: &FactorImportance, factor: usize| -> Vec<Option<f64>> {
        of.importance.marginals[factor].iter().map(|value| Some(100.0 * value)).collect()
    };
    let panels: Vec<Markup> = page
        .study
        .factors
        .iter()
        .enumerate()
        .map(|(factor, record)| {
            let rows = vec![
                Row { ink: Ink::Training, values: values(training, factor) },
                Row { ink: Ink::Test, values: values(test, factor) },
            ];
            let y = extent(rows.iter().flat_map(|row| row.values.iter().flatten().copied()), 0.08)
                .unwrap_or([0.0, 1.0]);
            let title = format!("accuracy along {}", record.name);
            let levels = &test.labels[factor];
            let chart = CategoryChart {
                title: &title,
                x_label: &record.name,
                y_label: "accuracy, %",
                levels,
                y,
                rows,
            };
            panel(&capitalized(&record.name), &chart.draw())
        })
        .collect();
    let key = legend(&[(Ink::Training, Sample::Line, "training"), (Ink::Test, Sample::Line, "test")]);
    figure(
        &panels,
        &key,
        "Accuracy along each factor as the forest predicts it, averaged over all others; each panel on its own scale.",
    )
}

/// Every variant as a line through its levels; `None` with too few to be worth it.
fn coordinates(page: &Page<'_>) -> Option<Markup> {
    let score = |variant: usize| Some(100.0 * page.analysis.scores[variant].test?.mean);
    let scored: Vec<(usize, f64)> =
        (0..page.study.variants.len()).filter_map(|variant| Some((variant, score(variant)?))).collect();
    let [low, high] = extent(scored.iter().map(|(_, test)| *test), 0.0)?;
    if scored.len() < 6 || high <= low {
        return None;
    }
    let share = |test: f64| (test - low) / (high - low);
    // Depth by rank: a few bad variants would make all others look alike.
    let mut ranked: Vec<f64> = scored.iter().map(|(_, test)| *test).collect();
    ranked.sort_by(f64::total_cmp);
    let depth = |test: f64| ranked.partition_point(|other| *other < test) as f64 / (ranked.len() - 1) as f64;
    let mut lines: Vec<Line> = scored
        .iter()
        .map(|&(variant, test)| {
            let levels = &page.study.variants[variant].levels;
            let crossed = page.study.factors.iter().zip(levels).map(|(factor, &level)| place(factor, level));
            Line { at: crossed.chain([share(test)]).collect(), depth: depth(test) }
        })
        .collect();
    let outcome = Axis {
        name: "test accuracy".into(),
        ticks: vec![(0.0, format!("{}%", fixed(low, 2))), (1.0, format!("{}%", fixed(high, 2)))],
    };
    let axes: Vec<Axis> = page.study.factors.iter().map(axis).chain([outcome]).collect();
    let caption =
        "Every variant is a line through its levels, the darker the better its test accuracy ranks.";
    let chart = parallel::draw("Every variant through its levels", &axes, &mut lines);
    Some(html! { figure.full { div.panels { (chart) } figcaption { (caption) } } })
}

/// Where a level lies on its factor's axis: by its number where there is a range, else by its place in the list.
fn place(factor: &FactorRecord, level: usize) -> f64 {
    let scale = |value: f64| if factor.range.is_some_and(|range| range.log) { value.ln() } else { value };
    match (factor.range, factor.levels.get(level).and_then(|level| level.number())) {
        (Some(range), Some(number)) if range.high > range.low => {
            ((scale(number) - scale(range.low)) / (scale(range.high) - scale(range.low))).clamp(0.0, 1.0)
        }
        _ => (level as f64 + 0.5) / factor.levels.len().max(1) as f64,
    }
}

fn axis(factor: &FactorRecord) -> Axis {
    let ticks = match factor.range {
        Some(range) => vec![(0.0, short(range.low)), (1.0, short(range.high))],
        None => factor
            .levels
            .iter()
            .enumerate()
            .map(|(i, level)| (place(factor, i), level.label.clone()))
            .collect(),
    };
    Axis { name: factor.name.clone(), ticks }
}
