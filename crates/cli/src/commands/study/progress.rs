//! A study while it runs: on a terminal how far it is and what it shows so far, elsewhere a plain line per trial.

use super::effects::line;
use indicatif::{ProgressBar, ProgressStyle};
use seedbed::lab::analysis::{Differences, leading};
use seedbed::lab::format::{percent, seconds};
use seedbed::lab::record::{Arm, BudgetStream, StudyRecord, StudyTrial, TrialStatus};
use seedbed::lab::study::plan::PlannedTrial;
use seedbed::lab::study::run::StudyObserver;
use std::collections::HashMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// How many columns the bar takes.
const BAR: usize = 30;

/// The columns that a terminal's "^C" takes behind the last line, which must not break it.
const CTRL_C: usize = 2;

/// How many effects are shown.
const EFFECTS: usize = 5;

/// How often the effects are worked out again: with many trials that is some work itself.
const EVERY: Duration = Duration::from_millis(500);

/// Shows on stderr how a study gets on.
pub(super) struct Watch {
    /// The live lines; `None` where plain lines are written, or nothing.
    bar: Option<ProgressBar>,
    quiet: bool,
    threads: usize,
    /// The study with every trial so far.
    record: Option<StudyRecord>,
    /// How much of each running trial is done, by identity.
    running: HashMap<String, f64>,
    /// Trials and their seconds, of those that ended here.
    ended: (usize, f64),
    drawn: Option<Instant>,
    effects: Vec<String>,
}

impl Watch {
    pub(super) fn new(threads: NonZeroUsize, quiet: bool) -> Self {
        let bar = (!quiet && seedbed::ProgressBar::is_live()).then(|| {
            let style = ProgressStyle::with_template(&format!("{{bar:{BAR}.green/dim}} {{msg}}"));
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─");
            ProgressBar::new(0).with_style(style)
        });
        Self {
            bar,
            quiet,
            threads: threads.get(),
            record: None,
            running: HashMap::new(),
            ended: (0, 0.0),
            drawn: None,
            effects: Vec::new(),
        }
    }

    /// Takes the live lines away.
    pub(super) fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn draw(&mut self) {
        let (Some(bar), Some(record)) = (&self.bar, &self.record) else { return };
        if self.drawn.is_none_or(|drawn| drawn.elapsed() > EVERY) {
            let leading = leading(record);
            let effect = |(variant, effects): &(usize, _)| line_of(record, *variant, effects);
            self.effects = leading.iter().take(EFFECTS).map(effect).collect();
            self.drawn = Some(Instant::now());
        }
        let (done, failed) = (record.trials.len(), super::run::diverged(record));
        bar.set_length(record.planned as u64);
        bar.set_position(done as u64);
        let left = record.planned.saturating_sub(done + self.running.len());
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let time = self.left(left).map_or(String::new(), |left| format!(", {} left", seconds(left)));
        let head = format!(
            "{done} of {} done, {} running, {left} to go{failed}{time}",
            record.planned,
            self.running.len()
        );
        let columns =
            terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        bar.set_message(message(&head, &self.effects, columns.saturating_sub(CTRL_C)));
        bar.tick();
    }

    /// Seconds until everything is done, from what trials took so far.
    fn left(&self, open: usize) -> Option<f64> {
        let begun: f64 = self.running.values().sum();
        let (ended, took) = self.ended;
        let mean = (ended > 0).then(|| took / ended as f64)?;
        Some(mean * (open as f64 + self.running.len() as f64 - begun) / self.threads as f64)
    }
}

/// What stands beside the bar and below it: no line is longer than the terminal, which would not be drawn over.
fn message(head: &str, effects: &[String], columns: usize) -> String {
    let wrap = |text: &str, indent: &str| {
        let more = format!("{indent}  ");
        textwrap::fill(
            text,
            textwrap::Options::new(columns.max(20)).initial_indent(indent).subsequent_indent(&more),
        )
    };
    let beside = BAR + 1 + head.chars().count() <= columns;
    let head = if beside { head.to_owned() } else { format!("\n{}", wrap(head, "")) };
    let effects = effects.iter().map(|effect| format!("\n{}", wrap(effect, "  ")));
    head + &effects.collect::<String>()
}

fn line_of(record: &StudyRecord, variant: usize, effects: &Differences) -> String {
    line(record.variants.get(variant).map_or("", |variant| &variant.name), &effects.test)
}

impl StudyObserver for Watch {
    fn begin(&mut self, study: &StudyRecord) {
        self.record = Some(study.clone());
        self.draw();
    }

    fn trial_begin(&mut self, trial: &PlannedTrial) {
        self.running.insert(trial.id.clone(), 0.0);
        self.draw();
    }

    fn trial_progress(&mut self, trial: &PlannedTrial, done: f64) {
        self.running.insert(trial.id.clone(), done);
        if self.drawn.is_none_or(|drawn| drawn.elapsed() > EVERY) {
            self.draw();
        }
    }

    fn trial_end(&mut self, trial: &StudyTrial) {
        self.running.remove(&trial.id);
        self.ended = (self.ended.0 + 1, self.ended.1 + trial.trial.seconds);
        if let Some(record) = &mut self.record {
            record.trials.push(trial.clone());
            if self.bar.is_none() && !self.quiet {
                let (done, planned) = (record.trials.len(), record.planned);
                let _ = writeln!(std::io::stderr().lock(), "trial {done} of {planned}: {}", ended(trial));
            }
        }
        self.draw();
    }

    fn waiting(&mut self, trials: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("waiting for {trials} that another process runs"));
        }
    }
}

/// "dropout 0.5, seed 3: test accuracy 97.71%, 3.2 s".
pub(super) fn ended(trial: &StudyTrial) -> String {
    let measured = match trial.arm {
        Arm::Tuning { .. } => "validation accuracy",
        _ => "test accuracy",
    };
    let result = match &trial.trial.status {
        TrialStatus::Diverged { epoch, .. } => format!("diverged in epoch {epoch}"),
        _ => {
            let accuracy = trial.trial.test_accuracy().map(percent);
            accuracy.map_or("finished".into(), |accuracy| format!("{measured} {accuracy}"))
        }
    };
    let took = seconds(trial.trial.seconds);
    format!("{}{}, seed {}: {result}, {took}", trial.trial.model, what_for(trial.arm), trial.seed)
}

/// What a trial is for, where it is not for the study's question.
fn what_for(arm: Arm) -> String {
    match arm {
        Arm::Main => String::new(),
        Arm::Control => " (control)".into(),
        Arm::Budget(BudgetStream::Init) => " (first weights alone)".into(),
        Arm::Budget(BudgetStream::Order) => " (order alone)".into(),
        Arm::Budget(BudgetStream::Dropout) => " (dropout alone)".into(),
        Arm::Tuning { learning_rate } => format!(" (tuning, learning rate {learning_rate})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        let head = "59 of 120 done, 1 running, 60 to go, 12.7 s left";
        let effects = ["dropout 0.5: test −9.33 points −11.27 to −7.38*".to_owned()];
        assert_eq!(message(head, &effects, 80), format!("{head}\n  {}", effects[0]));
        for columns in [20, 40, 60, 78] {
            let lines = message(head, &effects, columns);
            assert!(
                lines.starts_with('\n') && lines.lines().all(|line| line.chars().count() <= columns),
                "{lines}"
            );
        }
    }
}
