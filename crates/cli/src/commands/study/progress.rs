//! A study while it runs: on a terminal how far it is and what it shows so far, elsewhere a plain line per trial.

use super::effects::line;
use indicatif::{ProgressBar, ProgressStyle};
use seedbed::lab::format::{percent, seconds};
use seedbed::lab::record::{Arm, BudgetStream, StudyRecord, StudyTrial, TrialStatus};
use seedbed::lab::study::effects::leading;
use seedbed::lab::study::plan::PlannedTrial;
use seedbed::lab::study::run::StudyObserver;
use std::collections::HashMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

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
            let style = ProgressStyle::with_template("{bar:30.green/dim} {msg}");
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
        let effects = self.effects.iter().map(|effect| format!("\n  {effect}"));
        bar.set_message(head + &effects.collect::<String>());
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

fn line_of(record: &StudyRecord, variant: usize, effects: &seedbed::lab::study::effects::Effects) -> String {
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
