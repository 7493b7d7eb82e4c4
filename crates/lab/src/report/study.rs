//! The study's page: one function per section, in reading order.

mod curves;
mod effects;
mod grid;
mod method;
mod noise;
mod opening;
mod pictures;
mod random;
mod running;
mod seeds;
mod trials;
mod why;

use super::page;
use crate::analysis::{Analysis, Effect, Metric, answer};
use crate::format::capitalized;
use crate::record::{StudyRecord, TrialRecord};
use maud::html;
use seedbed_data::Pictures;

/// The whole report on `study` as one HTML file. `test` are the dataset's test pictures, for the gallery; without them it names the
/// pictures by their number.
///
/// Everything else in it comes from the record: the same record gives the same bytes. A study that is not done gives a
/// report on what was run by then, which says so.
pub fn render(study: &StudyRecord, analysis: &Analysis, test: Option<&Pictures>) -> String {
    let page = Page { study, analysis };
    let body = html! {
        (opening::section(&page, &answer::study(study, analysis)))
        (effects::section(&page))
        (grid::section(&page))
        (random::section(&page))
        (curves::section(&page))
        (running::section(&page))
        (seeds::section(&page))
        (noise::section(&page))
        (pictures::section(&page, test))
        (why::section(&page))
        (trials::section(&page))
        (method::section(&page))
    };
    page::page(&format!("Seedbed study: {}", study.name), &body)
}

/// What every section draws from.
#[derive(Clone, Copy)]
struct Page<'a> {
    study: &'a StudyRecord,
    analysis: &'a Analysis,
}

/// A name longer than this is said by its levels alone.
const LONGEST_NAME: usize = 28;

impl Page<'_> {
    fn trials(&self, variant: usize) -> Vec<&TrialRecord> {
        self.study.main(variant).map(|trial| &trial.trial).collect()
    }

    /// A variant's name where there is little room: its levels alone if there are several.
    fn short(&self, variant: usize) -> String {
        let Some(record) = self.study.variants.get(variant) else { return String::new() };
        if record.name.chars().count() <= LONGEST_NAME {
            return record.name.clone();
        }
        let label = |(factor, level): (usize, usize)| self.study.factors[factor].levels[level].label.clone();
        let labels: Vec<String> = record.changed(&self.study.factors).map(label).collect();
        if labels.is_empty() { record.name.clone() } else { labels.join(" · ") }
    }

    /// The variants that differ most from the baseline on test accuracy, at most `most`, in the study's order.
    fn most_different(&self, most: usize) -> Vec<usize> {
        let size = |variant: usize| {
            self.analysis
                .effect(variant, Metric::Test)
                .map_or(0.0, |effect: &Effect| effect.paired.mean.abs())
        };
        let mut order: Vec<usize> = (1..self.study.variants.len()).collect();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        order.truncate(most);
        order.sort_unstable();
        order
    }

    /// The variants that differ from the baseline in one factor alone, in the order of its levels.
    fn levels_of(&self, factor: usize) -> Vec<usize> {
        let alone = |&variant: &usize| {
            let mut changed = self.study.variants[variant].changed(&self.study.factors);
            changed.next().is_some_and(|(of, _)| of == factor) && changed.next().is_none()
        };
        let mut found: Vec<usize> = (1..self.study.variants.len()).filter(alone).collect();
        found.sort_by_key(|&variant| self.study.variants[variant].levels[factor]);
        found
    }

    /// A variant's name above a panel or a row: the names of factors and levels stay as they are written.
    fn heading(&self, variant: usize) -> String {
        if variant == 0 { capitalized(&self.short(0)) } else { self.short(variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;
    use crate::record::{Design, TrialStatus};

    fn page(study: &StudyRecord) -> String {
        render(study, &Analysis::of(study), None)
    }

    #[test]
    fn the_page_is_the_same_for_the_same_record() {
        assert_eq!(page(&study(4)), page(&study(4)));
    }

    #[test]
    fn every_design_has_its_page() {
        let mut record = study(6);
        let one = page(&record);
        assert!(one.contains("What each choice does") && !one.contains("Analysis of variance"));
        record.design = Design::Grid;
        assert!(page(&record).contains("Analysis of variance"));
        record.design = Design::Random;
        assert!(page(&record).contains("</html>"));
        for text in [&one, &page(&record)].map(|text| text.replace("loss is NaN", "")) {
            for forbidden in ["NaN", "inf "] {
                let found =
                    text.find(forbidden).map(|at| text[..at].chars().rev().take(80).collect::<Vec<_>>());
                assert!(
                    found.is_none(),
                    "{forbidden} after {:?}",
                    found.map(|rev| rev.into_iter().rev().collect::<String>())
                );
            }
        }
    }

    #[test]
    fn every_name_is_escaped() {
        let mut record = study(2);
        let hostile = "<script>alert('x')</script>";
        record.name = hostile.into();
        record.question = hostile.into();
        record.command = hostile.into();
        record.file = hostile.into();
        record.dataset.notice = Some(hostile.into());
        record.factors[0].name = hostile.into();
        record.factors[0].levels[1].label = hostile.into();
        for variant in &mut record.variants {
            variant.name = format!("{}{hostile}", variant.name);
            variant.recipe = hostile.into();
        }
        record.trials[0].trial.status = TrialStatus::Diverged { epoch: 1, reason: hostile.into() };
        for design in [Design::OneAtATime, Design::Grid, Design::Random] {
            assert!(!page(&StudyRecord { design, ..record.clone() }).contains("<script"));
        }
    }

    #[test]
    fn little_or_nothing_run_is_still_a_page() {
        assert!(!page(&study(1)).contains(" ± "), "one run has no spread");
        let mut record = study(2);
        record.trials.truncate(3);
        assert!(page(&record).contains("3 of 16 trials"));
        record.trials.clear();
        assert!(page(&record).contains("0 of 16 trials"));
        record.variants.clear();
        record.factors.clear();
        assert!(page(&record).contains("</html>"));
    }
}
