//! Learning curves: training and test accuracy on one chart per variant, with bands over seeds.

use super::Page;
use crate::record::{Design, EpochRecord, TrialRecord};
use crate::report::page::{figure, folded, panel, section as page_section};
use crate::report::seeds::{Measurement, over_seeds};
use crate::report::svg::Ink;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::line::LineChart;
use crate::report::svg::scale::extent;
use crate::statistics::summary::median;
use maud::{Markup, html};

/// How many variants are drawn where no factor groups them.
const MOST: usize = 11;

const TRAINING: Measurement = |epoch| 100.0 * epoch.train_accuracy;
const TEST: Measurement = |epoch| 100.0 * epoch.test_accuracy;
const RUNNING: Measurement = |epoch| 100.0 * epoch.running_accuracy;

pub(super) fn section(page: &Page<'_>) -> Markup {
    if page.study.trials.iter().all(|trial| trial.trial.epochs.is_empty()) {
        return html! {};
    }
    let groups = groups(page);
    let body = html! {
        p {
            "Accuracy at the end of each epoch, in inference mode, and the running accuracy that a progress bar shows. Lines are means \
             over seeds, bands one standard deviation either way. Where training and test lines part, the network begins to know its \
             training pictures better than their kind."
        }
        @for (i, (name, variants)) in groups.iter().enumerate() {
            @let drawn = figure(&panels(page, variants), &key(), &caption(name.as_deref()));
            @if i < 3 { (drawn) } @else { (folded(name.as_deref().unwrap_or("More"), &drawn)) }
        }
    };
    page_section("How they learned", &body)
}

/// The variants of one figure each, with the factor they belong to: the baseline stands first in each.
fn groups(page: &Page<'_>) -> Vec<(Option<String>, Vec<usize>)> {
    if page.study.design != Design::OneAtATime {
        let variants = std::iter::once(0).chain(page.most_different(MOST)).collect();
        return vec![(None, variants)];
    }
    let of = |factor: usize| {
        let levels = page.levels_of(factor);
        let name = page.study.factors[factor].name.clone();
        (!levels.is_empty()).then(|| (Some(name), std::iter::once(0).chain(levels).collect()))
    };
    (0..page.study.factors.len()).filter_map(of).collect()
}

fn key() -> Markup {
    legend(&[
        (Ink::Training, Sample::Line, "training"),
        (Ink::Test, Sample::Line, "test"),
        (Ink::Quiet, Sample::Line, "running"),
    ])
}

fn caption(factor: Option<&str>) -> String {
    let which = match factor {
        Some(name) => format!("The baseline and each level of {name}"),
        None => "The baseline and the variants that differ most from it on test accuracy".to_owned(),
    };
    format!(
        "{which}, on one scale but for those whose heading says otherwise. The running accuracy begins below the scale where its \
         line comes from under the axis."
    )
}

/// One panel per variant; those that lie far from the others have a scale of their own.
fn panels(page: &Page<'_>, variants: &[usize]) -> Vec<Markup> {
    let trials: Vec<Vec<&TrialRecord>> = variants.iter().map(|&variant| page.trials(variant)).collect();
    let epochs = trials.iter().flatten().map(|trial| trial.epochs.len()).max().unwrap_or(1);
    let ranges: Vec<Option<[f64; 2]>> = trials.iter().map(|trials| range(trials)).collect();
    let known: Vec<[f64; 2]> = ranges.iter().flatten().copied().collect();
    let far = |range: &[f64; 2]| far(range, &known);
    let common = extent(known.iter().filter(|range| !far(range)).flatten().copied(), 0.06);
    let common = common.unwrap_or([0.0, 100.0]);
    let draw = |((&variant, trials), range): ((&usize, &Vec<&TrialRecord>), &Option<[f64; 2]>)| {
        let own = range.filter(far);
        let y = own.and_then(|range| extent(apart(range).into_iter(), 0.06)).unwrap_or(common);
        let series = [(Ink::Quiet, RUNNING), (Ink::Training, TRAINING), (Ink::Test, TEST)]
            .map(|(ink, measurement)| over_seeds(trials, ink, measurement));
        let title = format!("accuracy of {} per epoch", page.short(variant));
        let chart = LineChart {
            title: &title,
            y_label: "accuracy, %",
            first: 1,
            epochs,
            y,
            zero: false,
            series: series.into(),
        };
        let note = if own.is_some() { " (own scale)" } else { "" };
        panel(&format!("{}{note}", page.heading(variant)), &chart.draw())
    };
    variants
        .iter()
        .zip(&trials)
        .zip(&ranges)
        .filter(|((_, trials), _)| trials.iter().any(|trial| !trial.epochs.is_empty()))
        .map(draw)
        .collect()
}

/// The smallest and largest training and test accuracy of all epochs. The running accuracy has no say: in the first epoch it begins
/// at chance, and its line leaves the chart.
fn range(trials: &[&TrialRecord]) -> Option<[f64; 2]> {
    let epochs = trials.iter().flat_map(|trial| &trial.epochs);
    let of = |epoch: &EpochRecord| [TRAINING(epoch), TEST(epoch)];
    extent(epochs.flat_map(of), 0.0)
}

/// A range of at least two points around the same middle: a line that hardly moves is to look like one.
fn apart([low, high]: [f64; 2]) -> [f64; 2] {
    let (middle, half) = ((low + high) / 2.0, ((high - low) / 2.0).max(1.0));
    [middle - half, middle + half]
}

/// Whether a range would squeeze the others: one of its ends lies further from theirs (their median) than twice their median
/// length, and than a point.
fn far(range: &[f64; 2], all: &[[f64; 2]]) -> bool {
    let middle = |of: fn(&[f64; 2]) -> f64| median(&all.iter().map(of).collect::<Vec<_>>()).unwrap_or(0.0);
    let limit = (2.0 * middle(|range| range[1] - range[0])).max(1.0);
    (range[0] - middle(|range| range[0])).abs() > limit || (range[1] - middle(|range| range[1])).abs() > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_learns_otherwise_has_a_scale_of_its_own() {
        let usual = [[95.9, 99.7], [96.0, 99.6], [94.1, 99.4]];
        let all = [&usual[..], &[[86.4, 97.7], [11.2, 11.4]]].concat();
        assert_eq!(all.iter().filter(|range| far(range, &all)).count(), 2);
        assert!(!usual.iter().any(|range| far(range, &all)));
        assert!(!far(&[97.0, 98.0], &[[97.0, 98.0]]));
    }
}
