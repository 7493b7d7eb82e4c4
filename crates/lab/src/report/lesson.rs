//! The lesson's page: one function per section, in reading order.

mod curves;
mod data;
mod errors;
mod method;
mod models;
mod opening;
mod scores;
mod trials;
mod weights;

pub(super) use data::class_name;
pub(super) use method::DEFINITIONS;

use super::page;
use crate::analysis::Answer;
use crate::comparison::Comparison;
use crate::record::LessonRecord;
use maud::html;

/// The whole report on `lesson` as one HTML file.
///
/// Everything in it comes from the record: the same record gives the same bytes. An interrupted lesson gives a report
/// on what was run by then, which says so.
pub fn render(lesson: &LessonRecord) -> String {
    let comparison = Comparison::of(lesson);
    let answer = Answer::of(lesson, &comparison);
    let body = html! {
        (opening::section(lesson, &answer))
        (data::section(&lesson.dataset))
        (models::section(&lesson.models))
        (scores::section(lesson, &comparison))
        (curves::section(lesson))
        (errors::section(lesson))
        (weights::section(lesson))
        (trials::section(lesson))
        (method::section(lesson))
    };
    page::page("Seedbed lesson", &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialStatus;
    use crate::record::example::lesson;

    #[test]
    fn the_page_is_the_same_for_the_same_record() {
        assert_eq!(render(&lesson(3, 4)), render(&lesson(3, 4)));
    }

    #[test]
    fn one_run_shows_no_spread_and_several_do() {
        let (one, many) = (render(&lesson(1, 4)), render(&lesson(4, 4)));
        assert!(!one.contains(" ± ") && !one.contains("bootstrap interval"), "one run has no spread");
        assert!(many.contains(" ± ") && many.contains("95% interval"));
        assert!(!one.contains("NaN") && !many.contains("NaN"));
    }

    #[test]
    fn every_name_is_escaped() {
        let mut lesson = lesson(2, 4);
        let hostile = "<script>alert('x')</script>";
        lesson.dataset.class_names = vec![hostile.into(), hostile.into()];
        lesson.dataset.notice = Some(hostile.into());
        lesson.command = hostile.into();
        for model in &mut lesson.models {
            model.name = format!("{hostile}{}", model.name);
            model.recipe = hostile.into();
            model.layers[0].name = hostile.into();
            model.trials[0].status = TrialStatus::Diverged { epoch: 1, reason: hostile.into() };
        }
        assert!(!render(&lesson).contains("<script"));
    }

    #[test]
    fn stopped_early_with_nothing_at_all_is_still_a_page() {
        let mut lesson = lesson(2, 4);
        lesson.interrupted = true;
        for model in &mut lesson.models {
            model.trials.clear();
            model.inspection = None;
        }
        let page = render(&lesson);
        assert!(page.contains("stopped before it was finished"));
        lesson.models.clear();
        lesson.dataset.pictures.clear();
        assert!(render(&lesson).contains("</html>"));
    }
}
