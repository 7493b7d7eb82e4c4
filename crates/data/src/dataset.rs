//! A dataset: training and test pictures, the names of their classes, and where they came from.

use std::fmt;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::name::DataName;
use crate::pictures::Pictures;

/// Training and test pictures with what a report says about them.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// What it is asked for by: `mnist`, `digits`, …, or a path, with everything that was left to defaults spelled out.
    pub name: DataName,
    /// The name as a sentence writes it: `MNIST`, `built-in digits`, …
    pub title: String,
    /// Where the pictures were found.
    pub source: Source,
    /// The name of each class; its length is the number of classes.
    pub class_names: Vec<String>,
    /// What a network learns from.
    pub train: Pictures,
    /// What it is judged on.
    pub test: Pictures,
}

impl Dataset {
    /// SHA-256 over the content: shapes, numbers, labels and weights of both parts, 64 hexadecimal digits. Equal content gives
    /// equal fingerprints wherever it was found. Reads every byte, about 30 ms for MNIST.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.train, &self.test] {
            for size in [part.count, part.height, part.width, part.channels] {
                hash.update((size as u64).to_le_bytes());
            }
            match &part.numbers {
                Some(numbers) => numbers.iter().for_each(|number| hash.update(number.to_le_bytes())),
                None => hash.update(&part.pixels),
            }
            let labels: Vec<u8> = part.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
            hash.update(&labels);
            part.weights.iter().flatten().for_each(|weight| hash.update(weight.to_le_bytes()));
        }
        crate::hash::hex(hash.finalize().as_slice())
    }
}

/// Where pictures came from. Its `Display` finishes the sentence "the pictures come from …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files in a folder the user named.
    Folder(PathBuf),
    /// A file the user named.
    File(PathBuf),
    /// Files fetched by an earlier run.
    Cache(PathBuf),
    /// Files fetched just now.
    Downloaded {
        /// Address of the mirror.
        mirror: String,
        /// The folder they are kept in.
        folder: PathBuf,
    },
    /// Drawn on the spot by this crate.
    BuiltIn,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Folder(folder) => write!(f, "the folder {}", folder.display()),
            Source::File(file) => write!(f, "the file {}", file.display()),
            Source::Cache(folder) => write!(f, "the cache folder {}", folder.display()),
            Source::Downloaded { mirror, folder } => write!(f, "{mirror}, now kept in {}", folder.display()),
            Source::BuiltIn => write!(f, "Seedbed itself, which draws them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset() -> Dataset {
        let part = Pictures::new([1, 2, 1], vec![1, 2, 3, 4], vec![0, 1], 2).unwrap();
        Dataset {
            name: DataName::Digits,
            title: "Two".into(),
            source: Source::BuiltIn,
            class_names: vec!["a".into(), "b".into()],
            train: part.clone(),
            test: part,
        }
    }

    #[test]
    fn the_fingerprint_depends_on_content_alone() {
        let original = dataset().fingerprint();
        let elsewhere = Dataset { source: Source::Folder("x".into()), ..dataset() };
        assert_eq!(elsewhere.fingerprint(), original);

        type Change = fn(&mut Dataset);
        let changes: [Change; 4] = [
            |d| d.train.pixels[0] = 9,
            |d| d.test.pixels[3] = 9,
            |d| d.train.labels[1] = 0,
            |d| (d.train.height, d.train.width) = (2, 1),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut changed = dataset();
            change(&mut changed);
            assert_ne!(changed.fingerprint(), original, "change {index}");
        }
    }
}
