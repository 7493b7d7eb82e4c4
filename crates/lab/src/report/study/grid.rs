//! Grids: where the spread comes from, heat maps and interaction plots of the pairs that matter most.

use super::Page;
use crate::analysis::Metric;
use crate::analysis::grid::cell_means;
use crate::format::{NOTHING, capitalized, fixed, p_value, short};
use crate::record::Design;
use crate::report::page::{figure, panel, section as page_section, table};
use crate::report::svg::category::{CategoryChart, Row};
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::scale::extent;
use crate::report::svg::value_map::ValueMap;
use crate::report::svg::{Ink, MODELS_APART};
use crate::statistics::anova::{Anova, Term};
use maud::{Markup, html};

/// How many pairs of factors are drawn.
const PAIRS: usize = 3;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let pairs = pairs(page);
    if page.analysis.anova.is_empty() && pairs.is_empty() {
        return html! {};
    }
    let body = html! {
        p {
            "The grid varies its factors together, so it can tell what each makes of the spread, and whether what one does depends \
             on the level of another: that is an interaction."
        }
        (variance(page))
        @for &(a, b) in &pairs { (maps(page, a, b)) (interaction(page, a, b)) }
    };
    page_section("Analysis of variance", &body)
}

/// The pairs of factors to draw: those that interact most on test accuracy.
fn pairs(page: &Page<'_>) -> Vec<(usize, usize)> {
    let factors = page.study.factors.len();
    if !matches!(page.study.design, Design::Grid | Design::Fractional) {
        return Vec::new();
    }
    let share = |a: usize, b: usize| {
        let anova = page.analysis.anova.iter().find(|of| of.metric == Metric::Test);
        let term = anova.and_then(|of| of.anova.terms.iter().find(|term| term.factors == [a, b]));
        term.map_or(0.0, |term| term.share)
    };
    let mut all: Vec<(usize, usize)> =
        (0..factors).flat_map(|a| (a + 1..factors).map(move |b| (a, b))).collect();
    all.sort_by(|x, y| share(y.0, y.1).total_cmp(&share(x.0, x.1)));
    all.truncate(PAIRS);
    all
}

fn variance(page: &Page<'_>) -> Markup {
    html! {
        @for of in page.analysis.anova.iter().filter(|of| of.metric != Metric::Loss) {
            (table(&["factor or pair", "share of spread, %", "ω², %", "degrees of freedom", "F", "p"], &rows(page, &of.anova),
                &format!("{}: what makes its spread over all runs. Shares are η², type II; ω² takes off what chance alone would \
                explain. Seeds are blocks: what they have in common is told apart.", capitalized(of.metric.measure().name))))
        }
    }
}

fn rows(page: &Page<'_>, anova: &Anova) -> Vec<Vec<String>> {
    let name = |term: &Term| {
        let names: Vec<&str> =
            term.factors.iter().map(|&factor| page.study.factors[factor].name.as_str()).collect();
        if names.is_empty() { "seeds".to_owned() } else { names.join(" × ") }
    };
    let percent = |share: f64| fixed(100.0 * share, 1);
    let row = |term: &Term| {
        let (f, p) = match term.test {
            Some((f, p)) => (short(f), p_value(p)),
            None => (NOTHING.to_owned(), NOTHING.to_owned()),
        };
        vec![name(term), percent(term.share), percent(term.omega_squared), term.freedom.to_string(), f, p]
    };
    let mut rows: Vec<Vec<String>> = anova.terms.iter().chain(&anova.block).map(row).collect();
    let none = || NOTHING.to_owned();
    let rest = anova.residual_squares / anova.total_squares;
    rows.push(vec![
        "not explained".to_owned(),
        percent(rest),
        none(),
        anova.residual_freedom.to_string(),
        none(),
        none(),
    ]);
    rows
}

fn labels(page: &Page<'_>, factor: usize) -> Vec<String> {
    page.study.factors[factor].levels.iter().map(|level| level.label.clone()).collect()
}

/// Heat maps of training, test and gap.
fn maps(page: &Page<'_>, a: usize, b: usize) -> Markup {
    let (rows, columns) = (labels(page, a), labels(page, b));
    let names = [page.study.factors[a].name.as_str(), page.study.factors[b].name.as_str()];
    let panels: Vec<Markup> = Metric::COMPARED
        .iter()
        .map(|metric| {
            let measure = metric.measure();
            let mut values = cell_means(page.study, *metric, a, b);
            values.iter_mut().flatten().flatten().for_each(|value| *value *= measure.scale);
            let range = extent(values.iter().flatten().flatten().copied(), 0.0).unwrap_or([0.0, 1.0]);
            let title = format!("{} by {} and {}", measure.name, names[0], names[1]);
            let map = ValueMap {
                title: &title,
                names,
                rows: &rows,
                columns: &columns,
                values: &values,
                range,
                decimals: 2,
            };
            let unit = if *metric == Metric::Gap { "points" } else { "%" };
            panel(&format!("{}, {unit}", capitalized(measure.name)), &map.draw())
        })
        .collect();
    let caption = format!(
        "{} by {}, each panel in its own colours from its lowest to its highest value; means over seeds and over all other factors.",
        capitalized(names[0]),
        names[1]
    );
    figure(&panels, &html! {}, &caption)
}

/// Test accuracy, training accuracy and gap over the levels of one factor, a line per level of the other.
fn interaction(page: &Page<'_>, a: usize, b: usize) -> Markup {
    // The factor with fewer levels makes the lines.
    let (x, line) =
        if page.study.factors[a].levels.len() < page.study.factors[b].levels.len() { (b, a) } else { (a, b) };
    let (levels, lines) = (labels(page, x), labels(page, line));
    let shown = lines.len().min(MODELS_APART);
    let panels: Vec<Markup> = Metric::COMPARED
        .iter()
        .map(|metric| {
            let measure = metric.measure();
            let means = cell_means(page.study, *metric, x, line);
            let value = |at: usize, of: usize| means[at][of].map(|value| measure.scale * value);
            let rows: Vec<Row> = (0..shown)
                .map(|of| Row {
                    ink: Ink::Model(of),
                    values: (0..levels.len()).map(|at| value(at, of)).collect(),
                })
                .collect();
            let y = extent(rows.iter().flat_map(|row| row.values.iter().flatten().copied()), 0.08)
                .unwrap_or([0.0, 1.0]);
            let title = format!("{} over {}", measure.name, page.study.factors[x].name);
            let y_label = if *metric == Metric::Gap { "points" } else { "accuracy, %" };
            let chart = CategoryChart {
                title: &title,
                x_label: &page.study.factors[x].name,
                y_label,
                levels: &levels,
                y,
                rows,
            };
            panel(&capitalized(measure.name), &chart.draw())
        })
        .collect();
    let entries: Vec<_> = lines
        .iter()
        .take(shown)
        .enumerate()
        .map(|(i, name)| (Ink::Model(i), Sample::Line, name.as_str()))
        .collect();
    let caption = format!(
        "One line per level of {}. Parallel lines mean that the two factors act on their own; lines that cross or run apart mean that \
         what one does depends on the other.",
        page.study.factors[line].name
    );
    figure(&panels, &legend(&entries), &caption)
}
