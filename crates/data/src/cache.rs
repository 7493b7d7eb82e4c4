//! The folder in which fetched files are kept, and how a file gets there whole or not at all.
//!
//! A file is written under another name, flushed to disk and then renamed. Whoever looks sees either nothing or all
//! of it, also when two processes fetch the same file at once or the power fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::{BaseStrategy, choose_base_strategy};
use tempfile::NamedTempFile;

use crate::error::DataError;

/// The cache folder of this user: `$XDG_CACHE_HOME/seedbed/data`, usually `~/.cache/seedbed/data`. Nothing if the
/// user has no home folder.
pub(crate) fn usual_folder() -> Option<PathBuf> {
    choose_base_strategy().ok().map(|folders| folders.cache_dir().join("seedbed").join("data"))
}

/// How the names of half-written files end.
const PART: &str = ".part";

/// After this long a half-written file belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Creates `folder` if needed and removes half-written files that nobody will finish.
///
/// # Errors
/// [`DataError::Io`] if the folder cannot be created.
pub(crate) fn prepare(folder: &Path) -> Result<(), DataError> {
    fs::create_dir_all(folder).map_err(io("create the folder", folder))?;
    for entry in fs::read_dir(folder).map_err(io("read the folder", folder))?.flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        let part = entry.file_name().to_string_lossy().ends_with(PART);
        if part && age.is_some_and(|age| age > ABANDONED) {
            // Best effort: another process may be cleaning up as well.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// A new, empty file in `folder` under a name of its own; it vanishes unless it is [`keep`]t.
///
/// # Errors
/// [`DataError::Io`].
pub(crate) fn begin(folder: &Path) -> Result<NamedTempFile, DataError> {
    let file = tempfile::Builder::new().prefix(".fetching-").suffix(PART).tempfile_in(folder);
    file.map_err(io("write to the folder", folder))
}

/// Makes `file` durable under `name`, replacing what was there.
///
/// # Errors
/// [`DataError::Io`]; then what was there is untouched.
pub(crate) fn keep(file: NamedTempFile, folder: &Path, name: &str) -> Result<(), DataError> {
    let path = folder.join(name);
    file.as_file().sync_all().map_err(io("write", &path))?;
    file.persist(&path).map_err(|error| error.error).map_err(io("write", &path))?;
    // The rename itself is only on disk once the folder is; Windows cannot open folders and needs no such thing.
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("write", folder))?;
    Ok(())
}

pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let [mut first, second] = [(); 2].map(|()| begin(folder.path()).unwrap());
        first.write_all(b"whole").unwrap();
        drop(second);
        assert!(!folder.path().join("name").exists());
        keep(first, folder.path(), "name").unwrap();
        assert_eq!(fs::read(folder.path().join("name")).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_abandoned_parts_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, days) in [("old.part", 2), ("young.part", 0), ("old.gz", 2)] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - days * ABANDONED).unwrap();
        }
        prepare(folder.path()).unwrap();
        let left = ["old.part", "young.part", "old.gz"].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = prepare(&file.join("below")).unwrap_err().to_string();
        assert!(error.starts_with("cannot create the folder ") && error.contains("below"), "{error}");
    }
}
