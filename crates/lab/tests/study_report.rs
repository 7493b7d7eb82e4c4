//! Whole reports on made-up studies: one choice at a time, a grid, random draws, one seed, interrupted.
//!
//! The pages are left in the build folder (`target/tmp/`) to be looked at in a browser.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod synthetic;

use seedbed_lab::analysis::Analysis;
use seedbed_lab::record::StudyRecord;
use seedbed_lab::report::{markdown, study::render};
use std::path::Path;
use synthetic::study::{grid, one_at_a_time, pictures, random};

/// Renders the page, leaves it where it can be looked at, and checks what holds for every report.
fn check(name: &str, study: &StudyRecord) -> String {
    let analysis = Analysis::of(study);
    let page = render(study, &analysis, Some(&pictures()));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(format!("seedbed-study-{name}.html")), &page).unwrap();
    let text = markdown::study(study, &analysis);
    std::fs::write(folder.join(format!("seedbed-study-{name}.md")), &text).unwrap();
    assert!(page.len() < 2_500_000, "{name}: {} bytes", page.len());
    for forbidden in ["NaN", "http:", "https:", "<script", "url(", "@import", "inf "] {
        assert!(!page.contains(forbidden), "{name} contains {forbidden}");
        assert!(!text.contains(forbidden), "{name}.md contains {forbidden}");
    }
    page
}

#[test]
fn one_choice_at_a_time() {
    let page = check("one-at-a-time", &one_at_a_time(10));
    for expected in [
        "higher with dropout 0.2 (+0.1",
        "lower with initializer zeros (−86.3",
        "Training diverged in 5 trials: learning_rate 10 with 5 of 10 seeds.",
        "A/A control",
        "Variance budget",
        "Seed planner",
        "The most contested test pictures",
        "dead units, %",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn a_grid() {
    let page = check("grid", &grid(6));
    for expected in
        ["Analysis of variance", "dropout × hidden", "One line per level of", "Every variant is a line"]
    {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn random_draws() {
    let page = check("random", &random(60, 2));
    for expected in ["Which factors matter", "share explained, %", "accuracy along learning_rate"] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn little_was_run() {
    let page = check("one-seed", &one_at_a_time(1));
    assert!(page.contains("one run cannot tell an effect from noise") && !page.contains(" ± "));
    let mut study = one_at_a_time(3);
    study.trials.truncate(20);
    let page = check("interrupted", &study);
    assert!(page.contains("20 of 54 trials have been run"));
}
