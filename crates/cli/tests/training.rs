//! `seedbed train` with everything a model file may say: metrics, validation, callbacks, and interruptions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use seedbed::lab::recipe::Recipe;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const MODEL: &str = "input_shape = [28, 28]\n\
    layers = [{ class_name = 'Flatten' }, { class_name = 'Dense', units = 24, activation = 'relu' },\n\
              { class_name = 'Dropout', rate = 0.3 }, { class_name = 'Dense', units = 10, activation = 'softmax' }]\n\
    [compile]\nmetrics = ['auc', 'accuracy']\n\
    [fit]\nepochs = 12\nvalidation_split = 0.2\n\
    callbacks = [{ class_name = 'EarlyStopping', patience = 9, restore_best_weights = true },\n\
                 { class_name = 'ReduceLROnPlateau', patience = 1, min_delta = 0.02 },\n\
                 { class_name = 'CSVLogger', filename = 'log.csv' }]\n\
    [data]\ndataset = 'digits'\ntrain_size = 3000\n";

/// The program in an empty folder of its own.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    command.args(arguments).current_dir(folder).env_remove("SEEDBED_DATA");
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let output = command(folder, arguments).output().unwrap();
    assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}: {}", text(&output.stderr));
    output
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn metrics_are_wherever_numbers_are() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    fs::write(place.join("m.toml"), MODEL.replace("epochs = 12", "epochs = 2")).unwrap();
    let train = run(place, &["train", "m.toml", "--save", "w.npz", "--history", "h.csv", "--json"]);
    let trained = json(&train);
    let last = &trained["trial"]["epochs"][1]["metrics"];
    let names = ["auc", "learning_rate", "test_auc", "train_auc", "val_accuracy", "val_auc", "val_loss"];
    assert_eq!(last.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    let progress = text(&train.stderr);
    let line = progress.lines().find(|line| line.starts_with("Epoch 2/2")).unwrap();
    assert!([" - loss: ", " - auc: 0.", " - val_auc: 0."].iter().all(|part| line.contains(part)), "{line}");
    let history = fs::read_to_string(place.join("h.csv")).unwrap();
    let header = history.lines().next().unwrap();
    assert!(header.ends_with(&format!(",seconds,{}", names.join(","))), "{header}");
    let log = fs::read_to_string(place.join("log.csv")).unwrap();
    assert!(log.starts_with("epoch,accuracy,auc,learning_rate,loss,test_accuracy,test_auc"), "{log}");
    assert_eq!(log.lines().count(), 3);
    let scores = json(&run(place, &["evaluate", "m.toml", "--weights", "w.npz", "--json"]));
    let ended = trained["trial"]["ended"].as_object();
    let counts = ended.map_or(last, |ended| &ended["metrics"]);
    assert_eq!(scores["test"]["auc"], counts["test_auc"]);
    let said = text(&run(place, &["evaluate", "m.toml", "--weights", "w.npz"]).stdout);
    assert!(said.contains("auc"), "{said}");
}

/// `--data` says which data a model is trained on, so it takes their sizes; weights that were learned on others do not.
#[test]
fn a_model_takes_the_sizes_of_the_data_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    fs::write(place.join("m.toml"), MODEL.replace("train_size = 3000", "")).unwrap();
    let row = |i: usize| format!("{},{},{}\n", ["low", "mid", "high"][i % 3], i % 3, i % 7);
    let rows: String = (0..60).map(row).collect();
    fs::write(place.join("mine.csv"), format!("label,a,b\n{rows}")).unwrap();
    let train = ["train", "m.toml", "--data", "mine.csv", "--epochs", "2"];
    let trained = run(place, &[&train[..], &["--json", "--save", "mine.toml"]].concat());
    let said = text(&trained.stderr);
    let expected =
        "for mine, input_shape is (None, 2) instead of (None, 28, 28) and dense_1 has 3 units instead of 10";
    assert!(said.contains(expected), "{said}");
    let recipe = json(&trained)["recipe"].clone();
    assert_eq!(
        (&recipe["input_shape"][0], &recipe["layers"][3]["units"]),
        (&2.into(), &3.into()),
        "{recipe}"
    );
    // What was saved names the data and fits them.
    assert_eq!(run(place, &["train", "mine.toml", "--epochs", "1"]).status.code(), Some(0));

    json(&run(place, &["train", "m.toml", "--epochs", "1", "--save", "w.npz", "--json"]));
    let weights = run(place, &[&train[..], &["--weights", "w.npz"]].concat());
    assert_eq!(weights.status.code(), Some(2));
    assert!(text(&weights.stderr).contains("input_shape: expected (None, 2)"), "{}", text(&weights.stderr));
}

/// Starts a training and kills it as soon as it says that an epoch is done.
fn killed(place: &Path, arguments: &[&str], epoch: usize, signal: &str) {
    let mut child: Child = command(place, arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = format!("Epoch {epoch}/");
    assert!(lines.any(|line| line.unwrap().starts_with(&said)), "epoch {epoch} is done");
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let _ = lines.count();
    let code = child.wait().unwrap().code();
    assert_eq!(code, (signal == "-INT").then_some(130));
}

/// The history without seconds, which are never the same.
fn history(place: &Path, name: &str) -> Value {
    let mut record: Value = serde_json::from_slice(&fs::read(place.join(name)).unwrap()).unwrap();
    record["seconds"] = Value::Null;
    for epoch in record["epochs"].as_array_mut().unwrap() {
        epoch["seconds"] = Value::Null;
    }
    record
}

#[cfg(unix)]
#[test]
fn a_training_that_was_killed_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    fs::write(place.join("m.toml"), MODEL).unwrap();
    let whole = run(place, &["train", "m.toml", "--save", "whole.safetensors", "--history", "whole.json"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
    let (weights, log) = (fs::read(place.join("whole.safetensors")), fs::read(place.join("log.csv")));
    let train = ["train", "m.toml", "--backup", "kept", "--save", "w.safetensors", "--history", "h.json"];
    for (signal, epochs) in [("-KILL", [2, 3, 6]), ("-INT", [2, 4, 5])] {
        for epoch in epochs {
            killed(place, &train, epoch, signal);
            assert!(place.join("kept/training.backup").exists());
        }
        let resumed = run(place, &train);
        assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
        let said = text(&resumed.stderr);
        assert!(said.contains(" epochs that a backup has.") && !said.contains("Epoch 1/12"), "{said}");
        assert!(fs::read(place.join("w.safetensors")).unwrap() == *weights.as_ref().unwrap(), "{signal}");
        assert_eq!(history(place, "h.json"), history(place, "whole.json"), "{signal}");
        assert_eq!(fs::read(place.join("log.csv")).unwrap(), *log.as_ref().unwrap(), "{signal}");
        assert!(!place.join("kept").exists(), "it is deleted at the end");
    }
    killed(place, &train, 2, "-INT");
    let other = run(place, &["train", "m.toml", "--backup", "kept", "--seed", "1"]);
    assert_eq!(other.status.code(), Some(1));
    let said = text(&other.stderr);
    let expected =
        "error: backup kept/training.backup: seed: expected 1, found 0: it belongs to another training; ";
    assert!(said.contains(expected) && said.contains("or delete it and begin anew"), "{said}");
}

/// Before the first epoch, not after the last: what was trained would be lost.
#[test]
fn a_file_that_has_no_words_for_the_model_is_refused_before_the_training() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let only_here = MODEL.replace("'auc', 'accuracy'", "'mean_margin'");
    fs::write(place.join("m.toml"), &only_here).unwrap();
    let checkpoint = "callbacks = [{ class_name = 'ModelCheckpoint', filepath = 'at-{epoch}.keras' },";
    fs::write(place.join("c.toml"), only_here.replace("callbacks = [", checkpoint)).unwrap();
    for arguments in [["train", "m.toml", "--save", "m.keras"], ["train", "c.toml", "--save", "m.npz"]] {
        let refused = run(place, &arguments);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("Keras does not have it: unknown metrics `mean_margin`"), "{said}");
        assert!(!said.contains("Epoch 1"), "{said}");
    }
}

#[test]
fn callbacks_and_metrics_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let list = |arguments: &[&str]| text(&run(folder.path(), arguments).stdout);
    let callbacks = list(&["list", "callbacks"]);
    for part in
        ["EarlyStopping(monitor=\"val_loss\"", "patience=0", "- TerminateOnNaN\n", "CSVLogger(filename,"]
    {
        assert!(callbacks.contains(part), "{part} is not in\n{callbacks}");
    }
    assert!(list(&["list", "metrics"]).contains("top_k_categorical_accuracy(k=5)"));
    let all: Value = serde_json::from_str(&list(&["list", "--json"])).unwrap();
    assert_eq!(all["callbacks"][0]["parameters"][0]["default"], "val_loss");
    assert!(all["optimizers"].is_array());
}

/// The page's files are read as they stand there; what is part of a file is put behind one with layers.
#[test]
fn the_page_on_model_files_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/model-files.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(blocks.len() >= 3);
    let model = blocks[0].split("[compile]").next().unwrap();
    for block in &blocks {
        let text =
            if block.starts_with("input_shape") { (*block).to_owned() } else { format!("{model}{block}") };
        Recipe::parse("docs/model-files.md", &text).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let listed: Value = json(&run(folder.path(), &["list", "callbacks", "--json"]));
    for callback in listed["callbacks"].as_array().unwrap() {
        let row = format!("| `{}` | ", callback["name"].as_str().unwrap());
        assert!(page.contains(&row), "{row} is missing");
    }
}

#[test]
fn every_ready_made_model_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for entry in fs::read_dir(folder).unwrap() {
        Recipe::read(&entry.unwrap().path()).unwrap();
    }
}
