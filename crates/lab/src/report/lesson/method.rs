//! How to run it again, the full recipes, and what the words mean.

use crate::format::{capitalized, count, list};
use crate::record::LessonRecord;
use crate::report::page::{folded, section as page_section};
use maud::{Markup, html};

/// What a report's words mean.
pub(in crate::report) const DEFINITIONS: [(&str, &str); 9] = [
    (
        "Training accuracy",
        "The share of training pictures the finished network names correctly, dropout off.",
    ),
    ("Test accuracy", "The same share among pictures the network never learned from."),
    (
        "Gap",
        "Training accuracy minus test accuracy. A wide gap is overfitting: the network knows its training pictures \
      better than their kind. A narrow gap alone is no merit: a network that learned nothing has none.",
    ),
    (
        "Running accuracy",
        "What a progress bar shows: averaged over the batches of an epoch, while the weights still move \
      and dropout is on. It is not the training accuracy.",
    ),
    (
        "Loss",
        "What training makes small: the mean cross-entropy or error per picture, plus any penalty on the weights.",
    ),
    (
        "Seed",
        "The number all random draws of a trial come from: initial weights, order of the pictures, dropout.",
    ),
    ("Point", "A percentage point: from 97% to 98% is one point."),
    (
        "95% interval",
        "Made so that in 95 of 100 repetitions of the whole experiment it holds the true difference.",
    ),
    (
        "Would have shown",
        "In four of five repetitions an effect of that size is detected (80% power, 5% significance).",
    ),
];

pub(super) fn section(lesson: &LessonRecord) -> Markup {
    let seeds: Vec<String> = lesson.seeds.iter().map(u64::to_string).collect();
    let body = html! {
        p { "The same command gives the same numbers, to the last bit, on any machine and with any number of threads:" }
        pre { code { (lesson.command) } }
        p {
            (if seeds.len() == 1 { "Seed " } else { "Seeds " }) (list(&seeds)) "; " (lesson.epochs) " epochs; batches of "
            (lesson.batch_size) "; " (count(lesson.dataset.train_count)) " training and " (count(lesson.dataset.test_count))
            " test pictures of " (lesson.dataset.title) "."
        }
        @for model in &lesson.models {
            (folded(&format!("{}: full recipe", capitalized(&model.name)), &html! { pre { code { (model.recipe) } } }))
        }
    };
    html! {
        (page_section("Run it again", &body))
        (page_section("What the words mean", &html! {
            dl { @for (word, meaning) in DEFINITIONS { dt { (word) } dd { (meaning) } } }
        }))
    }
}
