//! The corpus of the fuzz targets (`fuzz/`), through the same functions, as it is and with bytes changed: no panic,
//! whatever the bytes. `SEEDBED_MUTATIONS` sets how many changes per seed.

use std::fs::{self, File};
use std::io::Read;
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

/// What the fuzzer found on its way, one input for each part of a parser that it reached.
fn found(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fuzz/corpus/{name}.zip"));
    let archive = File::open(path).ok().and_then(|file| zip::ZipArchive::new(file).ok());
    let mut archive = archive.unwrap_or_else(|| panic!("{name} has an archive"));
    let count = archive.len();
    let member = |index| {
        let mut bytes = Vec::new();
        let read = archive.by_index(index).ok().and_then(|mut file| file.read_to_end(&mut bytes).ok());
        assert!(read.is_some(), "{name}: member {index} is whole");
        bytes
    };
    (0..count).map(member).collect()
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
        let found = found(name);
        println!("{name}: {} that were found", found.len());
        for bytes in found {
            target(&bytes);
            target(&mutation::mutated(&bytes, &mut state));
        }
    }
}
