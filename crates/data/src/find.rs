//! From a name to pictures: the user's folders, the cache, the mirrors, and for `auto` the built-in digits.

use std::path::PathBuf;

use crate::catalog::{self, Entry};
use crate::dataset::{Dataset, Source};
use crate::digits;
use crate::error::DataError;
use crate::folder::{self, Content};
use crate::name::DataName;

/// Where to look, in this order.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// A folder the user named: one subfolder per dataset, because the datasets' files share their names.
    pub data_dir: Option<PathBuf>,
    /// The folder `$SEEDBED_DATA` names, laid out the same way.
    pub seedbed_data: Option<PathBuf>,
}

/// A dataset, and what the user must be told about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The pictures.
    pub dataset: Dataset,
    /// To be shown loudly wherever results are shown: the data are not what one would expect.
    pub notice: Option<String>,
}

/// What a long load is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {}

impl Finder {
    /// The usual places: `data_dir` if given, then the environment's.
    pub fn from_env(data_dir: Option<PathBuf>) -> Finder {
        let seedbed_data =
            std::env::var_os("SEEDBED_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
        Finder { data_dir, seedbed_data }
    }

    fn folders(&self, entry: &Entry) -> Vec<PathBuf> {
        [&self.data_dir, &self.seedbed_data]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(entry.name))
            .collect()
    }
}

/// Loads a dataset by name.
///
/// # Errors
/// Any [`DataError`]; files that are there but damaged are an error, never a reason to look elsewhere.
pub fn load(
    name: DataName,
    finder: &Finder,
    _progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    if name == DataName::Digits {
        return Ok(digits(None));
    }
    load_entry(name.entry().unwrap_or(&catalog::MNIST), finder)
}

fn load_entry(entry: &'static Entry, finder: &Finder) -> Result<Loaded, DataError> {
    for folder in finder.folders(entry) {
        if folder::holds(entry, &folder)? {
            let content = folder::read(entry, &folder)?;
            return Ok(loaded(entry, Source::Folder(folder), content));
        }
    }
    Err(DataError::NotFound { title: entry.title, tried: vec![], how: String::new() })
}

fn digits(notice: Option<String>) -> Loaded {
    let dataset = Dataset {
        name: DataName::Digits.to_string(),
        title: "built-in digits".to_owned(),
        source: Source::BuiltIn,
        class_names: catalog::MNIST.class_names.map(str::to_owned).to_vec(),
        train: digits::train(),
        test: digits::test(),
    };
    Loaded { dataset, notice }
}

fn loaded(entry: &Entry, source: Source, content: Content) -> Loaded {
    let notice = (!content.verified).then(|| {
        format!(
            "{} from {source} was checked for its structure only: its compressed files are not those the catalogue \
             knows.",
            entry.title
        )
    });
    let dataset = Dataset {
        name: entry.name.to_owned(),
        title: entry.title.to_owned(),
        source,
        class_names: entry.class_names.map(str::to_owned).to_vec(),
        train: content.train,
        test: content.test,
    };
    Loaded { dataset, notice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnist_loads_where_it_is() {
        let finder = Finder::from_env(None);
        if !finder.folders(&catalog::MNIST).iter().any(|folder| folder.is_dir()) {
            eprintln!("skipped: set SEEDBED_DATA to a folder that holds mnist/ to run this test");
            return;
        }
        let start = std::time::Instant::now();
        let Loaded { dataset, notice } = load(DataName::Auto, &finder, &mut |_| {}).unwrap();
        eprintln!("{:?}", start.elapsed());
        assert_eq!((dataset.name.as_str(), notice), ("mnist", None));
        assert_eq!((dataset.train.count, dataset.test.count), (60_000, 10_000));
        // The first and last labels as every tutorial prints them.
        assert_eq!(dataset.train.labels[..3], [5, 0, 4]);
        assert_eq!(dataset.train.labels[59_997..], [5, 6, 8]);
        // The mean and standard deviation everybody normalizes by: 0.1307 and 0.3081 of 255.
        let statistics = dataset.train.statistics();
        assert!((statistics.mean / 255.0 - 0.1307).abs() < 5e-5);
        assert!((statistics.std / 255.0 - 0.3081).abs() < 5e-5);
        let start = std::time::Instant::now();
        dataset.fingerprint();
        eprintln!("{:?} {:?}", start.elapsed(), statistics);
    }
}
