//! Whole reports on made-up lessons: one run, ten seeds, interrupted, zeros as initial weights.
//!
//! The pages are left in the build folder (`target/tmp/`) to be looked at in a browser.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod synthetic;

use seedbed_lab::record::{LessonRecord, TrialStatus};
use seedbed_lab::report::lesson::render;
use std::path::Path;
use synthetic::lesson;

/// Renders the page, leaves it where it can be looked at, and checks what holds for every report.
fn check(name: &str, lesson: &LessonRecord) -> String {
    let page = render(lesson);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("seedbed-lesson-{name}.html"));
    std::fs::write(file, &page).unwrap();
    assert!(page.len() < 1_500_000, "{name}: {} bytes", page.len());
    for forbidden in ["NaN", "http:", "https:", "<script", "url(", "@import", "inf "] {
        assert!(!page.contains(forbidden), "{name} contains {forbidden}");
    }
    page
}

#[test]
fn one_run() {
    let page = check("one", &lesson(1));
    assert!(page.contains("one run cannot tell an effect from noise"));
    assert!(!page.contains(" ± "), "one run has no spread");
}

#[test]
fn ten_seeds() {
    let page = check("ten", &lesson(10));
    assert!(
        page.contains("No detectable difference in test accuracy between model 2 and model 1: with 10 seeds")
    );
    assert!(page.contains("Model 3 overfits less than model 1, but its test accuracy is"));
}

#[test]
fn interrupted() {
    let mut lesson = lesson(3);
    lesson.interrupted = true;
    lesson.models[2].trials.truncate(1);
    lesson.models[2].trials[0].epochs.truncate(4);
    lesson.models[2].trials[0].status = TrialStatus::Interrupted { epoch: 4 };
    lesson.models[1].trials[2].epochs.truncate(2);
    lesson.models[1].trials[2].epochs[1].train_loss = f64::NAN;
    lesson.models[1].trials[2].status =
        TrialStatus::Diverged { epoch: 3, reason: "the loss is infinite".into() };
    lesson.models[2].inspection = None;
    lesson.dataset.notice = Some("MNIST could not be fetched, so these are the built-in digits.".into());
    let page = check("interrupted", &lesson);
    assert!(page.contains("5 of 9 trials ran to the end"));
    assert!(page.contains("diverged with 1 of 3 seeds: seed 3 in epoch 3 (the loss is infinite)"));
    assert!(page.contains("2 of 3"));
}

#[test]
fn zeros() {
    let page = check("zeros", &synthetic::zeros(lesson(1)));
    assert!(page.contains("Model 2 has hidden units that never become different"));
    assert!(page.contains("1 of 128"));
}

#[test]
fn a_record_survives_json() {
    let mut lesson = lesson(2);
    lesson
        .models
        .iter_mut()
        .filter_map(|model| model.inspection.as_mut())
        .for_each(|i| i.first_kernel = None);
    let json = serde_json::to_string(&lesson).unwrap();
    let back: LessonRecord = serde_json::from_str(&json).unwrap();
    assert!(back == lesson, "the record changed on its way through JSON");
    assert!(json.len() < 300_000, "{} bytes", json.len());
}
