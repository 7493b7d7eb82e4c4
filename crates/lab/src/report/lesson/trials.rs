//! Every trial, and every epoch of it.

use crate::format::{NOTHING, capitalized, fixed, plural, seconds};
use crate::record::{LessonRecord, ModelRecord, TrialRecord, TrialStatus};
use crate::report::page::{bare_table, folded, screen_only, section as page_section, table};
use crate::statistics::summary::Summary;
use maud::{Markup, html};

const TRIALS_HEAD: [&str; 10] = [
    "trial",
    "ended",
    "epochs",
    "running, %",
    "training, %",
    "test, %",
    "gap, points",
    "training loss",
    "test loss",
    "time",
];
const EPOCHS_HEAD: [&str; 10] = [
    "seed",
    "epoch",
    "running, %",
    "training, %",
    "test, %",
    "gap, points",
    "running loss",
    "training loss",
    "test loss",
    "time",
];

/// More trials than this are folded away.
const MOST_UNFOLDED: usize = 15;

pub(super) fn section(lesson: &LessonRecord) -> Markup {
    let rows: Vec<Vec<String>> =
        lesson.models.iter().flat_map(|model| &model.trials).map(trial_row).collect();
    let caption = "Every trial at its last completed epoch. Times include evaluation.";
    let body = html! {
        @if rows.is_empty() { p { "No trial was started." } }
        @else if rows.len() <= MOST_UNFOLDED { (table(&TRIALS_HEAD, &rows, caption)) }
        @else { (folded(&plural(rows.len(), "trial"), &table(&TRIALS_HEAD, &rows, caption))) }
        @for model in lesson.models.iter().filter(|model| !model.trials.is_empty()) { (epochs(model)) }
    };
    page_section("Every trial", &body)
}

fn trial_row(trial: &TrialRecord) -> Vec<String> {
    let ended = match &trial.status {
        TrialStatus::Finished => "finished".to_owned(),
        TrialStatus::Diverged { epoch, reason } => format!("diverged in epoch {epoch}: {reason}"),
        TrialStatus::Interrupted { .. } => "interrupted".to_owned(),
    };
    let mut row =
        vec![format!("{}, seed {}", trial.model, trial.seed), ended, trial.epochs.len().to_string()];
    match trial.last_epoch() {
        None => row.extend(std::iter::repeat_n(NOTHING.to_owned(), 6)),
        Some(last) => row.extend([
            fixed(100.0 * last.running_accuracy, 2),
            fixed(100.0 * last.train_accuracy, 2),
            fixed(100.0 * last.test_accuracy, 2),
            fixed(100.0 * last.gap(), 2),
            fixed(last.train_loss, 4),
            fixed(last.test_loss, 4),
        ]),
    }
    row.push(seconds(trial.seconds));
    row
}

fn epochs(model: &ModelRecord) -> Markup {
    let rows: Vec<Vec<String>> = model.trials.iter().flat_map(epoch_rows).collect();
    let times: Vec<f64> =
        model.trials.iter().flat_map(|trial| &trial.epochs).map(|epoch| epoch.seconds).collect();
    let time = Summary::of(&times)
        .map_or_else(String::new, |time| format!(", {} of training each on average", seconds(time.mean)));
    let summary = format!("{}: {}{time}", capitalized(&model.name), plural(rows.len(), "epoch"));
    screen_only(&folded(&summary, &bare_table(&EPOCHS_HEAD, &rows)))
}

fn epoch_rows(trial: &TrialRecord) -> impl Iterator<Item = Vec<String>> {
    trial.epochs.iter().map(|epoch| {
        vec![
            trial.seed.to_string(),
            epoch.epoch.to_string(),
            fixed(100.0 * epoch.running_accuracy, 2),
            fixed(100.0 * epoch.train_accuracy, 2),
            fixed(100.0 * epoch.test_accuracy, 2),
            fixed(100.0 * epoch.gap(), 2),
            fixed(epoch.running_loss, 4),
            fixed(epoch.train_loss, 4),
            fixed(epoch.test_loss, 4),
            seconds(epoch.seconds),
        ]
    })
}
