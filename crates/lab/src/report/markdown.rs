//! A study's report as Markdown: what stands in a pull request, where no page can be shown.

use crate::analysis::{Analysis, Effect, Metric, answer};
use crate::format::{NOTHING, capitalized, count, fixed, p_value, plural, seconds};
use crate::record::StudyRecord;
use crate::statistics::sentence::Verdict;
use crate::statistics::summary::Summary;

/// The short report on `study`: question, answer, scores, differences, trials that did not finish, and how to run it again. Rows
/// are those of the page; figures stay there.
pub fn study(study: &StudyRecord, analysis: &Analysis) -> String {
    let answer = answer::study(study, analysis);
    let mut parts = vec![format!("## {}", text(&study.question))];
    if !study.complete() {
        let run = format!("{} of {}", count(study.trials.len()), plural(study.planned, "trial"));
        parts.push(format!("> **Incomplete.** {run} have been run; this is what was measured by then."));
    }
    if let Some(notice) = &study.dataset.notice {
        parts.push(format!("> **Not the data you may expect.** {}", text(notice)));
    }
    if !answer.headline.is_empty() {
        parts.push(format!("**{}**", text(&answer.headline)));
    }
    let remarks: Vec<String> = answer.remarks.iter().map(|remark| format!("- {}", text(remark))).collect();
    parts.push(remarks.join("\n"));
    parts.push(scores(study, analysis));
    parts.push(effects(analysis));
    parts.push(variance(study, analysis));
    parts.push(again(study));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

fn scores(study: &StudyRecord, analysis: &Analysis) -> String {
    let cell = |summary: Option<Summary>| match summary {
        None => NOTHING.to_owned(),
        Some(Summary { mean, standard_deviation, .. }) => {
            let spread = standard_deviation.map(|sd| format!(" ± {}", fixed(100.0 * sd, 2)));
            format!("{}{}", fixed(100.0 * mean, 2), spread.unwrap_or_default())
        }
    };
    let rows: Vec<Vec<String>> = analysis
        .scores
        .iter()
        .map(|score| {
            let mut runs = format!("{} of {}", score.finished, study.seeds.len());
            if score.diverged > 0 {
                runs.push_str(&format!(", {} diverged", score.diverged));
            }
            vec![score.model.clone(), runs, cell(score.training), cell(score.test), cell(score.gap)]
        })
        .collect();
    table(&["variant", "runs", "training, %", "test, %", "gap, points"], &rows)
}

/// Test accuracy and gap; an effect that was found is bold.
fn effects(analysis: &Analysis) -> String {
    let shown = |effect: &&Effect| matches!(effect.metric, Metric::Test | Metric::Gap);
    let rows: Vec<Vec<String>> = analysis
        .effects
        .iter()
        .flatten()
        .filter(shown)
        .filter_map(|effect| {
            let (measure, spread) = (effect.metric.measure(), effect.paired.spread?);
            Some(vec![
                format!("{}, {}", effect.model, measure.name),
                measure.signed(effect.paired.mean),
                measure.interval(spread.interval),
                effect.corrected_p.map_or_else(|| NOTHING.to_owned(), p_value),
                if effect.verdict() == Verdict::Found { "found" } else { "" }.to_owned(),
            ])
        })
        .collect();
    table(&["difference to the baseline", "points", "95% interval", "p, corrected", ""], &rows)
}

fn variance(study: &StudyRecord, analysis: &Analysis) -> String {
    let Some(of) = analysis.anova.iter().find(|of| of.metric == Metric::Test) else { return String::new() };
    let rows: Vec<Vec<String>> = of
        .anova
        .terms
        .iter()
        .map(|term| {
            let names: Vec<&str> =
                term.factors.iter().map(|&factor| study.factors[factor].name.as_str()).collect();
            let p = term.test.map_or_else(|| NOTHING.to_owned(), |(_, p)| p_value(p));
            vec![names.join(" × "), fixed(100.0 * term.share, 1), p]
        })
        .collect();
    table(&["spread of test accuracy", "share, %", "p"], &rows)
}

fn again(study: &StudyRecord) -> String {
    let on: Vec<String> = study
        .environments
        .iter()
        .map(|on| format!("Seedbed {}, {}, {}", on.seedbed_version, on.simd, on.cpu))
        .collect();
    let on = text(&capitalized(&on.join("; ")));
    let spent: f64 = study.trials.iter().map(|trial| trial.trial.seconds).sum();
    format!(
        "```sh\n{}\n```\n\n{} on {}, {} in {} of training and evaluation. {on}",
        study.command.replace("```", ""),
        plural(study.seeds.len(), "seed"),
        text(&study.dataset.title),
        plural(study.trials.len(), "trial"),
        seconds(spent)
    )
}

/// A table whose first column stands left and all others right; empty without rows.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = (0..head.len()).map(|column| if column == 0 { ":--" } else { "--:" }.to_owned()).collect();
    let mut lines = vec![line(head.iter().map(|cell| text(cell)).collect()), line(rule)];
    lines.extend(rows.iter().map(|row| line(row.iter().map(|cell| text(cell)).collect())));
    lines.join("\n")
}

/// Text without anything that Markdown or HTML would read as more than text.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' => safe.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => safe.extend(['\\', letter]),
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Design;
    use crate::record::example;

    fn markdown(record: &StudyRecord) -> String {
        study(record, &Analysis::of(record))
    }

    #[test]
    fn it_says_what_the_page_says() {
        let mut record = example::study(8);
        let text = markdown(&record);
        assert!(text.starts_with("## What do dropout and first weights do?\n"), "{text}");
        assert!(text.contains("| initializer zeros | 7 of 8, 1 diverged |"), "{text}");
        assert!(text.contains("| dropout 0.2, test accuracy | +0.4") && text.contains("| found |"), "{text}");
        assert!(text.contains("```sh\nseedbed study run example.toml\n```"), "{text}");
        record.design = Design::Grid;
        record.trials.pop();
        let text = markdown(&record);
        assert!(text.contains("| dropout × initializer |") && text.contains("**Incomplete.**"), "{text}");
    }

    #[test]
    fn names_cannot_break_out() {
        let mut record = example::study(3);
        record.variants[1].name = "a | b <img src=x> `c` *d*\n# e".into();
        let text = markdown(&record);
        assert!(text.contains("a \\| b &lt;img src=x&gt; \\`c\\` \\*d\\* \\# e"), "{text}");
        record.trials.clear();
        assert!(markdown(&record).contains("```sh"));
    }
}
