//! How to run it again, the full recipes, what it ran on, and what the words mean.

use super::Page;
use crate::format::{capitalized, count, list};
use crate::report::lesson::DEFINITIONS;
use crate::report::page::{folded, screen_only, section as page_section, table};
use maud::{Markup, html};

/// More recipes than this are left to the study file.
const MOST_RECIPES: usize = 60;

const OWN_WORDS: [(&str, &str); 6] = [
    ("Variant", "One combination of the factors’ levels, that is one recipe, run with every seed."),
    ("Effect", "The mean difference of a variant to the baseline, seed by seed."),
    (
        "Corrected p",
        "Asking many questions finds something by chance. Holm’s correction keeps the chance of even one false alarm in the whole \
         study at 5%.",
    ),
    (
        "g",
        "Hedges’ g: a difference in units of its own scatter over seeds. 1 means as large as one seed’s difference scatters.",
    ),
    ("η², ω²", "Which share of all spread a factor makes; ω² takes off what chance alone would explain."),
    (
        "A/A control",
        "The baseline compared with itself. Whatever it finds is false, so it shows how far the method can be trusted.",
    ),
];

pub(super) fn section(page: &Page<'_>) -> Markup {
    let study = page.study;
    let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
    let machines: Vec<Vec<String>> = study
        .environments
        .iter()
        .map(|on| {
            vec![
                on.seedbed_version.clone(),
                on.threads.to_string(),
                on.simd.clone(),
                on.cpu.clone(),
                on.os.clone(),
                on.started.clone(),
            ]
        })
        .collect();
    let factors: Vec<Vec<String>> = study
        .factors
        .iter()
        .map(|factor| {
            let levels: Vec<&str> = factor.levels.iter().map(|level| level.label.as_str()).collect();
            let range = factor.range.map(|range| {
                format!("{} to {}{}", range.low, range.high, if range.log { ", log" } else { "" })
            });
            vec![
                factor.name.clone(),
                factor.path.clone(),
                range.unwrap_or_else(|| levels.join(", ")),
                levels.get(factor.baseline).copied().unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    let body = html! {
        p { "The same command gives the same numbers, to the last bit, on any machine and with any number of threads:" }
        pre { code { (study.command) } }
        p {
            (if seeds.len() == 1 { "Seed " } else { "Seeds " }) (list(&seeds)) "; " (count(study.dataset.train_count)) " training and "
            (count(study.dataset.test_count)) " test pictures of " (study.dataset.title) ", " (study.dataset.normalization) "."
        }
        @if !factors.is_empty() {
            div.words { (table(&["factor", "place in the recipe", "levels", "baseline"], &factors, "What varied.")) }
        }
        @if !machines.is_empty() {
            div.words { (table(&["version", "threads", "instructions", "processor", "system", "started"], &machines, "What it ran on.")) }
        }
        (folded("The study file", &html! { pre { code { (study.file) } } }))
        @if let Some(baseline) = study.variants.first() {
            (folded("Baseline: full recipe", &html! { pre { code { (baseline.recipe) } } }))
        }
        @if study.variants.len() > 1 {
            (screen_only(&folded("The other recipes", &html! {
                @for variant in study.variants.iter().skip(1).take(MOST_RECIPES) {
                    (folded(&capitalized(&variant.name), &html! { pre { code { (variant.recipe) } } }))
                }
                @if study.variants.len() > MOST_RECIPES + 1 { p { "The rest follow from the study file." } }
            })))
        }
    };
    html! {
        (page_section("Run it again", &body))
        (page_section("What the words mean", &html! {
            dl { @for (word, meaning) in DEFINITIONS.iter().chain(&OWN_WORDS) { dt { (word) } dd { (meaning) } } }
        }))
    }
}
