//! Title, question, answer in words, what it ran on, and what must not be missed.

use crate::analysis::Answer;
use crate::format::{count, plural, seconds};
use crate::record::{LessonRecord, TrialRecord};
use crate::report::page::notice;
use maud::{Markup, html};

pub(super) fn section(lesson: &LessonRecord, answer: &Answer) -> Markup {
    html! {
        header {
            p.kicker { "Seedbed lesson" }
            h1 { (title(lesson)) }
            p.question {
                "What does a training choice really do to the pictures a network has seen, "
                "and to those it has not?"
            }
            @if lesson.interrupted { (notice("Incomplete.", &interrupted(lesson))) }
            @if let Some(text) = &lesson.dataset.notice { (notice("Not the data you may expect.", text)) }
            @if !answer.headline.is_empty() { p.answer { (answer.headline) } }
            @if !answer.remarks.is_empty() {
                ul.remarks { @for remark in &answer.remarks { li { (remark) } } }
            }
            p.about { (about(lesson)) }
        }
    }
}

fn title(lesson: &LessonRecord) -> String {
    let networks = match lesson.models.len() {
        1 => "One network".to_owned(),
        2 => "Two networks".to_owned(),
        3 => "Three networks".to_owned(),
        many => format!("{} networks", count(many)),
    };
    let seeds = if lesson.seeds.len() > 1 {
        format!(", {}", plural(lesson.seeds.len(), "seed"))
    } else {
        String::new()
    };
    format!("{networks} on {}{seeds}", lesson.dataset.title)
}

fn interrupted(lesson: &LessonRecord) -> String {
    let finished =
        lesson.models.iter().flat_map(|model| &model.trials).filter_map(TrialRecord::outcome).count();
    format!(
        "The lesson was stopped before it was finished: {finished} of {} ran to the end. \
         This page shows what was measured by then.",
        plural(lesson.models.len() * lesson.seeds.len(), "trial")
    )
}

fn about(lesson: &LessonRecord) -> String {
    let environment = &lesson.environment;
    [
        format!("Seedbed {}", environment.seedbed_version),
        plural(environment.threads, "thread"),
        environment.simd.clone(),
        environment.cpu.clone(),
        environment.os.clone(),
        format!("{}: {}", lesson.dataset.title, lesson.dataset.source.trim_end_matches('.')),
        format!("started {}", environment.started),
        format!("took {}", seconds(lesson.seconds)),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" · ")
}
