//! `seedbed train MODEL`

use super::model_file::all_threads;
use crate::arguments::count;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::load::{DataOptions, NormalizationOption};
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use seedbed::ProgressBar;
use seedbed::lab::files::check_writable;
use seedbed::lab::format::{fixed, percent, plural};
use seedbed::lab::formats::{self, Format};
use seedbed::lab::history;
use seedbed::lab::prepared::Prepared;
use seedbed::lab::recipe::Recipe;
use seedbed::lab::recipe::callbacks::{BackupAndRestore, CallbackRecipe};
use seedbed::lab::record::{EpochRecord, TrialRecord, TrialStatus};
use seedbed::lab::tensorboard::TrainingLog;
use seedbed::lab::trial::{self, Observer};
use seedbed::nn::Score;
use seedbed::nn::callbacks::{Progress, Training};
use seedbed::nn::kernels::SimdLevel;
use seedbed::nn::model::Model;
use serde_json::json;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which model, what to change about it, and what to keep.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The model file: .toml, or Keras's .json or .keras
    model: PathBuf,

    /// Starts from these weights instead of new ones: .safetensors, .npz, .weights.h5 or .keras
    #[arg(long, value_name = "IN")]
    weights: Option<PathBuf>,

    /// Keeps the training pictures in their order in every epoch
    #[arg(long)]
    no_shuffle: bool,

    /// Writes the trained model at the end, as `seedbed convert` does: .safetensors, .keras, …
    #[arg(long, value_name = "OUT")]
    save: Option<PathBuf>,

    /// Writes what every epoch measured, as JSON or CSV by the file's ending
    #[arg(long, value_name = "OUT.json|csv")]
    history: Option<PathBuf>,

    /// Writes event files for TensorBoard into this folder while it trains: scores, learning rate, weights and outputs
    /// of layers as histograms, hyperparameters
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,

    /// Keeps the training after every epoch in this folder; the same command then goes on from there after an
    /// interruption, with the same bits. Deleted at the end; instead of the model file's BackupAndRestore
    #[arg(long, value_name = "DIR")]
    backup: Option<String>,

    /// The seed of everything random: first weights, order of pictures, dropout
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// How often all training pictures are seen, instead of what the model file says
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = count)]
    epochs: Option<usize>,

    /// How many pictures a step sees, instead of what the model file says
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = count)]
    batch_size: Option<usize>,

    #[command(flatten)]
    normalization: NormalizationOption,

    #[command(flatten)]
    data: DataOptions,

    /// How many threads train; all by default, and the numbers are the same with any
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = count)]
    threads: Option<usize>,

    /// Which vector instructions to use; the best by default, and the numbers are the same with any
    #[arg(long, value_name = "LEVEL")]
    simd: Option<Simd>,

    /// Writes the result as JSON on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
}

/// A vector level by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Simd {
    Scalar,
    Avx2,
    Avx512,
}

impl From<Simd> for SimdLevel {
    fn from(simd: Simd) -> Self {
        match simd {
            Simd::Scalar => Self::Scalar,
            Simd::Avx2 => Self::Avx2,
            Simd::Avx512 => Self::Avx512,
        }
    }
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(options.json, quiet);
    check_outputs(options)?;
    let mut recipe = recipe(options)?;
    let mut model = compiled(options, &recipe)?;
    options.save.iter().try_for_each(|path| formats::check(path, &recipe, &model))?;
    let loaded = options.data.place.load(&recipe.data.dataset, &terminal)?;
    recipe.data.dataset = loaded.dataset.name.clone();
    if options.weights.is_none() && options.data.infer_sizes(&mut recipe, &loaded, &terminal) {
        model = compiled(options, &recipe)?;
    }
    let data = Prepared::new(&loaded.dataset, &recipe.data)?;
    data.check(&model)?;
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let interrupt = Interrupt::catch()?;
    let log = options.tensorboard.as_deref();
    let log = log
        .map(|folder| TrainingLog::begin(folder, &recipe, options.seed, &model, data.test()))
        .transpose()?;
    let mut watcher = Watcher { bar: (!quiet).then(ProgressBar::new), log, asked: interrupt.asked() };
    let name = options.model.display().to_string();
    let outcome = trial::train(model, &name, &recipe, options.seed, &data, &mut watcher)?;
    if let Some(log) = watcher.log {
        log.finish(&outcome.record)?;
    }
    if let Some(path) = &options.save {
        formats::write(path, &recipe, &outcome.model)?;
    }
    if let Some(path) = &options.history {
        history::write(&outcome.record, path)?;
    }
    if options.json {
        let recipe = &recipe;
        terminal.json(&json!({ "dataset": loaded.dataset.name.to_string(), "notice": loaded.notice, "recipe": recipe, "trial": outcome.record }))?;
    } else {
        terminal.paragraph(&result(&outcome.record, &recipe))?;
    }
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    Ok(interrupt.exit().unwrap_or(match outcome.record.status {
        TrialStatus::Diverged { .. } => Exit::SomeTrialsFailed,
        _ => Exit::Done,
    }))
}

/// Finds out before the work what could not be written after it.
fn check_outputs(options: &Options) -> anyhow::Result<()> {
    options.history.as_deref().map(history::Format::of).transpose()?;
    options.save.as_deref().map(Format::of).transpose()?;
    [&options.save, &options.history].into_iter().flatten().try_for_each(|path| check_writable(path))?;
    Ok(())
}

/// The model file with what the options change about it.
fn recipe(options: &Options) -> anyhow::Result<Recipe> {
    let mut recipe = formats::read_recipe(&options.model)?;
    recipe.fit.epochs = options.epochs.unwrap_or(recipe.fit.epochs);
    recipe.fit.batch_size = options.batch_size.unwrap_or(recipe.fit.batch_size);
    recipe.fit.shuffle &= !options.no_shuffle;
    options.normalization.apply(&mut recipe);
    recipe.data.dataset = options.data.name(recipe.data.dataset)?;
    if let Some(folder) = &options.backup {
        let is_backup = |callback: &CallbackRecipe| matches!(callback, CallbackRecipe::BackupAndRestore(_));
        recipe.fit.callbacks.retain(|callback| !is_backup(callback));
        let backup = BackupAndRestore { backup_dir: folder.clone(), ..BackupAndRestore::default() };
        recipe.fit.callbacks.push(backup.into());
    }
    recipe.validate()?;
    Ok(recipe)
}

fn compiled(options: &Options, recipe: &Recipe) -> anyhow::Result<Model> {
    let threads = options.threads.and_then(NonZeroUsize::new).unwrap_or_else(all_threads);
    let compile = recipe
        .compile
        .options()
        .seed(options.seed)
        .threads(threads)
        .simd(options.simd.map_or_else(SimdLevel::detect, SimdLevel::from));
    let mut model = recipe.model.compile(compile)?;
    if let Some(path) = &options.weights {
        formats::load_weights(&mut model, path)?;
    }
    Ok(model)
}

/// How the trial ended, in a sentence.
fn result(trial: &TrialRecord, recipe: &Recipe) -> String {
    let ending = ending(trial, recipe);
    let Some(last) = trial.outcome().or(trial.last_epoch()) else { return format!("{ending}.") };
    let more: String = recipe
        .compile
        .metric_names()
        .iter()
        .filter_map(|name| Some((name, last.metrics.get(&format!("test_{name}"))?)))
        .map(|(name, value)| format!(" Test {name}: {}.", fixed(*value, 4)))
        .collect();
    format!(
        "{ending}: training accuracy {}, test accuracy {}, gap {} points (seed {}).{more}",
        percent(last.train_accuracy),
        percent(last.test_accuracy),
        fixed(100.0 * last.gap(), 2),
        trial.seed,
    )
}

fn ending(trial: &TrialRecord, recipe: &Recipe) -> String {
    let (done, planned) = (trial.epochs.len(), recipe.fit.epochs);
    match &trial.status {
        TrialStatus::Finished if done < planned => {
            format!("Stopped by a callback after {done} of {}", plural(planned, "epoch"))
        }
        TrialStatus::Finished => format!("After {}", plural(done, "epoch")),
        TrialStatus::Interrupted { epoch } => {
            let backs_up =
                |callback: &CallbackRecipe| matches!(callback, CallbackRecipe::BackupAndRestore(_));
            let kept = *epoch > 0 && recipe.fit.callbacks.iter().any(backs_up);
            let goes_on = if kept { " (the same command goes on from there)" } else { "" };
            format!("Interrupted after {}{goes_on}", plural(*epoch, "complete epoch"))
        }
        TrialStatus::Diverged { epoch, reason } => format!("Diverged in epoch {epoch} ({reason})"),
    }
}

/// Draws progress, writes the log and passes Ctrl-C on.
struct Watcher<'a> {
    bar: Option<ProgressBar>,
    log: Option<TrainingLog<'a>>,
    asked: &'a AtomicBool,
}

impl Observer for Watcher<'_> {
    fn goes_on(&mut self, epochs: &[EpochRecord]) {
        if let Some(bar) = &mut self.bar {
            bar.note(&format!("Goes on after {} that a backup has.", plural(epochs.len(), "epoch")));
        }
    }

    fn epoch_begin(&mut self, at: Progress) {
        self.bar.iter_mut().for_each(|bar| bar.begin(at));
    }

    fn batch_end(&mut self, at: Progress, so_far: &Score) -> ControlFlow<()> {
        self.bar.iter_mut().for_each(|bar| bar.batch(at, so_far));
        if self.asked.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch_end(&mut self, record: &EpochRecord) {
        let shown = |name: &str| !["train_", "test_"].iter().any(|of| name.starts_with(of));
        let more = record.metrics.iter().map(|(name, value)| (name.as_str(), *value));
        if let Some(bar) = &mut self.bar {
            bar.end(record.running_accuracy, record.running_loss, more.filter(|(name, _)| shown(name)));
        }
        self.log.iter_mut().for_each(|log| log.epoch(record));
    }

    fn weights(&mut self, record: &EpochRecord, weights: &mut dyn Training) {
        self.log.iter_mut().for_each(|log| log.weights(record, weights));
    }
}
