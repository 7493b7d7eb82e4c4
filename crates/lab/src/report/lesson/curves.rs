//! Learning curves: accuracy, loss and gap per epoch, with bands over seeds.

use crate::format::capitalized;
use crate::record::{LessonRecord, ModelRecord, TrialRecord};
use crate::report::page::{figure, panel, section as page_section};
use crate::report::seeds::{Measurement, over_seeds};
use crate::report::svg::Ink;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::line::LineChart;
use crate::report::svg::scale::extent;
use maud::{Markup, html};

const ACCURACIES: [(Ink, Measurement); 3] = [
    (Ink::Quiet, |epoch| 100.0 * epoch.running_accuracy),
    (Ink::Training, |epoch| 100.0 * epoch.train_accuracy),
    (Ink::Test, |epoch| 100.0 * epoch.test_accuracy),
];
const LOSSES: [(Ink, Measurement); 3] = [
    (Ink::Quiet, |epoch| epoch.running_loss),
    (Ink::Training, |epoch| epoch.train_loss),
    (Ink::Test, |epoch| epoch.test_loss),
];

/// The heading of the panel whose measurement has a meaning at zero.
const GAP: &str = "Gap: training minus test accuracy";

pub(super) fn section(lesson: &LessonRecord) -> Markup {
    let repeated = lesson.models.iter().any(|model| model.trials.len() > 1);
    let key = legend(&[
        (Ink::Training, Sample::Line, "training"),
        (Ink::Test, Sample::Line, "test"),
        (Ink::Quiet, Sample::Line, "running"),
    ]);
    let bands =
        if repeated { " Lines are means over seeds, bands one standard deviation either way." } else { "" };
    let body = html! {
        @if lesson.models.iter().all(|model| model.trials.iter().all(|trial| trial.epochs.is_empty())) {
            p { "No epoch was completed." }
        } @else {
            p {
                "Training and test accuracy and loss are measured after each epoch, in inference mode; the running values \
                 are averages taken during the epoch. Where the running line lies below the training line, moving weights \
                 and dropout are what separates them."
            }
            (figure(&per_model(lesson, "accuracy, %", ACCURACIES), &key,
                &format!("Accuracy at the end of each epoch, on one scale for all models.{bands}")))
            (figure(&per_model(lesson, "loss", LOSSES), &key,
                &format!("Loss at the end of each epoch, penalties included, on one scale for all models.{bands}")))
            (figure(&[
                    together(lesson, "Training accuracy", "accuracy, %", |epoch| 100.0 * epoch.train_accuracy),
                    together(lesson, "Test accuracy", "accuracy, %", |epoch| 100.0 * epoch.test_accuracy),
                    together(lesson, GAP, "points", |epoch| 100.0 * epoch.gap()),
                ], &model_key(lesson),
                &format!("The models against each other, each panel on its own scale. A growing gap is overfitting: \
                    the network comes to know its training pictures better than new ones.{bands}")))
        }
    };
    page_section("How they learned", &body)
}

fn per_model(lesson: &LessonRecord, y_label: &str, measurements: [(Ink, Measurement); 3]) -> Vec<Markup> {
    let all = measurements.iter().flat_map(|(_, measurement)| values(lesson, *measurement));
    let y = extent(all, 0.04).unwrap_or([0.0, 1.0]);
    lesson
        .models
        .iter()
        .filter(|model| model.trials.iter().any(|trial| !trial.epochs.is_empty()))
        .map(|model| {
            let title = format!("{} of {} per epoch", y_label, model.name);
            let series =
                measurements.map(|(ink, measurement)| over_seeds(&trials(model), ink, measurement)).into();
            let chart =
                LineChart { title: &title, y_label, first: 1, epochs: lesson.epochs, y, zero: false, series };
            panel(&capitalized(&model.name), &chart.draw())
        })
        .collect()
}

/// One measurement of all models on one pair of axes; the gap gets a line at zero.
fn together(lesson: &LessonRecord, heading: &str, y_label: &str, measurement: Measurement) -> Markup {
    let zero = heading == GAP;
    let y = extent(values(lesson, measurement).chain(zero.then_some(0.0)), 0.06).unwrap_or([0.0, 1.0]);
    let series = lesson
        .models
        .iter()
        .enumerate()
        .map(|(i, model)| over_seeds(&trials(model), Ink::Model(i), measurement))
        .collect();
    let chart = LineChart { title: heading, y_label, first: 1, epochs: lesson.epochs, y, zero, series };
    panel(heading, &chart.draw())
}

fn model_key(lesson: &LessonRecord) -> Markup {
    let entries: Vec<_> = lesson
        .models
        .iter()
        .enumerate()
        .map(|(i, model)| (Ink::Model(i), Sample::Line, model.name.as_str()))
        .collect();
    legend(&entries)
}

fn values(lesson: &LessonRecord, measurement: Measurement) -> impl Iterator<Item = f64> {
    lesson.models.iter().flat_map(|model| &model.trials).flat_map(|trial| &trial.epochs).map(measurement)
}

fn trials(model: &ModelRecord) -> Vec<&TrialRecord> {
    model.trials.iter().collect()
}
