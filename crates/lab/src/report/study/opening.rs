//! Title, question, answer in words, what it ran on, and what must not be missed.

use super::Page;
use crate::analysis::Answer;
use crate::format::{count, plural, seconds};
use crate::record::{Design, Environment};
use crate::report::page::notice;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>, answer: &Answer) -> Markup {
    let study = page.study;
    html! {
        header {
            p.kicker { "Seedbed study: " (study.name) }
            h1 { (study.question) }
            p.question { (asked(page)) }
            @if !study.complete() {
                (notice("Incomplete.", &format!(
                    "{} of {} have been run. This page shows what was measured by then.",
                    count(study.trials.len()), plural(study.planned, "trial"))))
            }
            @if let Some(text) = &study.dataset.notice { (notice("Not the data you may expect.", text)) }
            @if !answer.headline.is_empty() { p.answer { (answer.headline) } }
            @if !answer.remarks.is_empty() {
                ul.remarks { @for remark in &answer.remarks { li { (remark) } } }
            }
            p.about { (about(page)) }
        }
    }
}

/// What was compared, in one sentence.
fn asked(page: &Page<'_>) -> String {
    let study = page.study;
    let design = match study.design {
        Design::OneAtATime => "one choice changed at a time",
        Design::Grid => "every combination of levels",
        Design::Fractional => "a balanced part of all combinations of levels",
        Design::Random => "levels drawn at random",
        Design::QuasiRandom => "levels spread evenly by a Sobol sequence",
    };
    format!(
        "{} of {} on {}, {}, {design}.",
        plural(study.variants.len(), "variant"),
        plural(study.factors.len(), "factor"),
        study.dataset.title,
        plural(study.seeds.len(), "seed")
    )
}

fn about(page: &Page<'_>) -> String {
    let study = page.study;
    let spent: f64 = study.trials.iter().map(|trial| trial.trial.seconds).sum();
    let mut parts = Vec::new();
    for (i, environment) in study.environments.iter().enumerate() {
        // One machine is said once, however often it was started.
        let same = |other: &Environment| {
            Environment { started: environment.started.clone(), ..other.clone() } == *environment
        };
        if study.environments[..i].iter().any(same) {
            continue;
        }
        parts.push(format!("Seedbed {}", environment.seedbed_version));
        parts.push(plural(environment.threads, "thread"));
        parts.extend([&environment.simd, &environment.cpu, &environment.os].map(String::clone));
        parts.push(format!("started {}", environment.started));
    }
    parts.push(format!("{}: {}", study.dataset.title, study.dataset.source.trim_end_matches('.')));
    parts.push(format!(
        "{} in {} of training and evaluation",
        plural(study.trials.len(), "trial"),
        seconds(spent)
    ));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}
