//! How far this study's noise reaches: the variance budget, the A/A control, and how many seeds which effect needs.

use super::Page;
use crate::analysis::budget::Budget;
use crate::analysis::control::Control;
use crate::analysis::{Effect, Metric};
use crate::format::{NOTHING, capitalized, count, fixed, p_value};
use crate::report::page::{section as page_section, table};
use crate::statistics::planner;
use crate::statistics::power::POWER;
use crate::statistics::spread::Deviation;
use maud::{Markup, html};

/// Differences in points that a person may want to show.
const TARGETS: [f64; 6] = [0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002];

pub(super) fn section(page: &Page<'_>) -> Markup {
    let planned = plan_rows(page);
    let (budget, control) = (&page.analysis.budget, page.analysis.control.as_ref());
    if planned.is_empty() && budget.is_empty() && control.is_none() {
        return html! {};
    }
    let body = html! {
        @if !budget.is_empty() { (variance(budget)) }
        @if let Some(control) = control { (aa(control)) }
        @if !planned.is_empty() {
            (table(&["difference in test accuracy, points", "seeds", "seeds, cautiously"], &planned, &format!(
                "Seed planner: how many seeds show a difference of this size {}% of the time, from the median scatter of this study’s \
                paired differences; cautiously, if that scatter was a lucky draw (upper 80% limit).", fixed(100.0 * POWER, 0))))
        }
    };
    page_section("How far the noise reaches", &body)
}

fn variance(budgets: &[Budget]) -> Markup {
    let spread = |metric: Metric, spread: Deviation| {
        let measure = metric.measure();
        let interval = spread.interval.map(|end| measure.size(end));
        (measure.size(spread.value), format!("{} to {}", interval[0], interval[1]))
    };
    let shown = budgets.iter().filter(|budget| budget.metric != Metric::Loss);
    let rows = shown.flat_map(|budget| {
        let name = capitalized(budget.metric.measure().name);
        let (value, interval) = spread(budget.metric, budget.whole);
        let whole = vec![
            format!("{name}: everything varied"),
            value,
            interval,
            "100".to_owned(),
            budget.whole.count.to_string(),
        ];
        let lines = budget.lines.iter().map(|line| {
            let (value, interval) = spread(budget.metric, line.spread);
            let share = line.share.map_or_else(|| NOTHING.to_owned(), |share| fixed(100.0 * share, 0));
            vec![
                format!("– only {}", line.stream.words()),
                value,
                interval,
                share,
                line.spread.count.to_string(),
            ]
        });
        std::iter::once(whole).chain(lines.collect::<Vec<_>>())
    });
    let rows: Vec<Vec<String>> = rows.collect();
    html! {
        p {
            "Everything random in a run comes from named streams of its seed. With one stream varied and all others held, the baseline \
             shows how much of its spread over seeds that stream makes."
        }
        (table(&["baseline", "standard deviation, points", "95% interval", "share of variance, %", "runs"], &rows,
            "Variance budget. Shares need not add up to 100: streams act together, and few runs know a variance only roughly."))
    }
}

fn aa(control: &Control) -> Markup {
    let row = |effect: &Effect| {
        let measure = effect.metric.measure();
        let rate = control
            .rate
            .as_ref()
            .and_then(|rate| rate.single.iter().find(|(metric, _)| *metric == effect.metric));
        vec![
            capitalized(measure.name),
            measure.signed(effect.paired.mean),
            effect
                .paired
                .spread
                .map_or_else(|| NOTHING.to_owned(), |spread| measure.interval(spread.interval)),
            effect.corrected_p.map_or_else(|| NOTHING.to_owned(), p_value),
            rate.map_or_else(|| NOTHING.to_owned(), |(_, rate)| fixed(100.0 * rate, 1)),
        ]
    };
    let rows: Vec<Vec<String>> = control.effects.iter().map(row).collect();
    let measured = control.rate.as_ref().map(|rate| {
        format!(
            " Last column: all {} runs dealt into two hands {} times, and how often p fell below 0.05; 5% is what it should be. After \
             correction over the four metrics any of them did in {}% of deals.",
            rate.runs,
            count(rate.deals),
            fixed(100.0 * rate.any_corrected, 1)
        )
    });
    let caption = format!(
        "A/A control: the baseline on other seeds minus the baseline, judged as every other difference is.{}",
        measured.unwrap_or_default()
    );
    table(
        &["the same again", "difference", "95% interval", "p, corrected", "false positives, %"],
        &rows,
        &caption,
    )
}

fn plan_rows(page: &Page<'_>) -> Vec<Vec<String>> {
    let Some((spread, pilot)) = page.analysis.pilot() else { return Vec::new() };
    let row = |&target: &f64| {
        let plan = planner::seeds(spread, pilot, target)?;
        Some(vec![
            Metric::Test.measure().size(target),
            count(plan.expected),
            plan.cautious.map_or_else(|| NOTHING.to_owned(), count),
        ])
    };
    TARGETS.iter().filter_map(row).collect()
}
