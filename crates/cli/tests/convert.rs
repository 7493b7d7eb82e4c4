//! `seedbed convert` and `seedbed summary`: every format to every other once, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What Keras, NumPy and others wrote of one model, and what a file of it may be converted to.
const FROM: [&str; 8] =
    ["toml", "json", "keras", "weights.h5", "npz", "arr.npz", "safetensors", "torch.safetensors"];
const TO: [&str; 7] = ["toml", "json", "keras", "weights.h5", "npz", "safetensors", "onnx"];

fn holds_model(ending: &str) -> bool {
    ["toml", "json", "keras"].contains(&ending)
}

fn holds_weights(ending: &str) -> bool {
    !["toml", "json"].contains(&ending)
}

/// A folder with the model `mlp` in every format.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/goldens");
    for ending in FROM.iter().filter(|ending| **ending != "toml") {
        let name = format!("mlp.{ending}");
        fs::copy(goldens.join(&name), place.path().join(name)).unwrap();
    }
    seedbed(&place, &["convert", "mlp.json", "mlp.toml"]).unwrap();
    place
}

/// What the program says on stdout, or its exit code and what it says on stderr.
fn seedbed(place: &TempDir, arguments: &[&str]) -> Result<String, (i32, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    let output = command.args(arguments).current_dir(place).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        code => Err((code.unwrap_or(-1), text(output.stderr))),
    }
}

fn bytes(place: &TempDir, name: &str) -> Vec<u8> {
    fs::read(place.path().join(name)).unwrap()
}

#[test]
fn every_format_becomes_every_other() {
    let place = place();
    for to in TO {
        seedbed(&place, &["convert", "mlp.keras", &format!("expected.{to}")]).unwrap();
    }
    for from in FROM {
        for to in TO {
            let (from, out) = (format!("mlp.{from}"), format!("out.{to}"));
            let mut arguments = vec!["convert", &from, &out];
            if !holds_model(from.trim_start_matches("mlp.")) {
                arguments.extend(["--model", "mlp.json"]);
            }
            let result = seedbed(&place, &arguments);
            if holds_weights(to) && !holds_weights(from.trim_start_matches("mlp.")) {
                let (code, error) = result.unwrap_err();
                assert!(
                    code == 2 && error.contains("OUT holds weights and IN has none"),
                    "{from} {to}: {error}"
                );
                continue;
            }
            result.unwrap_or_else(|error| panic!("{from} {to}: {error:?}"));
            assert!(bytes(&place, &out) == bytes(&place, &format!("expected.{to}")), "{from} {to}");
            fs::remove_file(place.path().join(out)).unwrap();
        }
    }
}

#[test]
fn every_format_is_summed_up() {
    let place = place();
    for ending in FROM {
        let said = seedbed(&place, &["summary", &format!("mlp.{ending}")]).unwrap();
        // 12·6 + 6, 6·5, 5·4 + 4, 4·3 + 3
        assert!(said.contains("147"), "{ending}: {said}");
    }
    seedbed(&place, &["convert", "mlp.keras", "mlp.onnx"]).unwrap();
    for weights in ["mlp.safetensors", "mlp.onnx"] {
        let said = seedbed(&place, &["summary", weights]).unwrap();
        let kernel = ["dense/kernel", "F32", "[12,", "6]", "72"];
        assert!(said.lines().any(|line| line.split_whitespace().eq(kernel)), "{said}");
    }
}

fn write(place: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = place.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn what_cannot_be_converted_is_named() {
    let place = place();
    let json = String::from_utf8(bytes(&place, "mlp.json")).unwrap();
    write(
        &place,
        "lambda.json",
        json.replacen("\"class_name\": \"Rescaling\"", "\"class_name\": \"Lambda\"", 1),
    );
    write(&place, "lstm.json", json.replacen("\"class_name\": \"Rescaling\"", "\"class_name\": \"LSTM\"", 1));
    let objects = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/tests/fixtures/own/object.npz");
    fs::copy(objects, place.path().join("object.npz")).unwrap();
    write(&place, "model.pkl", b"\x80\x04.");
    write(&place, "cut.keras", &bytes(&place, "mlp.keras")[..1000]);
    seedbed(&place, &["convert", "mlp.keras", "mlp.onnx"]).unwrap();
    for (arguments, code, expected) in [
        (["mlp.json", "mlp.h5"].as_slice(), 2, "expected a name that ends with .toml, .json, .keras, "),
        (&["model.pkl", "out.toml"], 2, "received model.pkl"),
        (&["lambda.json", "out.toml"], 1, "lambda.json: config.layers[1]: Lambda holds code"),
        (
            &["lstm.json", "out.toml"],
            1,
            "lstm.json: config.layers[1]: unknown layer `LSTM`; known are Flatten",
        ),
        (&["object.npz", "out.npz", "--model", "mlp.json"], 1, "objects and structures never"),
        (&["mlp.npz", "out.keras"], 2, "IN holds weights alone; add --model FILE"),
        (&["mlp.keras", "out.npz", "--model", "mlp.json"], 2, "leave out --model"),
        (&["cut.keras", "out.toml"], 1, "cut.keras"),
        (
            &["mlp.onnx", "out.npz", "--model", "mlp.json"],
            1,
            "received an ONNX file, which is written and listed only",
        ),
        (&["missing.json", "out.toml"], 1, "missing.json"),
    ] {
        let (received, error) = seedbed(&place, &[&["convert"], arguments].concat()).unwrap_err();
        assert!(received == code && error.contains(expected), "{arguments:?}: {received} {error}");
        assert!(!error.contains("panicked"), "{error}");
        assert!(!place.path().join("out.toml").exists() && !place.path().join("out.npz").exists());
    }
}
