//! The corpus of the fuzz targets (`fuzz/`), through the same functions, as it is and with bytes changed: no panic,
//! whatever the bytes. `SEEDBED_MUTATIONS` sets how many changes per file.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the targets use them from outside")]
mod fuzz;
mod mutation;

/// The files in a folder, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn no_file_of_the_corpus_makes_a_parser_panic() {
    let strangers = ["tests/interop/goldens", "crates/data/tests/fixtures/own"].map(files).concat();
    for (name, target) in fuzz::TARGETS {
        let corpus = files(&format!("fuzz/corpus/{name}"));
        assert!(!corpus.is_empty(), "{name} has a corpus");
        // A file of another format is as hostile as any.
        for path in corpus.iter().chain(&strangers) {
            let Ok(bytes) = fs::read(path) else { continue };
            println!("{name}: {}", path.display());
            target(&bytes);
        }
        let mut state = 0x5eed;
        for path in &corpus {
            let Ok(bytes) = fs::read(path) else { continue };
            println!("{name}: {} changed", path.display());
            (0..mutation::count(200)).for_each(|_| target(&mutation::mutated(&bytes, &mut state)));
        }
    }
}
