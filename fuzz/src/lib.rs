//! One function per parser of other people's files: bytes become a file, the file is read as a stranger's is. Anything but
//! an error or a good result is a fault. `crates/lab/tests/corpus.rs` runs them over the committed corpus.

use seedbed_data::{DataName, Finder, OwnData, idx, load};
use seedbed_lab::formats::{list_weights, load_weights, read_recipe};
use seedbed_lab::recipe::Recipe;
use seedbed_lab::study::Study;
use seedbed_lab::study::file::StudyFile;
use seedbed_nn::model::Model;
use std::cell::RefCell;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A parser by the name of its target and its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every parser.
pub const TARGETS: [Target; 12] = [
    ("idx", idx_file),
    ("npz_data", npz_data),
    ("csv", csv),
    ("pictures", pictures),
    ("keras_json", keras_json),
    ("keras", keras),
    ("weights_h5", weights_h5),
    ("safetensors", safetensors),
    ("npz_weights", npz_weights),
    ("onnx", onnx),
    ("recipe", recipe),
    ("study", study),
];

/// The model whose weights are read: the golden file, without its weights.
const MODEL: &str = include_str!("../../tests/interop/goldens/mlp.json");

/// A picture that is read beside another.
const PICTURE: &[u8] = include_bytes!("../../crates/data/tests/fixtures/own/pictures/grey.png");

thread_local! {
    static WEIGHTLESS: RefCell<Option<Model>> = const { RefCell::new(None) };
}

/// A new place, where a file is cheap.
fn folder() -> PathBuf {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let above = std::env::var_os("FUZZ_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    above.join(format!("seedbed-fuzz-{}-{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed)))
}

/// Calls with a file of these bytes, and removes it.
fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = folder();
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(&folder);
    assert!(
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).is_ok(),
        "FUZZ_FOLDER can be written to"
    );
    read(&path);
    let _ = fs::remove_dir_all(&folder);
}

fn own(path: &Path) {
    if let Ok(loaded) = load(&DataName::Own(OwnData::at(path)), &Finder::default(), &mut |_| {}) {
        let (train, test) = (loaded.dataset.train, loaded.dataset.test);
        assert!(train.count > 0 && test.count > 0, "what was read has samples");
        assert_eq!(train.picture_size(), test.picture_size());
    }
}

pub fn idx_file(bytes: &[u8]) {
    if let Ok(found) = idx::parse("file", bytes.to_vec(), 1 << 20) {
        assert_eq!(idx::write(&found), bytes, "what was read is written as it was");
    }
}

pub fn npz_data(bytes: &[u8]) {
    with_file("data.npz", bytes, own);
}

pub fn csv(bytes: &[u8]) {
    with_file("data.csv", bytes, own);
}

/// What a picture is, its bytes say; the others in the folder are of one size.
pub fn pictures(bytes: &[u8]) {
    with_file("data/b/picture.png", bytes, |path| {
        let Some(data) = path.parent().and_then(Path::parent) else { return };
        assert!(fs::create_dir_all(data.join("a")).is_ok());
        for name in ["0.png", "1.png"] {
            assert!(fs::write(data.join("a").join(name), PICTURE).is_ok());
        }
        own(data);
    });
}

/// Reads a model file; a file that is read can be summed up and written again.
fn model(path: &Path) {
    if let Ok(recipe) = read_recipe(path) {
        assert!(recipe.model.summary().is_ok(), "what was read can be summed up");
        assert!(Recipe::parse("again", &recipe.to_toml()).is_ok(), "what was read can be written as TOML");
    }
}

/// Reads weights into a model, and lists them without one.
fn weights(path: &Path) {
    WEIGHTLESS.with_borrow_mut(|weightless| {
        if weightless.is_none() {
            with_file("model.json", MODEL.as_bytes(), |path| {
                let recipe = read_recipe(path).ok();
                *weightless = recipe.and_then(|recipe| recipe.compile(0, NonZeroUsize::MIN).ok());
            });
        }
        assert!(weightless.is_some(), "the golden file is read and compiled");
        if let Some(model) = weightless {
            let _ = load_weights(model, path);
        }
    });
    let _ = list_weights(path);
}

pub fn keras_json(bytes: &[u8]) {
    with_file("file.json", bytes, model);
}

pub fn keras(bytes: &[u8]) {
    with_file("file.keras", bytes, model);
    with_file("file.keras", bytes, weights);
}

pub fn weights_h5(bytes: &[u8]) {
    with_file("file.weights.h5", bytes, weights);
}

pub fn safetensors(bytes: &[u8]) {
    with_file("file.safetensors", bytes, weights);
}

pub fn onnx(bytes: &[u8]) {
    with_file("file.onnx", bytes, weights);
}

pub fn npz_weights(bytes: &[u8]) {
    with_file("file.npz", bytes, weights);
}

pub fn recipe(bytes: &[u8]) {
    with_file("file.toml", bytes, model);
}

/// A study that is read can be planned, or says why not.
pub fn study(bytes: &[u8]) {
    with_file("study.toml", bytes, |path| {
        if let Ok(file) = StudyFile::read(path) {
            let _ = Study::new(file).and_then(|study| study.planned());
        }
    });
}
