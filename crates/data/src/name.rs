//! The names by which datasets are asked for: those of the catalogue, and paths to a person's own data.

use std::fmt;
use std::str::FromStr;

use crate::catalog::{self, Entry};
use crate::error::DataError;
use crate::own::{self, OwnData};

/// The name of a dataset, `auto`, or a person's own data.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DataName {
    /// MNIST where it is at hand or can be fetched, otherwise the built-in digits.
    #[default]
    Auto,
    /// MNIST, never anything else.
    Mnist,
    /// Fashion-MNIST.
    FashionMnist,
    /// KMNIST.
    Kmnist,
    /// The built-in digits.
    Digits,
    /// A file or folder of the user's.
    Own(OwnData),
}

impl DataName {
    /// Every name of the catalogue, in the order in which lists show them.
    pub const ALL: [DataName; 5] =
        [DataName::Auto, DataName::Mnist, DataName::FashionMnist, DataName::Kmnist, DataName::Digits];

    /// The name as it is written on the command line and in files; nothing for a person's own data, which have a path.
    pub fn known(&self) -> Option<&'static str> {
        match self {
            DataName::Auto => Some("auto"),
            DataName::Digits => Some("digits"),
            DataName::Own(_) => None,
            named => named.entry().map(|entry| entry.name),
        }
    }

    /// What the catalogue knows of it; nothing for `auto`, the built-in digits and a person's own data.
    pub fn entry(&self) -> Option<&'static Entry> {
        match self {
            DataName::Auto | DataName::Digits | DataName::Own(_) => None,
            DataName::Mnist => Some(&catalog::MNIST),
            DataName::FashionMnist => Some(&catalog::FASHION_MNIST),
            DataName::Kmnist => Some(&catalog::KMNIST),
        }
    }
}

impl fmt::Display for DataName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataName::Own(own) => own.path.display().fmt(f),
            named => f.write_str(named.known().unwrap_or_default()),
        }
    }
}

impl FromStr for DataName {
    type Err = DataError;

    /// Upper and lower case, `_` and `-` mean the same. What has a `/` in it, or ends as a data file does, is a path.
    fn from_str(given: &str) -> Result<DataName, DataError> {
        if is_path(given) {
            return Ok(DataName::Own(OwnData::at(given)));
        }
        let plain = given.trim().to_lowercase().replace(['_', ' '], "-");
        let known = names();
        DataName::ALL.into_iter().find(|name| name.known() == Some(&plain)).ok_or_else(|| {
            DataError::UnknownName {
                given: given.to_owned(),
                known: known.join(", "),
                nearest: nearest(&plain, &known),
            }
        })
    }
}

/// The names of the catalogue.
fn names() -> Vec<&'static str> {
    DataName::ALL.iter().filter_map(DataName::known).collect()
}

/// Whether `given` can only be a path.
fn is_path(given: &str) -> bool {
    let ending = given.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    given.contains(['/', '\\']) || ending.is_some_and(|ending| own::ENDINGS.contains(&ending.as_str()))
}

/// The known name most like `given`, if any is much like it.
fn nearest(given: &str, known: &[&'static str]) -> Option<&'static str> {
    let likeness = |name: &str| strsim::jaro_winkler(given, name);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.7).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in DataName::ALL {
            assert_eq!(name.to_string().parse::<DataName>().unwrap(), name);
        }
        assert_eq!("Fashion_MNIST".parse::<DataName>().unwrap(), DataName::FashionMnist);
    }

    #[test]
    fn paths_are_told_from_names() {
        for path in ["./flowers", "flowers/", "a/b", "iris.csv", "MY.NPZ", "c:\\pictures"] {
            let name = path.parse::<DataName>().unwrap();
            assert_eq!((name.to_string().as_str(), name.entry()), (path, None));
            assert!(matches!(name, DataName::Own(_)), "{path}");
        }
        assert!("flowers".parse::<DataName>().is_err());
    }

    #[test]
    fn unknown_names_get_the_list_and_the_nearest() {
        let message = |given: &str| given.parse::<DataName>().unwrap_err().to_string();
        let list = "known are auto, mnist, fashion-mnist, kmnist, digits; files and folders of your own are \
                    written as paths, as in ./mine or mine.csv";
        assert_eq!(message("mnits"), format!("unknown dataset \"mnits\"; {list}. Did you mean \"mnist\"?"));
        assert_eq!(
            message("fashion"),
            format!("unknown dataset \"fashion\"; {list}. Did you mean \"fashion-mnist\"?")
        );
        assert_eq!(message("xyz"), format!("unknown dataset \"xyz\"; {list}"));
    }
}
