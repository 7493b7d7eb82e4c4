//! The options that say which data, and loading them with progress on stderr.

use crate::arguments::Name;
use crate::terminal::Terminal;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use seedbed::data::{self, DataName, Finder, Loaded, Progress};
use std::path::PathBuf;

/// Which data, and where they may be.
#[derive(Debug, Args)]
pub(crate) struct DataOptions {
    /// The dataset; `auto` is MNIST where it can be had, otherwise the built-in digits
    #[arg(long, value_name = "NAME", value_parser = Name::<DataName>::of(&DATA_NAMES))]
    pub(crate) data: Option<DataName>,

    #[command(flatten)]
    pub(crate) place: DataPlace,
}

/// Where data may be.
#[derive(Debug, Args)]
pub(crate) struct DataPlace {
    /// A folder with one subfolder per dataset, searched before $SEEDBED_DATA and the cache
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What `--data` takes.
pub(crate) const DATA_NAMES: [&str; 5] = ["auto", "mnist", "fashion-mnist", "kmnist", "digits"];

impl DataPlace {
    pub(crate) fn finder(&self) -> Finder {
        Finder::from_env(self.data_dir.clone())
    }
}

impl DataOptions {
    /// Loads the data of that name, or of `otherwise` where no option names any.
    pub(crate) fn load(&self, otherwise: DataName, terminal: &Terminal) -> anyhow::Result<Loaded> {
        self.place.load(self.data.unwrap_or(otherwise), terminal)
    }
}

impl DataPlace {
    /// Loads a dataset.
    pub(crate) fn load(&self, name: DataName, terminal: &Terminal) -> anyhow::Result<Loaded> {
        Ok(with_progress(terminal, |progress| data::load(name, &self.finder(), progress))?)
    }
}

/// Runs `work` and shows which file is arriving.
pub(crate) fn with_progress<T>(terminal: &Terminal, work: impl FnOnce(&mut dyn FnMut(Progress)) -> T) -> T {
    let mut arriving: Option<(String, ProgressBar)> = None;
    let result = work(&mut |progress| {
        if let Progress::Receiving { url, received, total } = progress
            && !terminal.quiet()
        {
            if arriving.as_ref().is_none_or(|(known, _)| *known != url) {
                terminal.log(&format!("fetching {url}"));
                arriving = Some((url, bar(total)));
            }
            if let Some((_, bar)) = &arriving {
                bar.set_position(received);
            }
        }
    });
    if let Some((_, bar)) = arriving {
        bar.finish_and_clear();
    }
    result
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bytes:>10} of {total_bytes} {bar:20.green/dim} {eta}");
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dataset_can_be_asked_for() {
        assert_eq!(DataName::ALL.map(DataName::as_str), DATA_NAMES);
    }
}
