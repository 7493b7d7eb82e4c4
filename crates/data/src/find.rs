//! From a name to pictures: the user's folders, the cache, the mirrors, and for `auto` the built-in digits.

use std::path::{Path, PathBuf};

use crate::cache;
use crate::catalog::{self, Entry, File};
use crate::dataset::{Dataset, Source};
use crate::digits;
use crate::download::{self, Patience};
use crate::error::DataError;
use crate::folder::{self, Content};
use crate::name::DataName;
use crate::own;
use crate::progress::Progress;

/// Where to look, in the order of the fields.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// A folder the user named: one subfolder per dataset (`mnist`, `fashion-mnist`, `kmnist`), because the
    /// datasets' files share their names.
    pub data_dir: Option<PathBuf>,
    /// The folder `$SEEDBED_DATA` names, laid out the same way.
    pub seedbed_data: Option<PathBuf>,
    /// The folder for fetched files, laid out the same way. Without it nothing is fetched.
    pub cache_dir: Option<PathBuf>,
    /// Stay off the network.
    pub offline: bool,
}

/// A dataset, and what the user must be told about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The pictures.
    pub dataset: Dataset,
    /// To be shown loudly wherever results are shown: the data are not what one would expect.
    pub notice: Option<String>,
}

/// The addresses to fetch from, and how long to wait for them.
struct Network {
    mirrors: Vec<String>,
    patience: Patience,
}

impl Finder {
    /// The usual places: `data_dir` if given, `$SEEDBED_DATA` if set, the user's cache folder, the mirrors.
    pub fn from_env(data_dir: Option<PathBuf>) -> Finder {
        let seedbed_data =
            std::env::var_os("SEEDBED_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
        Finder { data_dir, seedbed_data, cache_dir: cache::usual_folder(), offline: false }
    }

    /// The user's folders for a dataset.
    fn folders(&self, entry: &Entry) -> Vec<PathBuf> {
        [&self.data_dir, &self.seedbed_data]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(entry.name))
            .collect()
    }

    fn network(&self, entry: &Entry, patience: Patience) -> Network {
        let mirrors = if self.offline { &[] } else { entry.mirrors };
        Network { mirrors: mirrors.iter().map(|&mirror| mirror.to_owned()).collect(), patience }
    }
}

/// Loads a dataset by name. `progress` is called while files arrive.
///
/// # Errors
/// - [`DataError::NotFound`] if it is nowhere and cannot be fetched; never for `auto` and `digits`.
/// - [`DataError::Malformed`], [`DataError::Incomplete`] or [`DataError::Io`] if one of the user's folders holds it
///   damaged: that is never a reason to look elsewhere.
///
/// ```
/// use seedbed_data::{DataName, Finder, load};
/// let loaded = load(&DataName::Digits, &Finder::default(), &mut |_| {})?;
/// assert_eq!(loaded.dataset.train.count, 60_000);
/// assert_eq!(loaded.dataset.source.to_string(), "Seedbed itself, which draws them");
/// # Ok::<(), seedbed_data::DataError>(())
/// ```
pub fn load(
    name: &DataName,
    finder: &Finder,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    match (name, name.entry()) {
        (DataName::Digits, _) => Ok(digits(None)),
        (DataName::Own(own), _) => {
            let dataset = own::load(own, finder.cache_dir.as_deref())?;
            Ok(Loaded { dataset, notice: None })
        }
        (name, Some(entry)) => {
            load_entry((name, entry), finder, &finder.network(entry, Patience::ASKED), progress)
        }
        (_, None) => {
            let entry = &catalog::MNIST;
            let network = finder.network(entry, Patience::CASUAL);
            match load_entry((&DataName::Mnist, entry), finder, &network, progress) {
                Err(DataError::NotFound { title, tried, .. }) => Ok(digits(Some(instead_of(title, &tried)))),
                settled => settled,
            }
        }
    }
}

/// Where [`load`] would find a dataset without fetching it. Files are looked for, not read.
///
/// # Errors
/// [`DataError::Incomplete`] if one of the user's folders holds only some of its files.
pub fn locate(name: &DataName, finder: &Finder) -> Result<Option<Source>, DataError> {
    let Some(entry) = name.entry() else {
        return Ok(match name {
            DataName::Digits => Some(Source::BuiltIn),
            DataName::Own(own) => own.source(),
            _ => None,
        });
    };
    for folder in finder.folders(entry) {
        if folder::holds(entry, &folder)? {
            return Ok(Some(Source::Folder(folder)));
        }
    }
    let cache = finder.cache_dir.as_ref().map(|cache| cache.join(entry.name));
    Ok(cache.filter(|folder| folder::missing(entry, folder).is_empty()).map(Source::Cache))
}

/// Brings a dataset into the cache folder unless it is there, verified. `auto` means MNIST.
///
/// # Errors
/// [`DataError::NotFound`] if it cannot be fetched, [`DataError::NothingToFetch`] for the built-in digits.
pub fn fetch(
    name: &DataName,
    finder: &Finder,
    progress: &mut dyn FnMut(Progress),
) -> Result<Source, DataError> {
    let entry = match name {
        DataName::Digits => return Err(DataError::NothingToFetch { title: digits::TITLE.to_owned() }),
        DataName::Own(own) => {
            return Err(DataError::NothingToFetch { title: own.path.display().to_string() });
        }
        _ => name.entry().unwrap_or(&catalog::MNIST),
    };
    let network = finder.network(entry, Patience::ASKED);
    match from_cache_or_mirrors(entry, finder, &network, progress) {
        Ok((source, _)) => Ok(source),
        Err(tried) => Err(not_found(entry, finder, tried)),
    }
}

fn load_entry(
    (name, entry): (&DataName, &Entry),
    finder: &Finder,
    network: &Network,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    let mut tried = Vec::new();
    for folder in finder.folders(entry) {
        if folder::holds(entry, &folder)? {
            let content = folder::read(entry, &folder)?;
            return Ok(loaded(name, entry, Source::Folder(folder), content));
        }
        let found = if folder.is_dir() { "none of its files" } else { "no such folder" };
        tried.push(format!("{}: {found}", folder.display()));
    }
    match from_cache_or_mirrors(entry, finder, network, progress) {
        Ok((source, content)) => Ok(loaded(name, entry, source, content)),
        Err(more) => Err(not_found(entry, finder, [tried, more].concat())),
    }
}

/// The cache is ours: what is damaged in it is fetched again.
///
/// # Errors
/// One line for everything that was tried.
fn from_cache_or_mirrors(
    entry: &Entry,
    finder: &Finder,
    network: &Network,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Source, Content), Vec<String>> {
    let Some(cache) = &finder.cache_dir else {
        return Err(vec!["there is no cache folder to fetch into (no home folder)".to_owned()]);
    };
    let folder = cache.join(entry.name);
    let mut tried = Vec::new();
    if folder::missing(entry, &folder).is_empty() {
        match folder::read(entry, &folder) {
            Ok(content) if content.verified => return Ok((Source::Cache(folder), content)),
            Ok(_) => tried.push(format!("{}: files the catalogue does not know", folder.display())),
            Err(error) => tried.push(error.to_string()),
        }
    } else {
        let missing = folder::missing(entry, &folder).len();
        tried.push(format!(
            "the cache folder {}: {missing} of {} files missing",
            folder.display(),
            entry.files.len()
        ));
    }
    if network.mirrors.is_empty() {
        tried.push("the network: not asked".to_owned());
        return Err(tried);
    }
    let fetched =
        download::fetch(&unsound(entry, &folder), &network.mirrors, &folder, &network.patience, progress);
    let read = |mirror: String| match folder::read(entry, &folder) {
        Ok(content) => Ok((Source::Downloaded { mirror, folder: folder.clone() }, content)),
        Err(error) => Err(vec![error.to_string()]),
    };
    fetched.and_then(read).map_err(|more| [tried, more].concat())
}

/// The files that are missing from the cache or are not what the catalogue says.
fn unsound<'a>(entry: &'a Entry, folder: &Path) -> Vec<&'a File> {
    let sound = |file: &File| folder::read_file(file, folder).is_ok_and(|read| read.verified);
    entry.files.iter().filter(|file| !sound(file)).collect()
}

fn digits(notice: Option<String>) -> Loaded {
    let dataset = Dataset {
        name: DataName::Digits,
        title: digits::TITLE.to_owned(),
        source: Source::BuiltIn,
        class_names: catalog::MNIST.class_names.map(str::to_owned).to_vec(),
        train: digits::train(),
        test: digits::test(),
    };
    Loaded { dataset, notice }
}

fn loaded(name: &DataName, entry: &Entry, source: Source, content: Content) -> Loaded {
    let notice = (!content.verified).then(|| {
        format!(
            "{} from {source} could only be checked for its structure: the files are not those the catalogue knows, \
             and may be another dataset under the same file names.",
            entry.title
        )
    });
    let dataset = Dataset {
        name: name.clone(),
        title: entry.title.to_owned(),
        source,
        class_names: entry.class_names.map(str::to_owned).to_vec(),
        train: content.train,
        test: content.test,
    };
    Loaded { dataset, notice }
}

/// What `auto` says when it falls back.
fn instead_of(title: &str, tried: &[String]) -> String {
    format!(
        "This is NOT {title}: {title} is not on this machine and could not be fetched, so these are Seedbed's {}, \
         pictures drawn by a program. Results on them are not results on {title}. Tried: {}.",
        digits::TITLE,
        tried.join("; ")
    )
}

fn not_found(entry: &Entry, finder: &Finder, tried: Vec<String>) -> DataError {
    let files = entry.files.each_ref().map(File::gz_name).join(", ");
    let folder = finder.data_dir.as_ref().or(finder.seedbed_data.as_ref());
    let folder = folder.map_or_else(|| "DIR".to_owned(), |folder| folder.display().to_string());
    let how = format!(
        "To get it by hand: download {files} from {}, put them into {folder}/{}, and name {folder} with --data-dir or \
         SEEDBED_DATA.",
        entry.mirrors.join(" or "),
        entry.name
    );
    DataError::NotFound { title: entry.title, tried, how }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{HASTY, Reply, gzip, honest, send, serve, tiny, tiny_entry};
    use std::fs;
    use std::net::TcpStream;

    fn gone(_: &str, _: usize, connection: &mut TcpStream) {
        send(connection, "404 Not Found", b"");
    }

    fn served_by(reply: Reply) -> Network {
        Network { mirrors: vec![serve(reply)], patience: HASTY }
    }

    /// Puts the tiny dataset into `folder`/tiny.
    fn put(folder: &Path) {
        let folder = folder.join("tiny");
        fs::create_dir_all(&folder).unwrap();
        for (file, bytes) in tiny_entry(true).files.iter().zip(tiny()) {
            fs::write(folder.join(file.gz_name()), gzip(&bytes)).unwrap();
        }
    }

    fn finder(root: &Path) -> Finder {
        let [data_dir, seedbed_data, cache_dir] = ["data", "env", "cache"].map(|name| Some(root.join(name)));
        Finder { data_dir, seedbed_data, cache_dir, offline: false }
    }

    fn source(finder: &Finder, network: &Network) -> Result<Source, DataError> {
        load_entry((&DataName::Mnist, &tiny_entry(true)), finder, network, &mut |_| {})
            .map(|loaded| loaded.dataset.source)
    }

    #[test]
    fn places_are_searched_in_order() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name).join("tiny");
        let finder = finder(root.path());
        let network = served_by(honest);
        let downloaded = Source::Downloaded { mirror: network.mirrors[0].clone(), folder: path("cache") };
        assert_eq!(source(&finder, &network).unwrap(), downloaded);
        assert_eq!(source(&finder, &network).unwrap(), Source::Cache(path("cache")));
        put(&root.path().join("env"));
        assert_eq!(source(&finder, &network).unwrap(), Source::Folder(path("env")));
        put(&root.path().join("data"));
        assert_eq!(source(&finder, &network).unwrap(), Source::Folder(path("data")));
    }

    #[test]
    fn damage_in_the_users_folder_is_an_error_and_nothing_else_is_tried() {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("env"));
        fs::write(root.path().join("env/tiny/t10k-labels-idx1-ubyte.gz"), b"\x1f\x8b").unwrap();
        let error = source(&finder(root.path()), &served_by(honest)).unwrap_err();
        assert!(error.is_damage() && error.to_string().contains("t10k-labels-idx1-ubyte.gz"), "{error}");
        fs::remove_file(root.path().join("env/tiny/t10k-labels-idx1-ubyte.gz")).unwrap();
        assert!(matches!(
            source(&finder(root.path()), &served_by(honest)),
            Err(DataError::Incomplete { .. })
        ));
    }

    #[test]
    fn damage_in_the_cache_is_repaired() {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("cache"));
        let file = root.path().join("cache/tiny/train-labels-idx1-ubyte.gz");
        fs::write(&file, b"\x1f\x8b").unwrap();
        let error = source(&finder(root.path()), &served_by(gone)).unwrap_err();
        assert!(
            !error.is_damage() && error.to_string().contains("train-labels-idx1-ubyte.gz: gzip data"),
            "{error}"
        );
        assert!(matches!(source(&finder(root.path()), &served_by(honest)), Ok(Source::Downloaded { .. })));
        assert_eq!(fs::read(&file).unwrap(), gzip(&tiny()[1]));
    }

    #[test]
    fn files_in_the_cache_that_did_not_come_from_a_mirror_are_replaced() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("cache/tiny");
        fs::create_dir_all(&folder).unwrap();
        let entry = tiny_entry(false);
        for (file, bytes) in entry.files.iter().zip(tiny()) {
            fs::write(folder.join(file.stem), bytes).unwrap();
        }
        let loaded =
            load_entry((&DataName::Mnist, &entry), &finder(root.path()), &served_by(honest), &mut |_| {})
                .unwrap();
        assert!(matches!(loaded.dataset.source, Source::Downloaded { .. }) && loaded.notice.is_none());
    }

    #[test]
    fn what_is_nowhere_says_how_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        let finder = Finder { offline: true, ..finder(root.path()) };
        fs::create_dir_all(root.path().join("env/mnist")).unwrap();
        let error = load(&DataName::Mnist, &finder, &mut |_| {}).unwrap_err().to_string();
        let error = error.replace(&root.path().display().to_string(), "ROOT");
        assert_eq!(
            error,
            "MNIST is not on this machine and could not be fetched.\n  \
             - ROOT/data/mnist: no such folder\n  \
             - ROOT/env/mnist: none of its files\n  \
             - the cache folder ROOT/cache/mnist: 4 of 4 files missing\n  \
             - the network: not asked\n\
             To get it by hand: download train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, \
             t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz from \
             https://storage.googleapis.com/cvdf-datasets/mnist/ or https://ossci-datasets.s3.amazonaws.com/mnist/, \
             put them into ROOT/data/mnist, and name ROOT/data with --data-dir or SEEDBED_DATA."
        );
    }

    #[test]
    fn auto_falls_back_loudly() {
        let root = tempfile::tempdir().unwrap();
        let finder = Finder { offline: true, ..finder(root.path()) };
        let Loaded { dataset, notice } = load(&DataName::Auto, &finder, &mut |_| {}).unwrap();
        assert_eq!((dataset.name, dataset.source), (DataName::Digits, Source::BuiltIn));
        let notice = notice.unwrap();
        assert!(
            notice.starts_with("This is NOT MNIST: ") && notice.ends_with("the network: not asked."),
            "{notice}"
        );
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_one_of_the_things_tried() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cache"), "a file where a folder should be").unwrap();
        let error = source(&finder(root.path()), &served_by(honest)).unwrap_err().to_string();
        assert!(error.contains("  - cannot create the folder "), "{error}");
    }

    #[test]
    fn locate_finds_without_reading() {
        let root = tempfile::tempdir().unwrap();
        let finder = finder(root.path());
        assert_eq!(locate(&DataName::Digits, &finder).unwrap(), Some(Source::BuiltIn));
        assert_eq!(locate(&DataName::Kmnist, &finder).unwrap(), None);
        let folder = root.path().join("cache/kmnist");
        fs::create_dir_all(&folder).unwrap();
        for file in &catalog::KMNIST.files {
            fs::write(folder.join(file.stem), "").unwrap();
        }
        assert_eq!(locate(&DataName::Kmnist, &finder).unwrap(), Some(Source::Cache(folder)));
    }

    #[test]
    fn the_built_in_digits_cannot_be_fetched() {
        let error = fetch(&DataName::Digits, &Finder::default(), &mut |_| {}).unwrap_err().to_string();
        assert_eq!(error, "there is nothing to fetch: built-in digits are at hand");
    }

    #[test]
    fn files_of_another_compressor_are_noticed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data/tiny");
        fs::create_dir_all(&folder).unwrap();
        for (file, bytes) in tiny_entry(false).files.iter().zip(tiny()) {
            fs::write(folder.join(file.stem), bytes).unwrap();
        }
        let loaded = load_entry(
            (&DataName::Mnist, &tiny_entry(false)),
            &finder(root.path()),
            &served_by(gone),
            &mut |_| {},
        )
        .unwrap();
        assert!(loaded.notice.unwrap().contains("could only be checked for its structure"));
    }

    #[test]
    fn mnist_loads_where_it_is() {
        let finder = Finder { cache_dir: None, offline: true, ..Finder::from_env(None) };
        if !matches!(locate(&DataName::Mnist, &finder), Ok(Some(_))) {
            eprintln!("skipped: set SEEDBED_DATA to a folder that holds mnist/ to run this test");
            return;
        }
        let Loaded { dataset, notice } = load(&DataName::Auto, &finder, &mut |_| {}).unwrap();
        assert_eq!((dataset.name.clone(), notice), (DataName::Mnist, None));
        assert_eq!((dataset.train.count, dataset.test.count), (60_000, 10_000));
        // The first and last labels as every tutorial prints them.
        assert_eq!(dataset.train.labels[..3], [5, 0, 4]);
        assert_eq!(dataset.train.labels[59_997..], [5, 6, 8]);
        // The mean and standard deviation everybody normalizes by: 0.1307 and 0.3081 of 255.
        let statistics = dataset.train.statistics();
        assert!((statistics.mean / 255.0 - 0.1307).abs() < 5e-5);
        assert!((statistics.std / 255.0 - 0.3081).abs() < 5e-5);
    }
}
