//! What the study is about: every variant's scores, and its differences to the baseline, paired by seed.

use super::Page;
use crate::analysis::{Effect, Metric, Score};
use crate::format::{NOTHING, capitalized, count, fixed, p_value, plural};
use crate::record::{Design, TrialStatus};
use crate::report::page::{figure, folded, panel, section as page_section, table};
use crate::report::svg::Ink;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::scale::{extent, robust_extent};
use crate::report::svg::strip::{Mark, Strip, StripChart};
use crate::statistics::paired::PairedEffect;
use crate::statistics::power::POWER;
use crate::statistics::sentence::Verdict;
use crate::statistics::summary::Summary;
use maud::{Markup, html};

/// More variants than this are not all drawn; the table has them.
const MOST_DRAWN: usize = 30;

/// More rows than this are folded away.
const MOST_UNFOLDED: usize = 24;

/// Which column of the scores holds the number of weights.
const WEIGHTS: usize = 1;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let scored = page.analysis.scores.iter().any(|score| score.test.is_some());
    let compared = page.analysis.effects.iter().any(|effects| !effects.is_empty());
    let body = html! {
        p {
            "Training and test accuracy are both measured in inference mode, dropout off, with the final weights; the "
            em { "gap" } " is their difference, and it is what overfitting looks like. Every variant ran with the same seeds, so each \
             is compared with the baseline seed by seed: both saw the same batches, and the same first weights where shapes agree."
        }
        @if scored {
            @if compared && page.analysis.repeated() { (forests(page)) }
            (scores(page))
            @if compared { (sentences(page)) (effects(page)) }
        } @else { p { "No trial ran to the end, so there is nothing to compare yet." } }
    };
    page_section("What each choice does", &body)
}

/// Three forest plots with the same rows: training, test and gap.
fn forests(page: &Page<'_>) -> Markup {
    let drawn = if page.study.variants.len() > MOST_DRAWN {
        page.most_different(MOST_DRAWN)
    } else {
        (1..page.study.variants.len()).collect()
    };
    let metrics =
        [(Metric::Training, Ink::Training), (Metric::Test, Ink::Test), (Metric::Gap, Ink::Model(0))];
    let panels: Vec<Markup> =
        metrics.iter().map(|(metric, ink)| forest(page, *metric, *ink, &drawn)).collect();
    let left_out = page.study.variants.len() - 1 - drawn.len();
    let rest = if left_out > 0 {
        format!(
            " {} with smaller differences in test accuracy are in the table only.",
            capitalized(&plural(left_out, "variant"))
        )
    } else {
        String::new()
    };
    let key = legend(&[
        (Ink::Training, Sample::Mark, "training"),
        (Ink::Test, Sample::Mark, "test"),
        (Ink::Model(0), Sample::Mark, "gap"),
        (Ink::Quiet, Sample::Mark, "small: single seeds"),
    ]);
    figure(
        &panels,
        &key,
        &format!(
            "Differences to the baseline with 95% intervals, in points, each panel on its own scale. * marks those that were detected: the \
             interval leaves zero out, and Holm’s correction over all {} of the study agrees. How large the others would \
             have had to be is said below, at a power of {}%. An arrow stands for a difference beyond the scale.{rest}",
            plural(page.analysis.effects.iter().map(Vec::len).sum(), "difference"),
            fixed(100.0 * POWER, 0)
        ),
    )
}

fn forest(page: &Page<'_>, metric: Metric, ink: Ink, variants: &[usize]) -> Markup {
    let measure = metric.measure();
    let effects: Vec<(usize, &Effect)> = variants
        .iter()
        .filter_map(|&variant| Some((variant, page.analysis.effect(variant, metric)?)))
        .collect();
    let x = scale(&effects.iter().map(|(_, effect)| &effect.paired).collect::<Vec<_>>());
    let x = x.unwrap_or([-0.01, 0.01]).map(|end| measure.scale * end);
    let row = |(variant, effect): &(usize, &Effect)| {
        let scaled = |value: f64| measure.scale * value;
        let mut marks = Vec::new();
        if let Some(spread) = effect.paired.spread {
            marks.push(Mark::Runs(ink, effect.paired.differences.iter().copied().map(scaled).collect()));
            marks.push(Mark::Interval(ink, spread.interval.map(scaled)));
        }
        marks.push(Mark::Point(ink, scaled(effect.paired.mean)));
        let half = effect.paired.spread.map_or_else(String::new, |spread| {
            format!(" ± {}", measure.size((spread.interval[1] - spread.interval[0]) / 2.0))
        });
        let found = if effect.verdict() == Verdict::Found { " *" } else { "" };
        Strip {
            label: page.heading(*variant),
            value: format!("{}{half}{found}", measure.signed(effect.paired.mean)),
            marks,
        }
    };
    let title = format!("{}: difference to the baseline", capitalized(measure.name));
    let rows = effects.iter().map(row).collect();
    let chart = StripChart { title: &title, x_label: "difference, points", x, zero: true, rows };
    panel(&capitalized(measure.name), &chart.draw())
}

/// The values a forest covers: every interval that lies near the others, and every seed of those. What lies far away is left beyond
/// the edge.
fn scale(effects: &[&PairedEffect]) -> Option<[f64; 2]> {
    let interval = |effect: &PairedEffect| effect.spread.map_or([effect.mean; 2], |spread| spread.interval);
    let ends: Vec<f64> = effects.iter().flat_map(|effect| interval(effect)).chain([0.0]).collect();
    let [low, high] = robust_extent(&ends, 0.0)?;
    let near = effects.iter().filter(|effect| (low..=high).contains(&effect.mean));
    extent(near.flat_map(|effect| effect.differences.iter().copied()).chain([low, high]), 0.05)
}

fn scores(page: &Page<'_>) -> Markup {
    let mut rows: Vec<Vec<String>> = page
        .analysis
        .scores
        .iter()
        .enumerate()
        .map(|(variant, score)| score_row(page, variant, score))
        .collect();
    let spread = if page.analysis.repeated() {
        ", mean ± standard deviation over seeds"
    } else {
        ", one run of each"
    };
    let mut head = vec!["variant", "weights", "runs", "training, %", "test, %", "gap, points", "test loss"];
    let mut caption = format!(
        "Scores after the last epoch{spread}. Runs that diverged are counted and not averaged in. Test losses compare only \
                 what has the same loss and penalties."
    );
    let sizes: Vec<usize> = page.study.variants.iter().map(|variant| variant.parameters).collect();
    if let Some(&size) = sizes.first().filter(|size| sizes.iter().all(|other| other == *size)) {
        caption.push_str(&format!(" All have {} weights.", count(size)));
        head.remove(WEIGHTS);
        rows.iter_mut().for_each(|row| drop(row.remove(WEIGHTS)));
    }
    let all = table(&head, &rows, &caption);
    if rows.len() > MOST_UNFOLDED { folded(&plural(rows.len(), "variant"), &all) } else { all }
}

fn score_row(page: &Page<'_>, variant: usize, score: &Score) -> Vec<String> {
    let asked = page.study.seeds.len();
    let mut runs =
        if score.finished == asked { asked.to_string() } else { format!("{} of {asked}", score.finished) };
    if score.diverged > 0 {
        runs.push_str(&format!(", {} diverged", score.diverged));
    }
    let record = &page.study.variants[variant];
    let mut row = vec![record.name.clone(), count(record.parameters), runs];
    row.extend([score.training, score.test, score.gap].map(|summary| spread(summary, 100.0, 2)));
    row.push(spread(score.loss, 1.0, 4));
    row
}

/// "97.71 ± 0.12".
fn spread(summary: Option<Summary>, scale: f64, decimals: usize) -> String {
    match summary {
        None => NOTHING.to_owned(),
        Some(Summary { mean, standard_deviation: None, .. }) => fixed(scale * mean, decimals),
        Some(Summary { mean, standard_deviation: Some(sd), .. }) => {
            format!("{} ± {}", fixed(scale * mean, decimals), fixed(scale * sd, decimals))
        }
    }
}

/// What each level does, in words, factor by factor; not for designs whose variants differ in several factors.
fn sentences(page: &Page<'_>) -> Markup {
    if page.study.design != Design::OneAtATime {
        return html! {};
    }
    html! {
        @for (factor, record) in page.study.factors.iter().enumerate() {
            @let variants = page.levels_of(factor);
            @if !variants.is_empty() {
                (folded(&format!("In words: {} (baseline {})", record.name, record.levels[record.baseline].label), &html! {
                    ul.remarks {
                        @for &variant in &variants {
                            @for text in said(page, variant) { li { (text) } }
                        }
                    }
                }))
            }
        }
    }
}

fn said(page: &Page<'_>, variant: usize) -> Vec<String> {
    let mut said: Vec<String> = page.analysis.effects[variant].iter().map(Effect::sentence).collect();
    let diverged = page
        .trials(variant)
        .iter()
        .filter(|trial| matches!(trial.status, TrialStatus::Diverged { .. }))
        .count();
    if diverged > 0 {
        let name = &page.study.variants[variant].name;
        said.push(format!("With {name}, training diverged with {}.", plural(diverged, "seed")));
    }
    said
}

fn effects(page: &Page<'_>) -> Markup {
    let all: Vec<&Effect> = page.analysis.effects.iter().flatten().collect();
    if !page.analysis.repeated() {
        return html! {};
    }
    let head = [
        "difference to the baseline",
        "mean",
        "95% interval",
        "bootstrap interval",
        "g",
        "p, corrected",
        "p, sign flips",
        "corrected",
    ];
    let rows: Vec<Vec<String>> = all.iter().map(|effect| row(effect)).collect();
    let effort = page.analysis.effort;
    let caption = format!(
        "Differences paired by seed; accuracies and gaps in points. Intervals from the paired t-test and from the bias-corrected and \
         accelerated bootstrap ({} resamples); g is Hedges’ effect size, the difference in units of its own scatter over seeds. The t-test’s p-value with \
         Holm’s correction over all {} of the study; the sign-flip p-value, which assumes no bell curve, before and \
         after the same correction. With few seeds sign flips cannot give a small p: {} allow no less than {}.",
        count(effort.resamples),
        plural(all.len(), "difference"),
        plural(page.study.seeds.len(), "seed"),
        p_value(2f64.powi(1 - page.study.seeds.len().min(60) as i32))
    );
    let all = table(&head, &rows, &caption);
    if rows.len() > MOST_UNFOLDED {
        folded(&format!("All {}", plural(rows.len(), "difference")), &all)
    } else {
        all
    }
}

fn row(effect: &Effect) -> Vec<String> {
    let measure = effect.metric.measure();
    let interval = |interval: Option<[f64; 2]>| {
        interval.map_or_else(|| NOTHING.to_owned(), |ends| measure.interval(ends))
    };
    let p = |p: Option<f64>| p.map_or_else(|| NOTHING.to_owned(), p_value);
    vec![
        format!("{}, {}", effect.model, measure.name),
        measure.signed(effect.paired.mean),
        interval(effect.paired.spread.map(|spread| spread.interval)),
        interval(effect.bootstrap),
        effect.hedges.map_or_else(|| NOTHING.to_owned(), |g| fixed(g, 1)),
        p(effect.corrected_p),
        p(effect.sign_flip_p),
        p(effect.corrected_sign_flip_p),
    ]
}
