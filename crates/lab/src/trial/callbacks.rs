//! The callbacks of a recipe at work: the formulas are the engine's, the files are written here.

use crate::error::LabError;
use crate::files::check_writable;
use crate::formats;
use crate::recipe::Recipe;
use crate::recipe::callbacks::{self as written, CallbackRecipe};
use crate::recipe::file_pattern::FilePattern;
use seedbed_nn::callbacks::{
    Callback, CsvLogger, EarlyStopping, LearningRateScheduler, Memory, ModelCheckpoint, Progress,
    ReduceLrOnPlateau, SwapEmaWeights, Training,
};
use seedbed_nn::history::Logs;
use seedbed_nn::model::Model;
use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The first thing that a callback could not do; it ends the training.
pub(super) type Failure = Rc<RefCell<Option<LabError>>>;

/// The callbacks of a recipe, in its order. What ends every training anyway, and the backup, are not among them.
///
/// # Errors
/// [`LabError::Io`] where a file could not be written later.
pub(super) fn of(
    recipe: &Recipe,
    model: &Model,
    failure: &Failure,
) -> Result<Vec<Box<dyn Callback>>, LabError> {
    let callback = |callback: &CallbackRecipe| -> Result<Option<Box<dyn Callback>>, LabError> {
        Ok(match callback {
            CallbackRecipe::EarlyStopping(early) => Some(Box::new(early_stopping(early))),
            CallbackRecipe::ReduceLROnPlateau(reduce) => Some(Box::new(reduce_lr_on_plateau(reduce))),
            CallbackRecipe::LearningRateScheduler(scheduler) => {
                let schedule = scheduler.schedule.clone();
                let rate = move |epoch, rate| schedule.up_to(epoch).unwrap_or(rate);
                Some(Box::new(LearningRateScheduler::new(rate)))
            }
            CallbackRecipe::ModelCheckpoint(written) => Some(checkpoint(written, recipe, model, failure)?),
            CallbackRecipe::CSVLogger(logger) => Some(Box::new(CsvFile::open(logger, failure)?)),
            CallbackRecipe::SwapEMAWeights(swap) => {
                Some(Box::new(SwapEmaWeights::new().swap_on_epoch(swap.swap_on_epoch)))
            }
            CallbackRecipe::TerminateOnNaN(_) | CallbackRecipe::BackupAndRestore(_) => None,
        })
    };
    recipe.fit.callbacks.iter().filter_map(|written| callback(written).transpose()).collect()
}

fn early_stopping(from: &written::EarlyStopping) -> EarlyStopping {
    let stopping = EarlyStopping::new(&from.monitor)
        .min_delta(from.min_delta)
        .patience(from.patience)
        .mode(from.mode)
        .restore_best_weights(from.restore_best_weights)
        .start_from_epoch(from.start_from_epoch);
    match from.baseline {
        Some(baseline) => stopping.baseline(baseline),
        None => stopping,
    }
}

fn reduce_lr_on_plateau(from: &written::ReduceLROnPlateau) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::new(&from.monitor)
        .factor(from.factor)
        .patience(from.patience)
        .mode(from.mode)
        .min_delta(from.min_delta)
        .cooldown(from.cooldown)
        .min_lr(from.min_lr)
}

/// A copy of the model takes the weights of the moment, and is written as any model is.
fn checkpoint(
    from: &written::ModelCheckpoint,
    recipe: &Recipe,
    model: &Model,
    failure: &Failure,
) -> Result<Box<dyn Callback>, LabError> {
    let pattern = FilePattern::parse(&from.filepath).map_err(LabError::Value)?;
    let first = PathBuf::from(pattern.fill(1, |_| Some(0.0)));
    make_folder_of(&first)?;
    check_writable(&first)?;
    formats::check(&first, recipe, model)?;
    let (recipe, mut copy, failure) = (recipe.clone(), model.clone(), Rc::clone(failure));
    let save = move |at: Progress, logs: &Logs, training: &mut dyn Training| {
        copy.restore(&training.weights());
        let path = PathBuf::from(pattern.fill(at.epoch + 1, |name| logs.get(name)));
        done(&failure, make_folder_of(&path).and_then(|()| formats::write(&path, &recipe, &copy)))
    };
    let mut checkpoint = ModelCheckpoint::new(save).mode(from.mode);
    if from.save_best_only {
        checkpoint = checkpoint.save_best_only(&from.monitor);
    }
    if let Some(threshold) = from.initial_value_threshold {
        checkpoint = checkpoint.initial_value_threshold(threshold);
    }
    Ok(Box::new(checkpoint))
}

/// Keeps what failed, and ends the training with it.
pub(super) fn done(failure: &Failure, result: Result<(), LabError>) -> ControlFlow<()> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failure.borrow_mut().get_or_insert(error);
            ControlFlow::Break(())
        }
    }
}

/// Makes the folder that a file is to be in, as Keras does.
fn make_folder_of(path: &Path) -> Result<(), LabError> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(folder) => fs::create_dir_all(folder).map_err(LabError::io("make the folder", folder)),
        None => Ok(()),
    }
}

/// Writes a line.
type WriteLine = Box<dyn FnMut(&str) -> ControlFlow<()>>;

/// A file with a line per epoch. Each line is in it as soon as its epoch is done. What it remembers is how long it is: the lines
/// of epochs that are run again are written again.
struct CsvFile {
    path: PathBuf,
    file: Rc<RefCell<File>>,
    length: Rc<Cell<u64>>,
    logger: CsvLogger<WriteLine>,
    failure: Failure,
}

impl CsvFile {
    /// Opens the file; what is in it stays until the first line is written, and behind it where lines are added.
    fn open(from: &written::CSVLogger, failure: &Failure) -> Result<Self, LabError> {
        let path = PathBuf::from(&from.filename);
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            let is_empty = BufReader::new(&file).fill_buf()?.is_empty();
            let length = if from.append { file.metadata()?.len() } else { 0 };
            io::Result::Ok((file, length, is_empty))
        };
        let (file, length, is_empty) = open().map_err(LabError::io("write", &path))?;
        let (file, length) = (Rc::new(RefCell::new(file)), Rc::new(Cell::new(length)));
        let write: WriteLine = {
            let (path, file, length) = (path.clone(), Rc::clone(&file), Rc::clone(&length));
            let failure = Rc::clone(failure);
            Box::new(move |line| {
                let written = add(&mut file.borrow_mut(), length.get(), line);
                length.set(length.get() + line.len() as u64);
                done(&failure, written.map_err(LabError::io("write", &path)))
            })
        };
        let logger = CsvLogger::new(write).separator(&from.separator).header(!from.append || is_empty);
        Ok(Self { path, file, length, logger, failure: Rc::clone(failure) })
    }
}

/// Puts a line at a place, and ends the file there.
fn add(file: &mut File, at: u64, line: &str) -> io::Result<()> {
    file.set_len(at)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(line.as_bytes())
}

impl Callback for CsvFile {
    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, training: &mut dyn Training) -> ControlFlow<()> {
        self.logger.on_epoch_end(at, logs, training)
    }

    fn memory(&self) -> Memory {
        Memory::default().with("length", Some(self.length.get() as f64))
    }

    fn remember(&mut self, memory: Memory) {
        let length = memory.count("length") as u64;
        let found = self.file.borrow().metadata().map(|metadata| metadata.len());
        let checked = found.and_then(|found| match found >= length {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "it has {found} bytes of the {length} that were written before the interruption; \
                 put it back or delete the backup"
            ))),
        });
        let _ = done(&self.failure, checked.map_err(LabError::io("go on with", &self.path)));
        self.length.set(length);
        self.logger.remember(memory);
    }
}

#[cfg(test)]
mod tests {
    use crate::formats;
    use crate::prepared::Prepared;
    use crate::recipe::{DataRecipe, Recipe};
    use crate::record::{EpochRecord, TrialStatus};
    use crate::testing::rows;
    use crate::trial::{Outcome, fit, train};
    use seedbed_nn::model::Fit;
    use std::num::NonZeroUsize;
    use std::path::Path;

    fn recipe(compile: &str, fit: &str) -> Recipe {
        let text = format!(
            "input_shape = [4, 4]
             layers = [{{ class_name = 'Flatten' }}, {{ class_name = 'Dense', units = 8, activation = 'relu' }},
                       {{ class_name = 'Dense', units = 3, activation = 'softmax' }}]
             [compile]\n{compile}\n[fit]\nbatch_size = 8\n{fit}"
        );
        Recipe::parse("m.toml", &text).unwrap()
    }

    fn outcome(recipe: &Recipe) -> Outcome {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let model = recipe.compile(5, NonZeroUsize::MIN).unwrap();
        train(model, "m", recipe, 5, &data, &mut ()).unwrap()
    }

    fn series(outcome: &Outcome, name: &str) -> Vec<f64> {
        outcome.record.epochs.iter().map(|epoch| epoch.metrics[name]).collect()
    }

    /// Without the seconds, which are never the same.
    fn measured(epoch: &EpochRecord) -> EpochRecord {
        EpochRecord { epoch: 0, seconds: 0.0, running_loss: 0.0, running_accuracy: 0.0, ..epoch.clone() }
    }

    /// The engine, told the same by hand.
    #[test]
    fn keys_mean_what_the_engine_s_options_mean() {
        let keys = "epochs = 3\nvalidation_split = 0.25\nclass_weight = { '0' = 3.0, '2' = 0.5 }";
        let recipe = recipe("metrics = ['auc', 'f1_score']", keys);
        let found = outcome(&recipe);
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let mut model = recipe.compile(5, NonZeroUsize::MIN).unwrap();
        let fit = Fit::new().epochs(3).batch_size(8).validation_split(0.25).watch("test", data.test());
        let history = model.fit(data.train(), fit.class_weight([(0, 3.0), (2, 0.5)])).unwrap();
        for name in ["auc", "f1_score", "val_loss", "val_accuracy", "val_auc", "test_f1_score"] {
            assert_eq!(series(&found, name), history.get(name).unwrap(), "{name}");
        }
        let running: Vec<f64> = found.record.epochs.iter().map(|epoch| epoch.running_loss).collect();
        assert_eq!(running, history.get("loss").unwrap());
        assert_eq!(found.record.epochs[2].metrics.len(), 2 * 4 + 2);
        let trained = model.measured(&data.train().slice(0, 45)).unwrap();
        let last = &found.record.epochs[2];
        assert_eq!(
            (Some(last.train_loss), Some(last.metrics["train_auc"])),
            (trained.get("loss"), trained.get("auc"))
        );
        assert_eq!(found.record.ended, None);
    }

    #[test]
    fn the_best_weights_come_back_and_are_what_counts() {
        let early = "epochs = 60\nvalidation_split = 0.5\n[[fit.callbacks]]\nclass_name = 'EarlyStopping'\n\
                     patience = 2\nrestore_best_weights = true\nmonitor = 'val_loss'\nmode = 'max'";
        let found = outcome(&recipe("optimizer = { name = 'adam', learning_rate = 0.05 }", early));
        let (record, losses) = (&found.record, series(&found, "val_loss"));
        let best = losses.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1)).unwrap().0;
        assert_eq!((record.status.clone(), record.epochs.len()), (TrialStatus::Finished, best + 3));
        assert!(record.epochs.len() < 60, "{losses:?}");
        let ended = record.outcome().unwrap();
        assert_eq!(measured(ended), measured(&record.epochs[best]));
        assert_ne!(measured(ended), measured(record.last_epoch().unwrap()));
    }

    #[test]
    fn the_learning_rate_follows_its_table() {
        let scheduled = "epochs = 4\n[[fit.callbacks]]\nclass_name = 'LearningRateScheduler'\n\
                         schedule = { '1' = 0.5, '3' = 0.125 }";
        let found = outcome(&recipe("optimizer = { name = 'sgd', learning_rate = 0.25 }", scheduled));
        assert_eq!(series(&found, "learning_rate"), [0.25, 0.5, 0.5, 0.125]);
    }

    /// With it, an epoch is scored by the averages, which are the final weights; without it, by the weights that are trained.
    #[test]
    fn averages_are_scored_where_they_are_swapped_in() {
        let averaged =
            "optimizer = { name = 'sgd', learning_rate = 0.1, use_ema = true, ema_momentum = 0.9 }";
        let swapped =
            outcome(&recipe(averaged, "epochs = 3\n[[fit.callbacks]]\nclass_name = 'SwapEMAWeights'"));
        let plain = outcome(&recipe(averaged, "epochs = 3"));
        let last = |outcome: &Outcome| measured(outcome.record.last_epoch().unwrap());
        assert_eq!(last(&swapped), measured(plain.record.outcome().unwrap()));
        assert_ne!(last(&swapped), last(&plain));
        assert_eq!(measured(swapped.record.outcome().unwrap()), last(&swapped));
    }

    #[test]
    fn checkpoints_hold_the_model_of_their_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let fit = format!(
            "epochs = 3\nvalidation_data = 'test'\n[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\n\
             filepath = '{}'\nsave_weights_only = true\n[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\n\
             filepath = '{}'\nsave_best_only = true\nmonitor = 'val_loss'\nmode = 'max'",
            at("new/{epoch:02d}-{val_loss:.3f}.safetensors"),
            at("worst.safetensors").replace(".safetensors", ".keras"),
        );
        let recipe = recipe("", &fit);
        let found = outcome(&recipe);
        let mut names: Vec<_> = std::fs::read_dir(folder.path().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let losses = series(&found, "val_loss");
        let expected: Vec<String> =
            (0..3).map(|epoch| format!("{:02}-{:.3}.safetensors", epoch + 1, losses[epoch])).collect();
        assert_eq!(names, expected);
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let loss = |path: &Path| {
            let mut model = recipe.compile(9, NonZeroUsize::MIN).unwrap();
            formats::load_weights(&mut model, path).unwrap();
            model.evaluate(data.test()).unwrap().loss()
        };
        for (name, epoch) in names.iter().zip(&found.record.epochs) {
            assert_eq!(loss(&folder.path().join("new").join(name)), epoch.test_loss, "{name}");
        }
        let worst = losses.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(loss(&folder.path().join("worst.keras")), worst);
    }

    #[test]
    fn a_line_per_epoch_is_written_and_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(
            &path,
            "something\nold\nthat is much longer than what comes instead of it\n".repeat(9),
        )
        .unwrap();
        let logger = |more: &str| {
            let path = path.display();
            let fit = format!(
                "epochs = 2\n[[fit.callbacks]]\nclass_name = 'CSVLogger'\nfilename = '{path}'\n{more}"
            );
            let found = outcome(&recipe("", &fit));
            (found, std::fs::read_to_string(path.to_string()).unwrap())
        };
        let (found, text) = logger("");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "epoch,accuracy,loss,test_accuracy,test_loss,train_accuracy,train_loss");
        let second = &found.record.epochs[1];
        let expected = [second.running_accuracy, second.running_loss, second.test_accuracy, second.test_loss];
        let read: Vec<f64> = lines[2].split(',').map(|number| number.parse().unwrap()).collect();
        assert_eq!((lines.len(), &read[..5]), (3, &[&[1.0], &expected[..]].concat()[..]));
        let (_, more) = logger("append = true");
        assert_eq!(more, format!("{text}{}", text.split_once('\n').unwrap().1));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(logger("append = true\nseparator = ';'").1, text.replace(',', ";"));
    }

    #[test]
    fn files_that_cannot_be_written_are_named_before_the_training() {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let logger =
            "epochs = 2\n[[fit.callbacks]]\nclass_name = 'CSVLogger'\nfilename = 'no/such/folder/a.csv'";
        let recipe = recipe("", logger);
        let model = || recipe.compile(5, NonZeroUsize::MIN).unwrap();
        let error = train(model(), "m", &recipe, 5, &data, &mut ()).unwrap_err().to_string();
        assert!(error.starts_with("cannot write no/such/folder/a.csv: "), "{error}");
        let error = fit(model(), "m", &recipe, 5, &data, &mut ()).unwrap_err().to_string();
        assert!(
            error.starts_with("fit.callbacks: CSVLogger writes files, and only `seedbed train` lets it"),
            "{error}"
        );
    }
}
