//! The options that say which data, and loading them with progress on stderr.

use crate::arguments::Name;
use crate::exit::UsageError;
use crate::terminal::Terminal;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use seedbed::data::{self, DataName, Finder, Loaded, Progress};
use seedbed::lab::prepared;
use seedbed::lab::recipe::Recipe;
use seedbed::nn::examples::Normalization;
use std::path::PathBuf;

/// Which data, and where they may be.
#[derive(Debug, Args)]
pub(crate) struct DataOptions {
    /// The dataset; `auto` is MNIST where it can be had, otherwise the built-in digits. Or the path of your own data:
    /// a .npz or .csv file, or a folder of pictures in one folder per class
    #[arg(long, value_name = "NAME|PATH", value_parser = Name::<DataName>::of(&DATA_NAMES))]
    pub(crate) data: Option<DataName>,

    #[command(flatten)]
    pub(crate) own: OwnOptions,

    #[command(flatten)]
    pub(crate) place: DataPlace,
}

/// How your own data are to be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Your own data")]
pub(crate) struct OwnOptions {
    /// The column of a CSV file that holds the labels; `label`, `class` or the first by default
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,

    /// The column of a CSV file, or the array of an NPZ file, that says what each training sample weighs
    #[arg(long, value_name = "COLUMN|ARRAY")]
    weight: Option<String>,

    /// What a row of numbers is in truth, as in 28x28 or 32x32x3
    #[arg(long, value_name = "HxW[xC]", value_parser = shape)]
    sample_shape: Option<Vec<usize>>,

    /// The share of every class that is kept for the test, where the data have no test set; 0.2 by default
    #[arg(long, allow_negative_numbers = true, value_name = "F")]
    test_fraction: Option<f64>,

    /// The seed that decides which samples these are; 0 by default
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    split_seed: Option<u64>,
}

/// Lengths of axes, as in 28x28.
fn shape(text: &str) -> Result<Vec<usize>, String> {
    let axes: Result<Vec<usize>, _> = text.split(['x', '×']).map(str::parse).collect();
    axes.map_err(|_| "expected lengths of axes, as in 28x28 or 32x32x3".to_owned())
}

impl OwnOptions {
    /// The name with these options.
    pub(crate) fn apply(&self, name: DataName) -> anyhow::Result<DataName> {
        let DataName::Own(mut own) = name else {
            let given = [
                ("--label", self.label.is_some()),
                ("--weight", self.weight.is_some()),
                ("--sample-shape", self.sample_shape.is_some()),
                ("--test-fraction", self.test_fraction.is_some()),
                ("--split-seed", self.split_seed.is_some()),
            ];
            return match given.iter().find(|(_, given)| *given) {
                Some((option, _)) => Err(UsageError(format!(
                    "{option}: expected a path to data of your own with it (--data PATH), received {name}"
                ))
                .into()),
                None => Ok(name),
            };
        };
        own.label = self.label.clone().or(own.label);
        own.weight = self.weight.clone().or(own.weight);
        own.sample_shape = self.sample_shape.clone().or(own.sample_shape);
        own.test_fraction = self.test_fraction.or(own.test_fraction);
        own.split_seed = self.split_seed.unwrap_or(own.split_seed);
        own.validate().map_err(|error| UsageError(error.to_string()))?;
        Ok(DataName::Own(own))
    }
}

/// What is done to the data before a model sees them.
#[derive(Debug, Args)]
pub(crate) struct NormalizationOption {
    /// What bytes and numbers become, instead of what the model file says; a Keras file says nothing and has `bytes`:
    /// bytes divided by 255, other numbers as they are; or `none`, where its model has a layer that scales bytes
    #[arg(long, value_name = "NAME", value_parser = Name::<Normalization>::of(&Normalization::NAMES))]
    normalization: Option<Normalization>,
}

impl NormalizationOption {
    pub(crate) fn apply(&self, recipe: &mut Recipe) {
        recipe.data.normalization = self.normalization.unwrap_or(recipe.data.normalization);
    }
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
    /// What the options name, or `otherwise` where they name nothing, read as they say.
    pub(crate) fn name(&self, otherwise: DataName) -> anyhow::Result<DataName> {
        self.own.apply(self.data.clone().unwrap_or(otherwise))
    }

    /// Where `--data` was said, gives a recipe the sizes of what was loaded: its file may have been written for other data.
    /// Whether anything was changed.
    pub(crate) fn infer_sizes(&self, recipe: &mut Recipe, loaded: &Loaded, terminal: &Terminal) -> bool {
        let changed = self.data.as_ref().and_then(|_| prepared::infer_sizes(recipe, &loaded.dataset));
        changed.iter().for_each(|said| terminal.log(said));
        changed.is_some()
    }

    /// Loads the data of that name, or of `otherwise` where no option names any.
    pub(crate) fn load(&self, otherwise: DataName, terminal: &Terminal) -> anyhow::Result<Loaded> {
        self.place.load(&self.name(otherwise)?, terminal)
    }
}

impl DataPlace {
    /// Loads a dataset.
    pub(crate) fn load(&self, name: &DataName, terminal: &Terminal) -> anyhow::Result<Loaded> {
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
        assert_eq!(DataName::ALL.map(|name| name.to_string()), DATA_NAMES);
    }

    #[test]
    fn shapes_are_read() {
        assert_eq!((shape("28x28"), shape("32×32×3")), (Ok(vec![28, 28]), Ok(vec![32, 32, 3])));
        assert!(["", "x", "28x", "-1x2", "28,28"].iter().all(|text| shape(text).is_err()));
    }
}
