//! Step 12: what came out, in a table and in words, and what to try next.

use super::steps::step;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use seedbed::lab::analysis::{Answer, Effect, Score};
use seedbed::lab::comparison::Comparison;
use seedbed::lab::format::{NOTHING, capitalized, fixed, p_value, plural, points_interval, signed_points};
use seedbed::lab::record::LessonRecord;
use seedbed::lab::statistics::summary::Summary;
use std::path::Path;

/// Tells what came out.
pub(super) fn tell(
    record: &LessonRecord,
    comparison: &Comparison,
    report: &Path,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    if !terminal.quiet() {
        step(terminal, 12, "evaluate and compare")?;
        terminal.paragraph(
            "Running is the progress bar's accuracy, averaged over the last epoch while the weights still moved. \
             Training and test are measured afterwards, with the final weights and without dropout; the gap is their \
             difference, in points.",
        )?;
        terminal.lines("")?;
    }
    if record.interrupted {
        terminal.paragraph("The lesson was interrupted: this is what was measured by then.\n")?;
    }
    tables(record, comparison, terminal)?;
    let answer = Answer::of(record, comparison);
    terminal.lines("")?;
    terminal.paragraph(&answer.headline)?;
    answer.remarks.iter().try_for_each(|remark| terminal.item(remark))?;
    record.dataset.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let report = report.display();
    terminal.lines(&format!("\nThe report, with curves, mistakes and weights, is in {report}"))?;
    if terminal.quiet() || record.interrupted { Ok(()) } else { your_turn(terminal) }
}

fn tables(record: &LessonRecord, comparison: &Comparison, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = record.seeds.len();
    let rows: Vec<Vec<String>> = comparison.scores.iter().map(|score| scores(score, asked)).collect();
    terminal.lines(&table(&["", "runs", "running, %", "training, %", "test, %", "gap, points"], &rows))?;
    if !comparison.repeated() {
        return Ok(());
    }
    let complete = comparison.scores.iter().all(|score| score.finished == asked);
    let over = if complete { plural(asked, "seed") } else { "the runs that finished".to_owned() };
    terminal.lines(&format!("Mean ± standard deviation over {over}.\n"))?;
    let rows: Vec<Vec<String>> = comparison.effects.iter().map(effect).collect();
    terminal.lines(&table(&["difference, paired by seed", "points", "95% interval", "p, corrected"], &rows))
}

fn scores(score: &Score, asked: usize) -> Vec<String> {
    let runs =
        if score.finished == asked { asked.to_string() } else { format!("{} of {asked}", score.finished) };
    let cells = [score.running, score.training, score.test, score.gap].map(spread);
    [vec![capitalized(&score.model), runs], cells.to_vec()].concat()
}

fn spread(summary: Option<Summary>) -> String {
    let Some(Summary { mean, standard_deviation, .. }) = summary else { return NOTHING.to_owned() };
    let spread = standard_deviation.map(|sd| format!(" ± {}", fixed(100.0 * sd, 2))).unwrap_or_default();
    format!("{}{spread}", fixed(100.0 * mean, 2))
}

fn effect(effect: &Effect) -> Vec<String> {
    let spread = effect.paired.spread;
    vec![
        format!("{} − {}, {}", effect.model, effect.baseline, effect.metric.measure().name),
        signed_points(effect.paired.mean),
        spread.map_or_else(|| NOTHING.to_owned(), |spread| points_interval(spread.interval)),
        effect.corrected_p.map_or_else(|| NOTHING.to_owned(), p_value),
    ]
}

fn your_turn(terminal: &Terminal) -> anyhow::Result<()> {
    // Whoever came through Cargo has no `seedbed` on the path.
    let program =
        if std::env::var_os("CARGO").is_some() { "cargo run --release -- lesson" } else { "seedbed lesson" };
    terminal.heading("Now it is your turn")?;
    terminal.lines(&format!(
        "{program} --init zeros\n    Hidden units that start equal: do they ever become different?\n\
         {program} --optimizer adam --dropout 0.2\n    One optimizer for all: now the initializer and dropout are all that differs.\n\
         {program} --seeds 10\n    Ten seeds per model: which differences are more than chance?\n\
         {program} --help\n    Everything else that can be chosen."
    ))
}
