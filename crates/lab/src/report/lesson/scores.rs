//! The comparison the lesson is about: every model's accuracies and gap, and the differences paired by seed.

use crate::analysis::{Effect, Metric, Score};
use crate::comparison::Comparison;
use crate::format::{NOTHING, capitalized, fixed, p_value, points_interval, signed_points};
use crate::record::{LessonRecord, TrialRecord};
use crate::report::page::{figure, panel, section as page_section, table};
use crate::report::svg::Ink;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::scale::extent;
use crate::report::svg::strip::{Mark, Strip, StripChart};
use crate::statistics::power::POWER;
use crate::statistics::summary::Summary;
use maud::{Markup, html};

pub(super) fn section(lesson: &LessonRecord, comparison: &Comparison) -> Markup {
    let scored = comparison.scores.iter().any(|score| score.test.is_some());
    let mut panels = vec![panel("Training and test accuracy", &dumbbells(lesson, comparison))];
    if comparison.repeated() {
        panels.extend(lesson.models.iter().filter_map(|model| forest(&model.name, comparison)));
    }
    let body = html! {
        p {
            "Training and test accuracy are both measured in inference mode, dropout off, with the final weights; the "
            em { "gap" } " is their difference, and it is what overfitting looks like. The " em { "running" }
            " accuracy is what a progress bar shows: an average over the last epoch, taken while the weights still move \
             and dropout is on."
        }
        @if scored {
            (table(&["model", "runs", "running, %", "training, %", "test, %", "gap, points"],
                &comparison.scores.iter().map(|score| score_row(score, lesson.seeds.len())).collect::<Vec<_>>(),
                &scores_caption(lesson, comparison)))
            (figure(&panels, &key(comparison.repeated()), &figure_caption(comparison)))
            @if comparison.repeated() {
                (table(&["difference", "points", "95% interval", "bootstrap interval", "p, corrected", "p, sign flips"],
                    &comparison.effects.iter().map(effect_row).collect::<Vec<_>>(), EFFECTS_CAPTION))
            }
        } @else { p { "No trial ran to the end, so there is nothing to compare yet." } }
    };
    page_section("What came out", &body)
}

const EFFECTS_CAPTION: &str = "Differences paired by seed: both models of a pair started from the same seeds and saw the \
     same batches. Intervals from the paired t-test and from the bias-corrected and accelerated bootstrap; the p-value \
     of the t-test with Holm’s correction over the whole table, and the exact sign-flip p-value without it.";

fn scores_caption(lesson: &LessonRecord, comparison: &Comparison) -> String {
    let spread =
        if comparison.repeated() { ", mean ± standard deviation over seeds" } else { ", one run of each" };
    format!("Accuracy after the last of {} epochs{spread}.", lesson.epochs)
}

fn score_row(score: &Score, asked: usize) -> Vec<String> {
    let runs =
        if score.finished == asked { asked.to_string() } else { format!("{} of {asked}", score.finished) };
    let cells = [score.running, score.training, score.test, score.gap].map(spread);
    [vec![score.model.clone(), runs], cells.to_vec()].concat()
}

/// A fraction's summary in percent or points: "97.71 ± 0.12".
fn spread(summary: Option<Summary>) -> String {
    match summary {
        None => NOTHING.to_owned(),
        Some(Summary { mean, standard_deviation: None, .. }) => fixed(100.0 * mean, 2),
        Some(Summary { mean, standard_deviation: Some(sd), .. }) => {
            format!("{} ± {}", fixed(100.0 * mean, 2), fixed(100.0 * sd, 2))
        }
    }
}

fn key(repeated: bool) -> Markup {
    let mut entries = vec![(Ink::Training, Sample::Mark, "training"), (Ink::Test, Sample::Mark, "test")];
    if repeated {
        entries.push((Ink::Model(0), Sample::Mark, "gap"));
        entries.push((Ink::Quiet, Sample::Mark, "small: single runs"));
    }
    legend(&entries)
}

fn figure_caption(comparison: &Comparison) -> String {
    if comparison.repeated() {
        format!(
            "First panel: mean accuracies; the bar between them is the gap. Other panels: differences to the baseline \
             with 95% intervals, each panel on its own scale. An interval that holds zero means that no difference was \
             detected; how large it would have had to be is said above, at a power of {}%.",
            fixed(100.0 * POWER, 0)
        )
    } else {
        "Accuracy of each model; the bar between training and test is the gap.".to_owned()
    }
}

fn dumbbells(lesson: &LessonRecord, comparison: &Comparison) -> Markup {
    let rows: Vec<Strip> = lesson
        .models
        .iter()
        .zip(&comparison.scores)
        .filter_map(|(model, score)| dumbbell(&model.trials, score))
        .collect();
    let values = lesson.models.iter().flat_map(|model| &model.trials).filter_map(TrialRecord::outcome);
    let x = extent(values.flat_map(|end| [100.0 * end.train_accuracy, 100.0 * end.test_accuracy]), 0.06);
    let x = x.unwrap_or([0.0, 100.0]);
    StripChart { title: "Training and test accuracy per model", x_label: "accuracy, %", x, zero: false, rows }
        .draw()
}

fn dumbbell(trials: &[TrialRecord], score: &Score) -> Option<Strip> {
    let (training, test) = (100.0 * score.training?.mean, 100.0 * score.test?.mean);
    let mut marks = vec![Mark::Link(training, test)];
    if score.finished > 1 {
        let over = |metric: fn(&TrialRecord) -> Option<f64>| {
            trials.iter().filter_map(metric).map(|share| 100.0 * share).collect::<Vec<_>>()
        };
        marks.push(Mark::Runs(Ink::Training, over(TrialRecord::training_accuracy)));
        marks.push(Mark::Runs(Ink::Test, over(TrialRecord::test_accuracy)));
    }
    marks.extend([Mark::Point(Ink::Training, training), Mark::Point(Ink::Test, test)]);
    let value = format!("gap {} points", fixed(training - test, 2));
    Some(Strip { label: capitalized(&score.model), value, marks })
}

fn forest(model: &str, comparison: &Comparison) -> Option<Markup> {
    let effects: Vec<&Effect> = comparison
        .effects
        .iter()
        .filter(|effect| effect.model == model && effect.paired.spread.is_some())
        .collect();
    let baseline = &effects.first()?.baseline;
    let ends = effects.iter().flat_map(|effect| {
        let interval = effect.paired.spread.map_or([0.0; 2], |spread| spread.interval);
        [effect.paired.differences.as_slice(), &interval, &[0.0]].concat()
    });
    let x = extent(ends.map(|difference| 100.0 * difference), 0.06).unwrap_or([-1.0, 1.0]);
    let rows = effects.iter().map(|effect| forest_row(effect)).collect();
    let title = format!("{} minus {baseline}", capitalized(model));
    let chart = StripChart { title: &title, x_label: "difference, points", x, zero: true, rows };
    Some(panel(&title, &chart.draw()))
}

fn forest_row(effect: &Effect) -> Strip {
    let ink = match effect.metric {
        Metric::Training => Ink::Training,
        Metric::Test => Ink::Test,
        Metric::Gap | Metric::Loss => Ink::Model(0),
    };
    let interval = effect.paired.spread.map_or([0.0; 2], |spread| spread.interval);
    let runs = effect.paired.differences.iter().map(|difference| 100.0 * difference).collect();
    Strip {
        label: capitalized(effect.metric.measure().name),
        value: format!("{} ({})", signed_points(effect.paired.mean), points_interval(interval)),
        marks: vec![
            Mark::Runs(ink, runs),
            Mark::Interval(ink, interval.map(|end| 100.0 * end)),
            Mark::Point(ink, 100.0 * effect.paired.mean),
        ],
    }
}

fn effect_row(effect: &Effect) -> Vec<String> {
    let interval = |interval: Option<[f64; 2]>| interval.map_or_else(|| NOTHING.to_owned(), points_interval);
    let p = |p: Option<f64>| p.map_or_else(|| NOTHING.to_owned(), p_value);
    vec![
        format!("{} − {}, {}", effect.model, effect.baseline, effect.metric.measure().name),
        signed_points(effect.paired.mean),
        interval(effect.paired.spread.map(|spread| spread.interval)),
        interval(effect.bootstrap),
        p(effect.corrected_p),
        p(effect.sign_flip_p),
    ]
}
