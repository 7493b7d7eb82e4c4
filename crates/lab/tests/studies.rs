//! The ready-made studies can be read, checked against digits, and planned.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use seedbed_data::{DataName, Finder};
use seedbed_lab::study::Study;
use seedbed_lab::study::file::StudyFile;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name != "baseline.toml"));
    files.sort();
    files
}

#[test]
fn every_ready_made_study_works() {
    let loaded = seedbed_data::load(&DataName::Digits, &Finder::default(), &mut |_| {}).unwrap();
    let mut variants = Vec::new();
    for path in files() {
        let file = StudyFile::read(&path).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(file.name.as_str()));
        assert!(file.seeds.len() >= 2 && file.question.ends_with(['.', '?']), "{}", file.name);
        let study = Study::new(file).unwrap();
        study.check(&loaded.dataset).unwrap();
        study.planned().unwrap();
        assert_eq!(study.variants[0].name, "baseline");
        let again = StudyFile::parse(&study.file.to_toml(), Path::new(".")).unwrap();
        assert_eq!(Study::new(again).unwrap(), study, "written down and read again it is the same study");
        variants.push((study.file.name, study.variants.len()));
    }
    let count = |name: &str| variants.iter().find(|(study, _)| study == name).map(|(_, count)| *count);
    for (name, expected) in [
        ("initialization", 9),
        ("dropout", 6),
        ("main-effects", 9),
        ("landscape", 61),
        ("dropout-by-width", 9),
    ] {
        assert_eq!(count(name), Some(expected), "{name}");
    }
    assert_eq!(count("everything"), Some(24));
}
