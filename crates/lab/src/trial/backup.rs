//! BackupAndRestore: the state of a training after each epoch, in a file that replaces the one before.
//!
//! Keras: `keras/src/callbacks/backup_and_restore.py`. As there, a backup that is found is gone on from, and is deleted when the
//! training is over. Beyond Keras it holds what callbacks know, the history, and what it belongs to, so that a training
//! that goes on gives the same bits as one that was never interrupted, and no other training goes on from it.
//!
//! Format: a line with the format's version, a line with the SHA-256 of the rest, then a safetensors file. Its tensors are those
//! of the engine's [`Snapshot`], under `callback/0/` and so on the weights that a callback keeps, and its metadata
//! are [`Kept`] as JSON.

use crate::error::LabError;
use crate::files::write_atomically;
use crate::recipe::Recipe;
use crate::recipe::callbacks::CallbackRecipe;
use crate::record::{EpochRecord, LayerDiagnostics};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use seedbed_nn::callbacks::{Callback, Memory, Snapshot, Training};
use seedbed_nn::model::Model;
use seedbed_nn::schedules::LearningRate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The file in the backup's folder.
const FILE: &str = "training.backup";

/// The file's first line.
const FORMAT: &str = "seedbed backup 1";

/// Where the JSON stands in the safetensors' metadata.
const KEPT: &str = "seedbed";

/// What the engine's own memory is called among the tensors.
const MEMORY: &str = "optimizer/memory";

/// What a file may hold beside tensors, and how many copies of the weights: moments, averages, best ones.
const MOST: (u64, u64) = (256 << 20, 64);

/// Where a training is kept, and which training it is.
pub(super) struct Backup {
    path: PathBuf,
    identity: Identity,
    /// The model's variables.
    variables: Vec<String>,
}

/// What decides a training. Two with the same identity give the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Identity {
    version: String,
    recipe: Value,
    seed: u64,
    data: String,
    initial_weights: String,
}

/// What is kept beside tensors. Numbers that must come back to the bit are their bits.
#[derive(Serialize, Deserialize)]
struct Kept {
    identity: Identity,
    epochs: Vec<EpochRecord>,
    diagnostics: Vec<LayerDiagnostics>,
    seconds: f64,
    epochs_done: u64,
    steps: u64,
    /// `None` where the recipe has a schedule.
    learning_rate: Option<u64>,
    callbacks: Vec<BTreeMap<String, u64>>,
}

/// A training as far as it was kept.
pub(super) struct Resumed {
    pub(super) snapshot: Snapshot,
    pub(super) epochs: Vec<EpochRecord>,
    pub(super) diagnostics: Vec<LayerDiagnostics>,
    pub(super) seconds: f64,
    pub(super) memories: Vec<Memory>,
}

/// A training after an epoch.
pub(super) struct State<'a> {
    pub(super) epochs: &'a [EpochRecord],
    pub(super) diagnostics: Vec<LayerDiagnostics>,
    pub(super) seconds: f64,
    pub(super) callbacks: &'a [Box<dyn Callback>],
}

impl Backup {
    /// The backup that a recipe asks for, if it does: of the training that begins with `initial` weights.
    pub(super) fn of(
        recipe: &Recipe,
        seed: u64,
        data: impl FnOnce() -> String,
        initial: &[(String, Vec<f32>)],
    ) -> Result<Option<Self>, LabError> {
        let folder = recipe.fit.callbacks.iter().find_map(|callback| match callback {
            CallbackRecipe::BackupAndRestore(backup) => Some(PathBuf::from(&backup.backup_dir)),
            _ => None,
        });
        let Some(folder) = folder else { return Ok(None) };
        fs::create_dir_all(&folder).map_err(LabError::io("make the folder", &folder))?;
        let mut recipe = recipe.clone();
        // Where it is kept decides nothing.
        recipe.fit.callbacks.retain(|callback| !matches!(callback, CallbackRecipe::BackupAndRestore(_)));
        let mut weights = Sha256::new();
        for (name, values) in initial {
            weights.update(name);
            values.iter().for_each(|value| weights.update(value.to_le_bytes()));
        }
        let identity = Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            recipe: serde_json::to_value(&recipe).map_err(|error| LabError::Value(error.to_string()))?,
            seed,
            data: data(),
            initial_weights: hexadecimal(&weights.finalize()),
        };
        let variables = initial.iter().map(|(name, _)| name.clone()).collect();
        Ok(Some(Self { path: folder.join(FILE), identity, variables }))
    }

    /// Replaces what was kept by the state after an epoch.
    pub(super) fn write(&self, state: State<'_>, training: &mut dyn Training) -> Result<(), LabError> {
        let snapshot = training.snapshot();
        let memories: Vec<Memory> = state.callbacks.iter().map(|callback| callback.memory()).collect();
        let mut tensors = snapshot.tensors;
        tensors.push((MEMORY.to_owned(), snapshot.memory));
        for (index, memory) in memories.iter().enumerate() {
            let Some(weights) = &memory.weights else { continue };
            let now = training.weights();
            training.restore(weights);
            let named = training.snapshot().tensors.into_iter();
            let named = named.filter(|(name, _)| self.variables.contains(name));
            tensors.extend(named.map(|(name, values)| (format!("callback/{index}/{name}"), values)));
            training.restore(&now);
        }
        let bits = |memory: Memory| memory.numbers.into_iter().map(|(name, number)| (name, number.to_bits()));
        let kept = Kept {
            identity: self.identity.clone(),
            epochs: state.epochs.to_vec(),
            diagnostics: state.diagnostics,
            seconds: state.seconds,
            epochs_done: snapshot.epochs_done,
            steps: snapshot.steps,
            learning_rate: match snapshot.learning_rate {
                LearningRate::Constant(rate) => Some(rate.to_bits()),
                LearningRate::Schedule(_) => None,
            },
            callbacks: memories.into_iter().map(|memory| bits(memory).collect()).collect(),
        };
        let bytes = bytes(&kept, &tensors).map_err(LabError::io("write", &self.path))?;
        write_atomically(&self.path, &bytes)
    }

    /// What was kept, if anything was; `model` is the one that is to go on.
    pub(super) fn read(&self, model: &Model, recipe: &Recipe) -> Result<Option<Resumed>, LabError> {
        let weights: usize = model.params().iter().map(|param| 4 * param.count()).sum();
        let Some(bytes) = self.bytes(MOST.0 + MOST.1 * weights as u64)? else { return Ok(None) };
        let (kept, mut tensors) = parse(&bytes).map_err(|problem| self.refused(problem))?;
        self.identity.check(&kept.identity).map_err(|problem| self.refused(problem))?;
        let memory = tensors.remove(MEMORY).unwrap_or_default();
        let mut memories = Vec::new();
        for (index, numbers) in kept.callbacks.into_iter().enumerate() {
            let prefix = format!("callback/{index}/");
            let of = |name: &String| name.strip_prefix(&prefix).map(str::to_owned);
            let own: Vec<(String, Vec<f32>)> =
                tensors.iter().filter_map(|(name, values)| Some((of(name)?, values.clone()))).collect();
            tensors.retain(|name, _| of(name).is_none());
            let numbers = numbers.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect();
            let weights = (!own.is_empty()).then(|| in_one_piece(model, own)).transpose()?;
            memories.push(Memory { numbers, weights });
        }
        let snapshot = Snapshot {
            epochs_done: kept.epochs_done,
            steps: kept.steps,
            memory,
            learning_rate: match kept.learning_rate {
                Some(bits) => LearningRate::Constant(f64::from_bits(bits)),
                None => recipe.compile.optimizer.learning_rate.clone(),
            },
            tensors: in_order(model, tensors),
        };
        let Kept { epochs, diagnostics, seconds, .. } = kept;
        Ok(Some(Resumed { snapshot, epochs, diagnostics, seconds, memories }))
    }

    /// The error for a backup that cannot be gone on from.
    pub(super) fn refused(&self, problem: impl ToString) -> LabError {
        LabError::Backup { path: self.path.clone(), problem: problem.to_string() }
    }

    /// Deletes what was kept, and the folder if nothing else is in it.
    pub(super) fn delete(&self) -> Result<(), LabError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LabError::io("delete", &self.path)(error));
            }
            _ => {}
        }
        if let Some(folder) = self.path.parent() {
            sweep(folder);
            // A folder in which something else is stays.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn bytes(&self, most: u64) -> Result<Option<Vec<u8>>, LabError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(LabError::io("read", &self.path))?,
        };
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(LabError::io("read", &self.path))?;
        if bytes.len() as u64 > most {
            return Err(self.refused(format!("expected at most {most} bytes for this model, received more")));
        }
        Ok(Some(bytes))
    }
}

/// Deletes what a process that was killed while it wrote has left.
fn sweep(folder: &Path) {
    let left = |name: &str| name.starts_with(".seedbed-") && name.ends_with(".part");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(left) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A snapshot's tensors, which a file has by name, as the model has them; what it has not comes last and is refused.
fn in_order(model: &Model, mut tensors: BTreeMap<String, Vec<f32>>) -> Vec<(String, Vec<f32>)> {
    let own = model.snapshot().tensors.into_iter();
    let mut ordered: Vec<_> = own.filter_map(|(name, _)| tensors.remove_entry(&name)).collect();
    ordered.extend(tensors);
    ordered
}

/// Weights by name as a callback keeps them.
fn in_one_piece(model: &Model, weights: Vec<(String, Vec<f32>)>) -> Result<Vec<f32>, LabError> {
    let mut copy = model.clone();
    for (name, values) in weights {
        copy.set_weight(&name, &values)?;
    }
    Ok(copy.weights())
}

impl Identity {
    /// Says what another training has different, if anything.
    fn check(&self, found: &Self) -> Result<(), String> {
        let differs = |what: &str, expected: &str, found: &str| {
            let problem =
                format!("{what}: expected {expected}, found {found}: it belongs to another training");
            if expected == found { Ok(()) } else { Err(problem) }
        };
        differs("version", &self.version, &found.version)?;
        if let Some((path, expected, found)) = difference("", &self.recipe, &found.recipe) {
            differs(path.trim_start_matches('.'), &expected, &found)?;
        }
        differs("seed", &self.seed.to_string(), &found.seed.to_string())?;
        differs("data", &self.data, &found.data)?;
        differs("initial weights", &self.initial_weights, &found.initial_weights)
    }
}

/// The first place where two values differ, and what is there.
fn difference(path: &str, expected: &Value, found: &Value) -> Option<(String, String, String)> {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            let of =
                |table: &serde_json::Map<String, Value>, key| table.get(key).cloned().unwrap_or_default();
            keys.find_map(|key| difference(&format!("{path}.{key}"), &of(one, key), &of(other, key)))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| difference(&format!("{path}[{index}]"), one, other))
        }
        _ if expected == found => None,
        _ => Some((path.to_owned(), said(expected), said(found))),
    }
}

fn said(value: &Value) -> String {
    if value.is_null() { "nothing".to_owned() } else { value.to_string() }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(kept: &Kept, tensors: &[(String, Vec<f32>)]) -> io::Result<Vec<u8>> {
    let tensors: Vec<(&str, Vec<u8>)> = tensors
        .iter()
        .map(|(name, values)| (name.as_str(), values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>().map_err(io::Error::other)?;
    let metadata = HashMap::from([(KEPT.to_owned(), serde_json::to_string(kept)?)]);
    let content = safetensors::serialize(views, Some(metadata)).map_err(io::Error::other)?;
    let head = format!("{FORMAT}\n{}\n", hexadecimal(&Sha256::digest(&content)));
    Ok([head.as_bytes(), &content].concat())
}

/// What a file holds; nothing in it is believed before its hash is right.
fn parse(bytes: &[u8]) -> Result<(Kept, BTreeMap<String, Vec<f32>>), String> {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let [first, hash, content] = [(); 3].map(|()| lines.next().unwrap_or_default());
    if first != FORMAT.as_bytes() {
        let received = String::from_utf8_lossy(&first[..first.len().min(40)]).into_owned();
        return Err(format!("expected a file that begins with \"{FORMAT}\", received \"{received}\""));
    }
    if hash != hexadecimal(&Sha256::digest(content)).as_bytes() {
        return Err(
            "expected the content that its second line is the hash of, received other: it is damaged".into(),
        );
    }
    let wrong = |error: safetensors::SafeTensorError| error.to_string();
    let (_, header) = SafeTensors::read_metadata(content).map_err(wrong)?;
    let kept = header.metadata().as_ref().and_then(|metadata| metadata.get(KEPT));
    let kept = serde_json::from_str(kept.ok_or("expected metadata, received none")?);
    let tensors = SafeTensors::deserialize(content).map_err(wrong)?;
    let values =
        |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let tensors = tensors.iter().map(|(name, view)| (name.to_owned(), values(view.data())));
    Ok((kept.map_err(|error: serde_json::Error| error.to_string())?, tensors.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepared::Prepared;
    use crate::recipe::DataRecipe;
    use crate::record::TrialStatus;
    use crate::testing::rows;
    use crate::trial::{Observer, Outcome, train};
    use seedbed_nn::Score;
    use seedbed_nn::callbacks::Progress;
    use std::num::NonZeroUsize;
    use std::ops::ControlFlow;

    const EPOCHS: usize = 12;

    /// A training in which everything that must come back matters: moments, averages, dropout, a learning rate that falls, best
    /// weights that are not the last ones, lines in a file.
    fn recipe(folder: &Path, more: &str) -> Recipe {
        let place = folder.display();
        let text = format!(
            "input_shape = [4, 4]
             layers = [{{ class_name = 'Flatten' }}, {{ class_name = 'Dense', units = 20, activation = 'relu' }},
                       {{ class_name = 'Dropout', rate = 0.5 }},
                       {{ class_name = 'Dense', units = 3, activation = 'softmax' }}]
             [compile]
             metrics = ['auc']
             optimizer = {{ name = 'adam', learning_rate = 0.02, use_ema = true, ema_momentum = 0.9 }}
             [fit]
             epochs = {EPOCHS}
             batch_size = 8
             validation_split = 0.25
             callbacks = [
                 {{ class_name = 'EarlyStopping', monitor = 'val_loss', mode = 'max', patience = 7,
                    restore_best_weights = true }},
                 {{ class_name = 'ReduceLROnPlateau', monitor = 'loss', patience = 1, factor = 0.7, cooldown = 1 }},
                 {{ class_name = 'CSVLogger', filename = '{place}/log.csv' }},
                 {{ class_name = 'ModelCheckpoint', filepath = '{place}/best.safetensors', save_best_only = true,
                    monitor = 'val_auc', save_weights_only = true }},
                 {{ class_name = 'BackupAndRestore', backup_dir = '{place}/backup' }},
             ]
             {more}"
        );
        Recipe::parse("m.toml", &text).unwrap()
    }

    /// Interrupts in the middle of an epoch, as Ctrl-C does.
    struct Interrupts(usize);

    impl Observer for Interrupts {
        fn batch_end(&mut self, at: Progress, _so_far: &Score) -> ControlFlow<()> {
            if (at.epoch, at.batch) == (self.0, 3) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    fn run(recipe: &Recipe, seed: u64, threads: usize, interrupted: usize) -> Result<Outcome, String> {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let model = recipe.compile(seed, NonZeroUsize::new(threads).unwrap()).unwrap();
        let outcome = train(model, "m", recipe, seed, &data, &mut Interrupts(interrupted));
        outcome.map_err(|error| error.to_string())
    }

    /// What must be the same: the record without its seconds, the weights, the files.
    fn left(folder: &Path, outcome: &Outcome) -> (String, Vec<Vec<u8>>) {
        let mut record = outcome.record.clone();
        record.seconds = 0.0;
        record.epochs.iter_mut().chain(&mut record.ended).for_each(|epoch| epoch.seconds = 0.0);
        let weights =
            outcome.model.params().iter().flat_map(|param| outcome.model.weight(&param.name).unwrap());
        let weights: Vec<u32> = weights.map(f32::to_bits).collect();
        let files = ["log.csv", "best.safetensors"].map(|name| fs::read(folder.join(name)).unwrap());
        (format!("{record:?} {weights:?}"), files.to_vec())
    }

    #[test]
    fn an_interrupted_training_gives_the_same_bits() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = recipe(folder.path(), "");
        let whole = run(&recipe, 3, 1, EPOCHS).unwrap();
        assert_eq!(whole.record.status, TrialStatus::Finished);
        let epochs = whole.record.epochs.len();
        let rates: Vec<f64> =
            whole.record.epochs.iter().map(|epoch| epoch.metrics["learning_rate"]).collect();
        assert!(epochs > 4 && rates[0] > rates[epochs - 1] && whole.record.ended.is_some(), "{rates:?}");
        let expected = left(folder.path(), &whole);
        for first in 0..epochs {
            // Interrupted once more on the way, and gone on with on another number of threads.
            let broken = run(&recipe, 3, 1, first).unwrap();
            assert_eq!(broken.record.status, TrialStatus::Interrupted { epoch: first });
            run(&recipe, 3, 2, (first + 2).min(epochs - 1)).unwrap();
            // What was written after the last backup is written again.
            let log = folder.path().join("log.csv");
            let text = fs::read_to_string(&log).unwrap();
            fs::write(&log, text + "7,0,0").unwrap();
            let resumed = run(&recipe, 3, 2, EPOCHS).unwrap();
            assert!(left(folder.path(), &resumed) == expected, "interrupted in epoch {first}");
            assert!(!folder.path().join("backup").exists(), "it is deleted at the end");
        }
    }

    #[test]
    fn a_backup_of_another_training_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let kept = recipe(folder.path(), "");
        run(&kept, 3, 1, 2).unwrap();
        let path = folder.path().join("backup").join(FILE);
        let bytes = fs::read(&path).unwrap();
        let mut other = kept.clone();
        other.fit.batch_size = 9;
        let mut longer = kept.clone();
        longer.fit.epochs = 13;
        for (recipe, seed, expected) in [
            (&other, 3, "fit.batch_size: expected 9, found 8: it belongs to another training"),
            (&longer, 3, "fit.epochs: expected 13, found 12"),
            (&kept, 4, "seed: expected 4, found 3"),
        ] {
            let error = run(recipe, seed, 1, EPOCHS).unwrap_err();
            let start = format!("backup {}: {expected}", path.display());
            assert!(error.starts_with(&start) && error.ends_with("or delete it and begin anew"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "a refused backup stays");
        }
        let mut dataset = rows();
        dataset.train.pixels[0] ^= 1;
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let model = kept.compile(3, NonZeroUsize::MIN).unwrap();
        let error = train(model, "m", &kept, 3, &data, &mut ()).unwrap_err().to_string();
        assert!(error.contains("data: expected "), "{error}");
        let mut model = kept.compile(3, NonZeroUsize::MIN).unwrap();
        model.set_weight("dense_1/bias", &[1.0, 2.0, 3.0]).unwrap();
        let (dataset, callbacks) = (rows(), kept.fit.callbacks.len());
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let error = train(model, "m", &kept, 3, &data, &mut ()).unwrap_err().to_string();
        assert!(error.contains("initial weights: expected ") && callbacks == 5, "{error}");
        run(&kept, 3, 1, EPOCHS).unwrap();
    }

    #[test]
    fn a_damaged_backup_is_refused_without_panic() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = recipe(folder.path(), "");
        run(&recipe, 3, 1, 1).unwrap();
        let path = folder.path().join("backup").join(FILE);
        let bytes = fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| parse(bytes).map(|_| String::new()).unwrap_err();
        // Every length and every place, but few of those in the middle of the numbers.
        let places = (0..bytes.len()).filter(|at| *at < 200 || at % 97 == 0 || at + 20 > bytes.len());
        for at in places {
            assert!(refused(&bytes[..at]).contains("expected"), "cut to {at} bytes");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(refused(&damaged).contains("expected"), "byte {at}");
        }
        assert!(refused(&[bytes.as_slice(), b"\n"].concat()).contains("damaged"));
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = run(&recipe, 3, 1, EPOCHS).unwrap_err();
        assert!(
            error.contains("training.backup: expected the content that its second line is the hash of"),
            "{error}"
        );
        fs::write(&path, "hello").unwrap();
        let error = run(&recipe, 3, 1, EPOCHS).unwrap_err();
        assert!(
            error.contains("expected a file that begins with \"seedbed backup 1\", received \"hello\""),
            "{error}"
        );
    }
}
