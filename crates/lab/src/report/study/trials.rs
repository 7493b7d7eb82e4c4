//! Every trial, and what tuning tried.

use super::Page;
use crate::format::{NOTHING, fixed, percent, plural, seconds, short};
use crate::record::{Arm, StudyTrial, TrialStatus};
use crate::report::page::{bare_table, folded, screen_only, section as page_section, table};
use maud::{Markup, html};

const HEAD: [&str; 10] = [
    "variant",
    "seed",
    "for",
    "ended",
    "running, %",
    "training, %",
    "test, %",
    "gap, points",
    "test loss",
    "time",
];

pub(super) fn section(page: &Page<'_>) -> Markup {
    let rows: Vec<Vec<String>> = page.study.trials.iter().map(|trial| row(page, trial)).collect();
    let tuned = tuned(page);
    let body = html! {
        @if let Some(tuning) = &page.study.tuning {
            p {
                "Learning rates were tuned with the same budget for every variant: " (plural(tuning.multipliers.len(), "multiple"))
                " of its own, " (plural(tuning.seeds, "seed")) " each, chosen on the last " (percent(tuning.validation_split))
                " of the training pictures, which were held out. The test set was not looked at."
            }
            @if !tuned.is_empty() {
                (table(&["variant", "chosen learning rate", "tried (validation accuracy, %)"], &tuned, "What tuning found."))
            }
        }
        p { "The test set was looked at " (plural(page.study.test_looks, "time")) ", once per recipe that was scored on it." }
        @if rows.is_empty() { p { "No trial was run." } }
        @else { (screen_only(&folded(&plural(rows.len(), "trial"), &bare_table(&HEAD, &rows)))) }
    };
    page_section("Every trial", &body)
}

fn row(page: &Page<'_>, trial: &StudyTrial) -> Vec<String> {
    let record = &trial.trial;
    let ended = match &record.status {
        TrialStatus::Finished => plural(record.epochs.len(), "epoch"),
        TrialStatus::Diverged { epoch, reason } => format!("diverged in epoch {epoch}: {reason}"),
        TrialStatus::Interrupted { epoch } => format!("interrupted after {}", plural(*epoch, "epoch")),
    };
    let purpose = match trial.arm {
        Arm::Main => "comparison".to_owned(),
        Arm::Control => "A/A control".to_owned(),
        Arm::Budget(stream) => format!("budget: {}", stream.words()),
        Arm::Tuning { learning_rate } => format!("tuning: {}", short(learning_rate)),
    };
    let name = page.study.variants.get(trial.variant).map_or(NOTHING, |variant| variant.name.as_str());
    let mut row = vec![name.to_owned(), trial.seed.to_string(), purpose, ended];
    match record.last_epoch() {
        None => row.extend(std::iter::repeat_n(NOTHING.to_owned(), 5)),
        Some(last) => row.extend([
            fixed(100.0 * last.running_accuracy, 2),
            fixed(100.0 * last.train_accuracy, 2),
            fixed(100.0 * last.test_accuracy, 2),
            fixed(100.0 * last.gap(), 2),
            fixed(last.test_loss, 4),
        ]),
    }
    row.push(seconds(record.seconds));
    row
}

fn tuned(page: &Page<'_>) -> Vec<Vec<String>> {
    let tuned = page.study.variants.iter().filter_map(|variant| {
        let tuned = variant.tuned.as_ref()?;
        let tried: Vec<String> = tuned
            .tried
            .iter()
            .map(|tried| {
                let accuracy = tried
                    .validation_accuracy
                    .map_or_else(|| "diverged".to_owned(), |share| fixed(100.0 * share, 2));
                format!("{} ({accuracy})", short(tried.learning_rate))
            })
            .collect();
        Some(vec![variant.name.clone(), short(tuned.chosen), tried.join(", ")])
    });
    tuned.collect()
}
