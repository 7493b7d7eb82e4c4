//! Why: what the layers give and how their weights move, before training and epoch by epoch.

use super::Page;
use crate::format::{NOTHING, fixed, list, plural, short};
use crate::record::{LayerState, TrialRecord};
use crate::report::page::{figure, folded, panel, section as page_section, table};
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::line::{LineChart, Series};
use crate::report::svg::scale::extent;
use crate::report::svg::{Ink, MODELS_APART};
use crate::statistics::summary::mean;
use maud::{Markup, html};

/// How many variants are drawn beside the baseline.
const MOST: usize = 5;

/// More rows than this are folded away.
const MOST_UNFOLDED: usize = 24;

/// One number of a layer's state.
type Reading = fn(&LayerState) -> f64;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let looked = |&variant: &usize| page.trials(variant).iter().any(|trial| !trial.diagnostics.is_empty());
    let all: Vec<usize> = (0..page.study.variants.len()).filter(looked).collect();
    if all.is_empty() {
        return html! {};
    }
    let drawn: Vec<usize> = std::iter::once(0).chain(page.most_different(MOST)).filter(looked).collect();
    let rows: Vec<Vec<String>> = all.iter().flat_map(|&variant| initial_rows(page, variant)).collect();
    let head =
        ["before training", "mean", "standard deviation", "zeros, %", "dead units, %", "weights", "gradient"];
    let initial = table(
        &head,
        &rows,
        "What each layer gives for a few training pictures before the first step, and the norms of its weights \
        and of their gradient; means over seeds. A signal that shrinks or grows from layer to layer is too small or too large a start; \
        a gradient of 0 is a layer that cannot learn.",
    );
    let names = layers(page, &drawn);
    let entries: Vec<_> =
        names.iter().enumerate().map(|(i, name)| (Ink::Model(i), Sample::Line, name.as_str())).collect();
    let dead = drawn.iter().any(|&variant| {
        page.trials(variant)
            .iter()
            .flat_map(|trial| &trial.diagnostics)
            .flat_map(|layer| &layer.states)
            .any(|state| state.dead > 0.0)
    });
    let body = html! {
        p {
            "The same few training pictures were looked at before training and after each epoch. A unit is called dead if it gives 0 \
             for every one of them: with relu such a unit gets no gradient from them."
        }
        @if rows.len() > MOST_UNFOLDED { (folded(&format!("Before training: {}", plural(rows.len(), "layer")), &initial)) } @else { (initial) }
        (figure(&panels(page, &drawn, &names, "gradient, log₁₀", |state| state.gradient.log10()), &legend(&entries),
            "Norm of the gradient by layer, before training (epoch 0 of the axis) and after each epoch; powers of ten."))
        (figure(&panels(page, &drawn, &names, "update ÷ weights, log₁₀", |state| (state.update / state.weights).log10()), &legend(&entries),
            "How far an epoch moved the weights of each layer, as a share of their norm; powers of ten. Before training there is no update."))
        @if dead {
            (figure(&panels(page, &drawn, &names, "dead units, %", |state| 100.0 * state.dead), &legend(&entries),
                "Share of units that give 0 for every picture looked at."))
        }
    };
    page_section("Why", &body)
}

/// The names of the drawn variants' layers, by depth, as the first variant that goes so deep has them.
fn layers(page: &Page<'_>, variants: &[usize]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for &variant in variants {
        if let Some(trial) = page.trials(variant).first() {
            names.extend(trial.diagnostics.iter().skip(names.len()).map(|layer| layer.layer.clone()));
        }
    }
    names.truncate(MODELS_APART);
    names
}

/// A number of one layer at one moment, averaged over seeds.
fn averaged(trials: &[&TrialRecord], depth: usize, moment: usize, reading: Reading) -> Option<f64> {
    let values =
        trials.iter().filter_map(|trial| trial.diagnostics.get(depth)?.states.get(moment)).map(reading);
    mean(&values.filter(|value| value.is_finite()).collect::<Vec<_>>())
}

fn initial_rows(page: &Page<'_>, variant: usize) -> Vec<Vec<String>> {
    let trials = page.trials(variant);
    let Some(first) = trials.iter().find(|trial| !trial.diagnostics.is_empty()) else { return Vec::new() };
    let rows = first.diagnostics.iter().enumerate().map(|(depth, layer)| {
        let at = |reading: Reading| averaged(&trials, depth, 0, reading);
        let percent = |reading: Reading| {
            at(reading).map_or_else(|| NOTHING.to_owned(), |share| fixed(100.0 * share, 1))
        };
        let number = |reading: Reading| at(reading).map_or_else(|| NOTHING.to_owned(), short);
        vec![
            format!("{}, {}", page.short(variant), layer.layer),
            number(|state| state.mean),
            number(|state| state.deviation),
            percent(|state| state.zeros),
            percent(|state| state.dead),
            number(|state| state.weights),
            number(|state| state.gradient),
        ]
    });
    rows.collect()
}

/// One panel per variant, one line per layer.
fn panels(
    page: &Page<'_>,
    variants: &[usize],
    names: &[String],
    y_label: &str,
    reading: Reading,
) -> Vec<Markup> {
    let lines: Vec<(usize, Vec<Series>)> =
        variants.iter().map(|&variant| (variant, series(page, variant, names.len(), reading))).collect();
    let all = lines.iter().flat_map(|(_, lines)| lines.iter().flat_map(|line| line.values.iter().copied()));
    let y = extent(all, 0.06).unwrap_or([0.0, 1.0]);
    let moments = lines.iter().flat_map(|(_, lines)| lines).map(|line| line.values.len()).max().unwrap_or(1);
    lines
        .into_iter()
        .map(|(variant, series)| {
            let title = format!("{y_label} of {}", page.short(variant));
            // The logarithm of 0 has no place on the chart.
            let silent = silent(&series, names);
            let drawn = (silent.len() < series.len()).then(|| {
                LineChart { title: &title, y_label, first: 0, epochs: moments, y, zero: false, series }.draw()
            });
            let body = html! {
                @if let Some(chart) = drawn { (chart) }
                @if !silent.is_empty() { p { (list(&silent)) ": 0 from the beginning to the end." } }
            };
            panel(&page.heading(variant), &body)
        })
        .collect()
}

/// The layers whose lines have no finite value.
fn silent(series: &[Series], names: &[String]) -> Vec<String> {
    let none = |line: &Series| !line.values.is_empty() && line.values.iter().all(|value| !value.is_finite());
    series.iter().zip(names).filter(|(line, _)| none(line)).map(|(_, name)| name.clone()).collect()
}

fn series(page: &Page<'_>, variant: usize, depth: usize, reading: Reading) -> Vec<Series> {
    let trials = page.trials(variant);
    let moments =
        trials.iter().flat_map(|trial| &trial.diagnostics).map(|layer| layer.states.len()).max().unwrap_or(0);
    (0..depth)
        .map(|layer| Series {
            ink: Ink::Model(layer),
            values: (0..moments)
                .map(|moment| averaged(&trials, layer, moment, reading).unwrap_or(f64::NAN))
                .collect(),
            spread: Vec::new(),
        })
        .collect()
}
