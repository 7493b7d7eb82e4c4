//! The names by which datasets are asked for.

use std::fmt;
use std::str::FromStr;

use crate::catalog::{self, Entry};
use crate::error::DataError;

/// The name of a dataset, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
}

impl DataName {
    /// Every name, in the order in which lists show them.
    pub const ALL: [DataName; 5] =
        [DataName::Auto, DataName::Mnist, DataName::FashionMnist, DataName::Kmnist, DataName::Digits];

    /// The name as it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            DataName::Auto => "auto",
            DataName::Digits => "digits",
            DataName::Mnist => catalog::MNIST.name,
            DataName::FashionMnist => catalog::FASHION_MNIST.name,
            DataName::Kmnist => catalog::KMNIST.name,
        }
    }

    /// What the catalogue knows of it; nothing for `auto` and for the built-in digits.
    pub fn entry(self) -> Option<&'static Entry> {
        match self {
            DataName::Auto | DataName::Digits => None,
            DataName::Mnist => Some(&catalog::MNIST),
            DataName::FashionMnist => Some(&catalog::FASHION_MNIST),
            DataName::Kmnist => Some(&catalog::KMNIST),
        }
    }
}

impl fmt::Display for DataName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DataName {
    type Err = DataError;

    /// Upper and lower case, `_` and `-` mean the same.
    fn from_str(given: &str) -> Result<DataName, DataError> {
        let plain = given.trim().to_lowercase().replace(['_', ' '], "-");
        DataName::ALL.into_iter().find(|name| name.as_str() == plain).ok_or_else(|| DataError::UnknownName {
            given: given.to_owned(),
            known: DataName::ALL.map(DataName::as_str).join(", "),
            nearest: nearest(&plain),
        })
    }
}

/// The known name most like `given`, if any is much like it.
fn nearest(given: &str) -> Option<&'static str> {
    let likeness = |name: DataName| strsim::jaro_winkler(given, name.as_str());
    let best = DataName::ALL.into_iter().max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.7).then(|| best.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in DataName::ALL {
            assert_eq!(name.as_str().parse::<DataName>().unwrap(), name);
        }
        assert_eq!("Fashion_MNIST".parse::<DataName>().unwrap(), DataName::FashionMnist);
    }

    #[test]
    fn unknown_names_get_the_list_and_the_nearest() {
        let message = |given: &str| given.parse::<DataName>().unwrap_err().to_string();
        let list = "known are auto, mnist, fashion-mnist, kmnist, digits";
        assert_eq!(message("mnits"), format!("unknown dataset \"mnits\"; {list}. Did you mean \"mnist\"?"));
        assert_eq!(
            message("fashion"),
            format!("unknown dataset \"fashion\"; {list}. Did you mean \"fashion-mnist\"?")
        );
        assert_eq!(message("xyz"), format!("unknown dataset \"xyz\"; {list}"));
    }
}
