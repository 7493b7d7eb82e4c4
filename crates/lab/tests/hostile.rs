//! Damaged and hostile files of every format: whatever the bytes, an error that names the file or a good model, never a
//! panic, never a large allocation.
//!
//! Every truncation of the golden files is tried, and a few thousand files with bytes changed; `SEEDBED_MUTATIONS` sets
//! how many per format.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_lab::error::LabError;
use seedbed_lab::formats::{load_weights, read_recipe};
use seedbed_nn::model::Model;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

mod mutation;

/// The largest single allocation that reading one of the golden files may ask for: they have at most 40 KB.
const MOST: usize = 1 << 20;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Watching;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// Every format that is read.
const ENDINGS: [&str; 7] =
    ["json", "keras", "weights.h5", "npz", "arr.npz", "safetensors", "torch.safetensors"];

fn golden(ending: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/interop/goldens/mlp.{ending}"))
}

fn target() -> Model {
    let mut model = read_recipe(&golden("keras")).unwrap().compile(0, NonZeroUsize::MIN).unwrap();
    load_weights(&mut model, &golden("keras")).unwrap();
    model
}

/// Reads whatever the file holds; the first error, if any.
fn read(model: &mut Model, path: &Path) -> Result<(), LabError> {
    LARGEST.store(0, Ordering::Relaxed);
    let json = path.extension().is_some_and(|ending| ending == "json");
    let described = json || path.extension().is_some_and(|ending| ending == "keras");
    let recipe = if described { read_recipe(path).map(drop) } else { Ok(()) };
    let weights = if json { Ok(()) } else { load_weights(model, path) };
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= MOST, "{}: {largest} bytes at once", path.display());
    recipe.and(weights)
}

#[test]
fn every_truncation_of_every_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = target();
    let weights = |model: &Model| -> Vec<Vec<f32>> {
        model.params().iter().map(|param| model.weight(&param.name).unwrap()).collect()
    };
    let before = weights(&model);
    for ending in ENDINGS {
        let bytes = fs::read(golden(ending)).unwrap();
        let path = folder.path().join(format!("mlp.{ending}"));
        fs::write(&path, &bytes).unwrap();
        // Keras's JSON ends with a line break of our own.
        let end = if ending == "json" { bytes.len() - 1 } else { bytes.len() };
        for end in (0..end).rev() {
            fs::File::options().write(true).open(&path).unwrap().set_len(end as u64).unwrap();
            let error = read(&mut model, &path).unwrap_err().to_string();
            assert!(error.contains(&format!("mlp.{ending}")), "{error}");
        }
    }
    assert_eq!(weights(&model), before, "a refused file changes nothing");
}

#[test]
fn changed_bytes_never_panic_and_never_allocate_much() {
    let count = mutation::count(2_000);
    let folder = tempfile::tempdir().unwrap();
    let mut model = target();
    let mut state = 0x5eed;
    for ending in ENDINGS {
        let bytes = fs::read(golden(ending)).unwrap();
        let path = folder.path().join(format!("mutated.{ending}"));
        let mut refused = 0;
        for _ in 0..count {
            fs::write(&path, mutation::mutated(&bytes, &mut state)).unwrap();
            if let Err(error) = read(&mut model, &path) {
                assert!(error.to_string().contains("mutated."), "{error}");
                refused += 1;
            }
        }
        println!("{ending}: {refused} of {count} refused");
        assert!(refused > 0);
    }
}
