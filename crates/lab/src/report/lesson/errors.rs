//! Where the models err: confusion matrices and the most confident mistakes.

use super::data::{class_name, image};
use crate::format::{capitalized, count, fixed};
use crate::record::{DatasetRecord, Inspection, LessonRecord, Mistake};
use crate::report::color;
use crate::report::page::{figure, panel, section as page_section};
use crate::report::svg::heat_map;
use maud::{Markup, html};

/// How many mistakes of each model are shown.
const SHOWN: usize = 15;

pub(super) fn section(lesson: &LessonRecord) -> Markup {
    let inspected: Vec<(&str, &Inspection)> = lesson
        .models
        .iter()
        .filter_map(|model| Some((model.name.as_str(), model.inspection.as_ref()?)))
        .collect();
    let Some((_, first)) = inspected.first() else { return html! {} };
    let names = &lesson.dataset.class_names;
    let matrices: Vec<Markup> = inspected
        .iter()
        .map(|(model, inspection)| {
            let heading = format!("{}: {} mistakes", capitalized(model), count(inspection.mistake_count));
            panel(&heading, &heat_map::confusion(&heading, &inspection.confusion, names))
        })
        .collect();
    let galleries: Vec<Markup> = inspected
        .iter()
        .map(|(model, inspection)| panel(&capitalized(model), &gallery(inspection, &lesson.dataset)))
        .collect();
    let body = html! {
        p { "Which test pictures each model gets wrong, and how sure it was of the wrong answer." }
        (figure(&matrices, &html! {}, &format!(
            "Test pictures of each class (row) by the class they were taken for (column), with seed {}. Mistakes are \
             coloured, within each panel; the diagonal counts the right answers.", first.seed)))
        (figure(&galleries, &html! {}, &format!(
            "The most confident mistakes of each model with seed {}: true class, the class it was taken for, and the \
             probability the model gave that. Some of these pictures would puzzle a person too.", first.seed)))
    };
    page_section("Where they err", &body)
}

fn gallery(inspection: &Inspection, dataset: &DatasetRecord) -> Markup {
    html! {
        @if inspection.mistakes.is_empty() { p { "None." } }
        ul.tiles.many {
            @for mistake in inspection.mistakes.iter().take(SHOWN) { (tile(mistake, dataset)) }
        }
    }
}

fn tile(mistake: &Mistake, dataset: &DatasetRecord) -> Markup {
    let label = class_name(&dataset.class_names, mistake.label);
    let predicted = class_name(&dataset.class_names, mistake.predicted);
    let alt = format!("test picture {}: {label} taken for {predicted}", mistake.index);
    html! {
        li title=(alt) {
            (image(&mistake.pixels, dataset, color::ink, &alt))
            b { (label) } " → " b { (predicted) } br;
            (fixed(100.0 * mistake.probability, 1)) "%"
        }
    }
}
