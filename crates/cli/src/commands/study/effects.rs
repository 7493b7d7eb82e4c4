//! What a study shows so far, as a table.

use super::run::diverged;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use seedbed::lab::analysis::leading;
use seedbed::lab::format::{NOTHING, fixed, percent, plural, points_interval, signed_points};
use seedbed::lab::record::{StudyRecord, TrialRecord};
use seedbed::lab::statistics::paired::PairedEffect;
use seedbed::lab::statistics::summary::mean;

/// The most variants that are shown.
const SHOWN: usize = 20;

/// Writes the differences to the baseline, the largest in test accuracy first.
pub(super) fn show(record: &StudyRecord, terminal: &Terminal) -> anyhow::Result<()> {
    let effects = leading(record);
    let mean_of = |metric: fn(&TrialRecord) -> Option<f64>, written: fn(f64) -> String| {
        let values: Vec<f64> = record.main(0).filter_map(|trial| metric(&trial.trial)).collect();
        mean(&values).map_or(NOTHING.to_owned(), written)
    };
    let mut rows = vec![vec![
        record.variants.first().map_or(String::new(), |variant| variant.name.clone()),
        record.main(0).filter(|trial| trial.trial.outcome().is_some()).count().to_string(),
        mean_of(TrialRecord::training_accuracy, percent),
        mean_of(TrialRecord::test_accuracy, percent),
        mean_of(TrialRecord::gap, |gap| fixed(100.0 * gap, 2)),
        String::new(),
    ]];
    for (variant, effects) in effects.iter().take(SHOWN) {
        rows.push(vec![
            record.variants[*variant].name.clone(),
            effects.test.seeds().to_string(),
            signed_points(effects.training.mean),
            signed_points(effects.test.mean),
            signed_points(effects.gap.mean),
            mark(&effects.test).to_owned(),
        ]);
    }
    terminal.lines("")?;
    terminal.lines(&table(&["variant", "seeds", "training", "test", "gap", ""], &rows))?;
    if !effects.is_empty() {
        terminal.lines("")?;
        terminal.paragraph(
            "Below the baseline's means stand differences to it in percentage points, paired by seed. * marks a difference in test \
             accuracy whose 95% interval leaves zero out; with many variants one in twenty does so by chance. The report \
             corrects for that.",
        )?;
    }
    if effects.len() > SHOWN {
        terminal.paragraph(&format!("{} more not shown.", plural(effects.len() - SHOWN, "variant")))?;
    }
    match diverged(record) {
        0 => Ok(()),
        count => terminal.paragraph(&format!(
            "{} diverged: counted as what it is, in no mean and in no difference.",
            plural(count, "trial")
        )),
    }
}

fn mark(effect: &PairedEffect) -> &'static str {
    if effect.spread.is_some_and(|spread| spread.excludes_zero()) { "*" } else { "" }
}

/// "dropout 0.5: test −0.12 points [−0.20, −0.04]": one line while a study runs.
pub(super) fn line(name: &str, effect: &PairedEffect) -> String {
    let interval =
        effect.spread.map_or(String::new(), |spread| format!(" {}", points_interval(spread.interval)));
    format!("{name}: test {} points{interval}{}", signed_points(effect.mean), mark(effect))
}
