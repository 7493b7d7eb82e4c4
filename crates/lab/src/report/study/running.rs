//! What separates the progress bar from the training accuracy: lag, noise, fit.

use super::Page;
use crate::analysis::split::RunningSplit;
use crate::format::{fixed, plural};
use crate::report::page::{folded, section as page_section, table};
use crate::statistics::summary::Summary;
use maud::{Markup, html};

/// More rows than this are folded away.
const MOST_UNFOLDED: usize = 16;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let rows: Vec<Vec<String>> = page
        .analysis
        .splits
        .iter()
        .zip(&page.study.variants)
        .filter_map(|(split, variant)| Some(row(&variant.name, split.as_ref()?)))
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let head = ["variant", "running, %", "lag, points", "noise, points", "training (fit), %"];
    let spread = if page.analysis.repeated() { ", mean ± standard deviation over seeds" } else { "" };
    let caption = format!("The last epoch: running + lag + noise = training{spread}.");
    let all = table(&head, &rows, &caption);
    let body = html! {
        p {
            "The accuracy that a progress bar shows is averaged while the weights still move and dropout is on. " em { "Lag" }
            " is what the weights gained over the second half of the epoch; " em { "noise" } " is the rest: dropout, and that each picture \
             is measured before the epoch has shown it. Without dropout only that second part of it is left, so a variant’s noise \
             beyond the baseline’s is what dropout costs the bar. What remains is the fit."
        }
        @if rows.len() > MOST_UNFOLDED { (folded(&plural(rows.len(), "variant"), &all)) } @else { (all) }
    };
    page_section("What the progress bar shows", &body)
}

fn row(name: &str, split: &RunningSplit) -> Vec<String> {
    let cell = |summary: Summary| {
        let sd = summary.standard_deviation.map(|sd| format!(" ± {}", fixed(100.0 * sd, 2)));
        format!("{}{}", fixed(100.0 * summary.mean, 2), sd.unwrap_or_default())
    };
    vec![name.to_owned(), cell(split.running), cell(split.lag), cell(split.noise), cell(split.fit)]
}
