//! Event files as TensorBoard itself reads them, where `SEEDBED_PYTHON` names a Python that has it; skipped with a notice
//! where it does not.

use super::{TrainingLog, write_study};
use crate::prepared::Prepared;
use crate::recipe::{DataRecipe, Recipe};
use crate::record::example::study;
use crate::record::{Arm, EpochRecord};
use crate::testing::rows;
use crate::trial::{self, Observer};
use seedbed_nn::callbacks::Training;
use seedbed_nn::model::Model;
use serde_json::Value;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

const FILE: &str = "input_shape = [4, 4]
    fit = { epochs = 3, batch_size = 8 }
    layers = [{ class_name = 'Flatten' }, { class_name = 'Dense', units = 5, activation = 'relu' },
              { class_name = 'Dense', units = 3, activation = 'softmax' }]";

/// How the script ends where there is no TensorBoard.
const NO_TENSORBOARD: i32 = 3;

/// What TensorBoard reads, as `read_tensorboard.py` prints it; `None` where there is no TensorBoard.
fn read(folder: &Path) -> Option<Value> {
    let Some(python) = std::env::var_os("SEEDBED_PYTHON") else {
        eprintln!("skipped: set SEEDBED_PYTHON to a Python that has TensorBoard to run this test");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/read_tensorboard.py");
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    if output.status.code() == Some(NO_TENSORBOARD) {
        eprintln!("skipped: the Python of SEEDBED_PYTHON has no TensorBoard");
        return None;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

struct Logs<'a>(TrainingLog<'a>);

impl Observer for Logs<'_> {
    fn epoch_end(&mut self, record: &EpochRecord) {
        self.0.epoch(record);
    }

    fn weights(&mut self, record: &EpochRecord, weights: &mut dyn Training) {
        self.0.weights(record, weights);
    }
}

#[track_caller]
fn close(read: &Value, expected: f64) {
    assert!((read.as_f64().unwrap() - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{read} {expected}");
}

#[test]
fn a_training_is_read_back() {
    let place = tempfile::tempdir().unwrap();
    let dataset = rows();
    let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
    let recipe = Recipe::parse("m.toml", FILE).unwrap();
    let model = recipe.compile(7, NonZeroUsize::MIN).unwrap();
    let log = TrainingLog::begin(place.path(), &recipe, 7, &model, data.test()).unwrap();
    let mut logs = Logs(log);
    let outcome = trial::fit(model, "m", &recipe, 7, &data, &mut logs).unwrap();
    logs.0.finish(&outcome.record).unwrap();
    let Some(found) = read(place.path()) else { return };

    for (run, tag, of) in [
        ("train", "epoch_loss", (|epoch| epoch.running_loss) as fn(&EpochRecord) -> f64),
        ("train", "epoch_accuracy", |epoch| epoch.running_accuracy),
        ("validation", "epoch_loss", |epoch| epoch.test_loss),
        ("validation", "epoch_accuracy", |epoch| epoch.test_accuracy),
        ("train_evaluated", "epoch_accuracy", |epoch| epoch.train_accuracy),
        ("train", "epoch_learning_rate", |_| 0.001),
    ] {
        let read = found["scalars"][run][tag].as_array().unwrap();
        assert_eq!(read.len(), 3, "{run} {tag}");
        for (step, (pair, epoch)) in read.iter().zip(&outcome.record.epochs).enumerate() {
            assert_eq!(pair[0], step);
            close(&pair[1], of(epoch));
        }
    }
    histograms(&found["histograms"]["train"], &outcome.model, &data);
    assert_eq!(found["sessions"]["validation"]["hparams"]["optimizer"], "adam");
    assert_eq!(found["sessions"]["validation"]["hparams"]["seed"], 7.0);
    assert_eq!(found["sessions"]["validation"]["status"], "STATUS_SUCCESS");
    let accuracy = outcome.record.epochs[2].test_accuracy;
    close(&found["sessions"]["validation"]["metrics"]["test accuracy"], accuracy);
}

/// The last step's histograms hold the model's weights, and what its layers give.
fn histograms(found: &Value, model: &Model, data: &Prepared<'_>) {
    let spread = |tag: &str, values: &[f32]| {
        let steps = found[tag].as_array().unwrap();
        assert_eq!(steps.len(), 3, "{tag}");
        let last = &steps[2];
        close(&last["count"], values.len() as f64);
        close(&last["min"], values.iter().copied().fold(f32::INFINITY, f32::min).into());
        close(&last["max"], values.iter().copied().fold(f32::NEG_INFINITY, f32::max).into());
    };
    for param in model.params() {
        spread(&format!("{}/histogram", param.name), &model.weight(&param.name).unwrap());
    }
    spread("dense_1/output/histogram", &model.predict(data.test()).unwrap());
}

#[test]
fn a_study_is_shown_in_the_hparams_tab() {
    let place = tempfile::tempdir().unwrap();
    let study = study(3);
    write_study(&study, place.path()).unwrap();
    let Some(found) = read(place.path()) else { return };
    let sessions = found["sessions"].as_object().unwrap();
    let main = || study.trials.iter().filter(|trial| trial.arm == Arm::Main);
    assert_eq!(sessions.len(), main().count());
    for trial in main() {
        let session = sessions.iter().find(|(name, session)| {
            name.ends_with(&format!("/seed-{}", trial.seed))
                && session["group"] == study.variants[trial.variant].name
        });
        let (_, session) = session.unwrap();
        let hyperparameters = session["hparams"].as_object().unwrap();
        assert_eq!(hyperparameters.len(), study.factors.len());
        let Some(last) = trial.trial.last_epoch() else { continue };
        close(&session["metrics"]["test accuracy"], last.test_accuracy);
        close(&session["metrics"]["training loss"], last.train_loss);
    }
}
