//! Keras's progress bar as a callback: a live line per epoch on a terminal, a plain line per epoch elsewhere.
//!
//! `1875/1875 ━━━━━━━━━━━━━━━━━━━━ 0s 90us/step - accuracy: 0.9263 - loss: 0.2589`: batches done, seconds left (taken,
//! at the end), time per batch, and the running means.

use indicatif::{ProgressDrawTarget, ProgressStyle};
use seedbed_nn::Score;
use seedbed_nn::callbacks::{Callback, Progress, Training};
use seedbed_nn::history::Logs;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How often the live line is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows on stderr how a fit gets on.
#[derive(Debug)]
pub struct ProgressBar {
    /// Whether there is a terminal to draw on.
    live: bool,
    /// The live line of a running epoch.
    bar: Option<indicatif::ProgressBar>,
    at: Progress,
    began: Instant,
    drawn: Instant,
    taken: Duration,
}

impl Default for ProgressBar {
    fn default() -> Self {
        Self::new()
    }
}

impl ProgressBar {
    /// A bar for every epoch to come.
    pub fn new() -> Self {
        let now = Instant::now();
        let at = Progress { epoch: 0, epochs: 0, batch: 0, batches: 0 };
        Self { live: Self::is_live(), bar: None, at, began: now, drawn: now, taken: Duration::ZERO }
    }

    /// Whether stderr is a terminal on which a line can be drawn again and again.
    pub fn is_live() -> bool {
        std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Says something above the lines of the epochs.
    pub fn note(&mut self, line: &str) {
        say(line);
    }

    /// Before an epoch.
    pub fn begin(&mut self, at: Progress) {
        self.at = at;
        if self.live {
            say(&format!("Epoch {}/{}", at.epoch + 1, at.epochs));
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = indicatif::ProgressBar::with_draw_target(Some(at.batches as u64), target);
            self.bar = Some(bar.with_style(style(at.batches)));
        }
        self.began = Instant::now();
        self.drawn = self.began;
    }

    /// After a batch.
    pub fn batch(&mut self, at: Progress, so_far: &Score) {
        let last = at.batch == at.batches;
        if !last && self.bar.is_none() {
            return;
        }
        let now = Instant::now();
        self.taken = now - self.began;
        if let Some(bar) = self.bar.as_ref().filter(|_| last || now - self.drawn >= REDRAW) {
            self.drawn = now;
            let left = self.taken.mul_f64((at.batches - at.batch) as f64 / at.batch.max(1) as f64);
            let seconds = if last { self.taken } else { left };
            bar.set_message(format!(
                "{} - {}",
                timing(seconds, self.taken, at.batch),
                means(so_far.accuracy(), so_far.loss())
            ));
            bar.set_position(at.batch as u64);
        }
    }

    /// After an epoch: the running means at its end, and what else was measured, by name.
    pub fn end<'a>(&mut self, accuracy: f64, loss: f64, more: impl Iterator<Item = (&'a str, f64)>) {
        let Progress { epoch, epochs, batches, .. } = self.at;
        let more: String = more.map(|(name, value)| format!(" - {name}: {}", measured(value))).collect();
        let timing = timing(self.taken, self.taken, batches);
        let text = format!("{timing} - {}{more}", means(accuracy, loss));
        match self.bar.take() {
            Some(bar) => {
                bar.set_position(batches as u64);
                bar.abandon_with_message(text);
                say("");
            }
            None => say(&format!("Epoch {}/{epochs} - {text}", epoch + 1)),
        }
    }

    /// Leaves the line as it is, where an epoch does not come to its end.
    pub fn abandon(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
            say("");
        }
    }
}

impl Callback for ProgressBar {
    fn on_epoch_begin(&mut self, at: Progress, _training: &mut dyn Training) {
        self.begin(at);
    }

    fn on_batch_end(&mut self, at: Progress, so_far: &Score) -> ControlFlow<()> {
        self.batch(at, so_far);
        ControlFlow::Continue(())
    }

    fn on_epoch_end(&mut self, _at: Progress, logs: &Logs, _training: &mut dyn Training) -> ControlFlow<()> {
        let number = |name| logs.get(name).unwrap_or(f64::NAN);
        let more = logs.iter().filter(|(name, _)| !["accuracy", "loss"].contains(name));
        self.end(number("accuracy"), number("loss"), more);
        ControlFlow::Continue(())
    }

    fn on_train_end(&mut self, _training: &mut dyn Training) {
        self.abandon();
    }
}

/// Progress that nobody reads is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn style(batches: usize) -> ProgressStyle {
    let template = format!("{{pos:>{}}}/{{len}} {{bar:20.green/dim}} {{msg}}", batches.to_string().len());
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    // Two kinds of line, so that progress shows where there is no colour.
    style.progress_chars("━━─")
}

fn means(accuracy: f64, loss: f64) -> String {
    format!("accuracy: {accuracy:.4} - loss: {loss:.4}")
}

/// As Keras writes it: four digits, small numbers with an exponent.
fn measured(value: f64) -> String {
    if value.abs() > 1e-3 || value == 0.0 { format!("{value:.4}") } else { format!("{value:.4e}") }
}

/// As Keras writes it: `2s 843us/step`.
fn timing(seconds: Duration, taken: Duration, batches: usize) -> String {
    let step = taken.as_secs_f64() / batches.max(1) as f64;
    let step = match step {
        s if s >= 1.0 => format!("{s:.0}s"),
        s if s >= 1e-3 => format!("{:.0}ms", 1e3 * s),
        s => format!("{:.0}us", 1e6 * s),
    };
    let seconds = seconds.as_secs();
    match seconds / 60 {
        0 => format!("{seconds}s {step}/step"),
        minutes => format!("{minutes}:{:02} {step}/step", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_keras_writes_them() {
        let of = |seconds: f64, batches| {
            timing(Duration::from_secs_f64(seconds), Duration::from_secs_f64(seconds), batches)
        };
        assert_eq!(of(0.16875, 1875), "0s 90us/step");
        assert_eq!(of(2.4, 1875), "2s 1ms/step");
        assert_eq!(of(125.0, 100), "2:05 1s/step");
        assert_eq!(of(0.0, 0), "0s 0us/step");
    }

    #[test]
    fn the_style_is_a_template_that_is_understood() {
        assert!(ProgressStyle::with_template("{pos:>4}/{len} {bar:20.green/dim} {msg}").is_ok());
    }
}
