//! Step 11 while it happens: Keras's line per epoch, or one line over all trials where there are several per model.

use indicatif::ProgressStyle;
use seedbed::ProgressBar;
use seedbed::lab::format::{capitalized, percent, plural, seconds};
use seedbed::lab::lesson::{Lesson, LessonObserver, TrialPlace};
use seedbed::lab::record::{EpochRecord, TrialRecord, TrialStatus};
use seedbed::nn::Score;
use seedbed::nn::callbacks::Progress;
use std::io::Write;

/// Shows on stderr how a lesson gets on.
pub(super) enum LessonProgress {
    /// Nothing.
    Quiet,
    /// One trial per model, each with a line per epoch.
    Epochs(ProgressBar),
    /// One line over all trials.
    Trials(indicatif::ProgressBar),
    /// A plain line per trial.
    Lines,
}

impl LessonProgress {
    pub(super) fn new(lesson: &Lesson<'_>, quiet: bool) -> Self {
        match () {
            () if quiet => Self::Quiet,
            () if lesson.options.seeds == 1 => Self::Epochs(ProgressBar::new()),
            () if ProgressBar::is_live() => {
                Self::Trials(over_trials(lesson.models.len() * lesson.options.seeds))
            }
            () => Self::Lines,
        }
    }
}

impl LessonObserver for LessonProgress {
    fn trial_begin(&mut self, trial: TrialPlace<'_>) {
        if let Self::Epochs(_) = self {
            say(&format!("\n{}", capitalized(trial.model)));
        }
    }

    fn epoch_begin(&mut self, _trial: TrialPlace<'_>, at: Progress) {
        if let Self::Epochs(bar) = self {
            bar.begin(at);
        }
    }

    fn batch_end(&mut self, _trial: TrialPlace<'_>, at: Progress, so_far: &Score) {
        if let Self::Epochs(bar) = self {
            bar.batch(at, so_far);
        }
    }

    fn epoch_end(&mut self, _trial: TrialPlace<'_>, record: &EpochRecord) {
        if let Self::Epochs(bar) = self {
            bar.end(record.running_accuracy, record.running_loss, std::iter::empty());
        }
    }

    fn trial_end(&mut self, trial: TrialPlace<'_>, record: &TrialRecord) {
        match self {
            Self::Quiet => {}
            Self::Epochs(bar) => bar.abandon(),
            Self::Trials(bar) => {
                bar.inc(1);
                bar.set_message(ended(trial, record));
                if bar.position() == bar.length().unwrap_or(0) {
                    bar.abandon();
                    say("");
                }
            }
            Self::Lines => {
                let (number, took) = (trial.index + 1, seconds(record.seconds));
                say(&format!("trial {number} of {}: {}, {took}", trial.trials, ended(trial, record)));
            }
        }
    }
}

/// "model 2, seed 3: test accuracy 97.71%".
fn ended(trial: TrialPlace<'_>, record: &TrialRecord) -> String {
    let result = match &record.status {
        TrialStatus::Finished => match record.test_accuracy() {
            Some(accuracy) => format!("test accuracy {}", percent(accuracy)),
            None => "finished".to_owned(),
        },
        TrialStatus::Diverged { epoch, .. } => format!("diverged in epoch {epoch}"),
        TrialStatus::Interrupted { epoch } => {
            format!("interrupted after {}", plural(*epoch, "complete epoch"))
        }
    };
    format!("{}, seed {}: {result}", trial.model, trial.seed)
}

fn over_trials(trials: usize) -> indicatif::ProgressBar {
    let style = ProgressStyle::with_template("{pos}/{len} trials {bar:20.green/dim} {eta} - {wide_msg}");
    let bar = indicatif::ProgressBar::new(trials as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─"));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Progress that nobody reads is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
