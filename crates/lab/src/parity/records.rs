//! Keras's records, as text: the ones that the program carries, or those of a folder.

use crate::error::LabError;
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;

/// Every file of `benches/peers/fixtures/parity` and `…/layers`, packed by `build.rs`.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/records.rs"));

/// Where the records are.
#[derive(Clone, Copy, Debug)]
pub enum Records<'a> {
    /// In the program.
    BuiltIn,
    /// In a folder like `benches/peers/fixtures` of Seedbed's sources.
    Folder(&'a Path),
}

impl Records<'_> {
    /// The file `name`, such as `parity/losses.json`.
    pub(super) fn text(self, name: &str) -> Result<String, LabError> {
        match self {
            Self::BuiltIn => built_in(name),
            Self::Folder(folder) => {
                let path = folder.join(name);
                std::fs::read_to_string(&path).map_err(LabError::io("read Keras's records", &path))
            }
        }
    }
}

fn built_in(name: &str) -> Result<String, LabError> {
    let refused = |problem: String| LabError::Records { file: name.to_owned(), problem };
    let (_, packed) = BUILT_IN
        .iter()
        .find(|(file, _)| *file == name)
        .ok_or_else(|| refused("not one of the files that were built in".to_owned()))?;
    let mut text = String::new();
    GzDecoder::new(*packed).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::GROUPS;

    /// `fits.json` is replayed by `tests/keras_fit.rs` alone: its callbacks are written there.
    #[test]
    fn every_file_is_replayed() {
        let mut replayed: Vec<&str> =
            GROUPS.iter().map(|group| group.file).chain(["parity/fits.json"]).collect();
        let mut files: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        replayed.sort_unstable();
        files.sort_unstable();
        assert_eq!(replayed, files);
    }

    #[test]
    fn built_in_is_what_the_folder_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/peers/fixtures");
        for (name, _) in BUILT_IN {
            let built_in = Records::BuiltIn.text(name).unwrap();
            assert!(built_in == Records::Folder(&folder).text(name).unwrap(), "{name}");
        }
        assert!(Records::BuiltIn.text("parity/none.json").is_err());
    }
}
