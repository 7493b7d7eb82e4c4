//! Other programs' files. The golden files in `tests/interop/goldens` were written by Keras, NumPy and safetensors with
//! `goldens.py`, which also wrote down what Keras predicts. What Seedbed writes is read back here, and by those programs
//! where `SEEDBED_PYTHON` names a Python that has them (`tests/interop/python.sh`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_lab::formats::{load_weights, read_recipe, write};
use seedbed_lab::recipe::Recipe;
use seedbed_nn::examples::{Examples, Normalization};
use seedbed_nn::model::Model;
use serde::Deserialize;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

mod choices;

/// The golden models.
const MODELS: [&str; 8] = ["mlp", "conv", "flat", "pools", "norms", "activations", "more", "functional"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop")
}

fn golden(name: &str) -> PathBuf {
    folder().join("goldens").join(name)
}

#[derive(Deserialize)]
struct Expected {
    inputs: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
}

fn expected(name: &str) -> Expected {
    let text = fs::read_to_string(golden(&format!("{name}.expected.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn compiled(recipe: &Recipe) -> Model {
    recipe.compile(0, NonZeroUsize::MIN).unwrap()
}

fn loaded(model_file: &Path, weights: &Path) -> (Recipe, Model) {
    let recipe = read_recipe(model_file).unwrap();
    let mut model = compiled(&recipe);
    load_weights(&mut model, weights).unwrap();
    (recipe, model)
}

fn predict(model: &Model, inputs: &[Vec<f32>]) -> Vec<f32> {
    let labels = vec![0; inputs.len()];
    let shape = model.sequential().input_shape.clone();
    model.predict(&Examples::classes(shape, &inputs.concat(), &labels).unwrap()).unwrap()
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.params().iter().map(|param| model.weight(&param.name).unwrap()).collect()
}

#[track_caller]
fn close(actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len());
    for (a, b) in actual.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }
}

#[test]
fn models_saved_by_keras_predict_what_keras_predicts() {
    for name in MODELS {
        let keras = golden(&format!("{name}.keras"));
        let (recipe, model) = loaded(&keras, &keras);
        assert_eq!(recipe.data.normalization, Normalization::Bytes, "{name}: numbers are left as they are");
        let expected = expected(name);
        close(&predict(&model, &expected.inputs), &expected.outputs.concat(), 1e-6);
        assert_eq!(
            read_recipe(&golden(&format!("{name}.json"))).unwrap(),
            recipe,
            "{name}: to_json and save agree"
        );
    }
}

#[test]
fn weights_are_the_same_in_every_format() {
    for name in MODELS {
        let keras = golden(&format!("{name}.keras"));
        let original = weights(&loaded(&keras, &keras).1);
        for ending in ["weights.h5", "npz", "arr.npz", "safetensors", "torch.safetensors"] {
            let file = golden(&format!("{name}.{ending}"));
            if file.exists() {
                assert_eq!(weights(&loaded(&keras, &file).1), original, "{}", file.display());
            }
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for name in MODELS {
        let keras = golden(&format!("{name}.keras"));
        let (recipe, model) = loaded(&keras, &keras);
        for ending in ["toml", "json", "keras"] {
            let path = folder.path().join(format!("{name}.{ending}"));
            write(&path, &recipe, &model).unwrap();
            assert_eq!(read_recipe(&path).unwrap(), recipe, "{name}.{ending}");
        }
        for ending in ["keras", "weights.h5", "npz", "safetensors"] {
            let path = folder.path().join(format!("{name}.{ending}"));
            write(&path, &recipe, &model).unwrap();
            assert_eq!(weights(&loaded(&keras, &path).1), weights(&model), "{name}.{ending}");
            let bytes = fs::read(&path).unwrap();
            write(&path, &recipe, &model).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes, "{name}.{ending}: equal content gives equal bytes");
        }
    }
}

/// Writes a model's files and what it predicts.
fn hand_over(
    place: &Path,
    name: &str,
    endings: &[&str],
    recipe: &Recipe,
    model: &Model,
    inputs: &[Vec<f32>],
) {
    for ending in endings {
        write(&place.join(format!("{name}.{ending}")), recipe, model).unwrap();
    }
    let said = serde_json::json!({
        "shape": model.sequential().input_shape.axes(),
        "inputs": inputs,
        "outputs": predict(model, inputs),
    });
    fs::write(place.join(format!("{name}.expected.json")), said.to_string()).unwrap();
}

/// Numbers on both sides of 0 for a model.
fn some_inputs(model: &Model) -> Vec<Vec<f32>> {
    let count = model.sequential().input_shape.size();
    (0..8).map(|i| (0..count).map(|j| ((i * count + j) * 37 % 101) as f32 / 25.0 - 2.0).collect()).collect()
}

/// Keras, NumPy, safetensors and onnxruntime read what is written, and predict the same; what Keras then writes is read
/// here as the same.
#[test]
fn other_programs_read_what_is_written() {
    let Some(python) = std::env::var_os("SEEDBED_PYTHON") else {
        eprintln!("skipped: SEEDBED_PYTHON names no Python with Keras; tests/interop/python.sh makes one");
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let mut models = Vec::new();
    for (name, recipe) in choices::models() {
        let model = choices::with_weights(&recipe);
        let inputs = some_inputs(&model);
        let with_keras: &[&str] = &["json", "keras", "onnx"];
        let endings = if choices::only_here(&name).is_some() { &["onnx"] } else { with_keras };
        hand_over(place.path(), &name, endings, &recipe, &model, &inputs);
        models.push((name, recipe, model));
    }
    for name in MODELS {
        let keras = golden(&format!("{name}.keras"));
        let (recipe, model) = loaded(&keras, &keras);
        let endings = ["json", "keras", "weights.h5", "npz", "safetensors", "onnx"];
        hand_over(place.path(), name, &endings, &recipe, &model, &expected(name).inputs);
    }
    let check = Command::new(python).arg(folder().join("check.py")).arg(place.path()).output().unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{said}\n{}", String::from_utf8_lossy(&check.stderr));
    println!("{said}");
    let both = models.iter().filter(|(name, ..)| choices::only_here(name).is_none());
    let changed: Vec<String> = both
        .filter_map(|(name, recipe, model)| choices::changed_by_keras(place.path(), name, recipe, model))
        .collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}
