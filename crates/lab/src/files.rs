//! Writing files so that a reader sees the old file or the new one, never half of one.
//!
//! A regular file is written beside its place, synchronised, and renamed over it. What is no regular file (a
//! terminal, a pipe, `/dev/null`) is written directly: renaming over it would replace it.

use crate::error::LabError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// Checks, before hours of work, that a file can be written at `path` afterwards. Leaves nothing behind.
///
/// # Errors
/// [`LabError::Io`] if its folder is missing or read-only, or the path is a folder.
pub fn check_writable(path: &Path) -> Result<(), LabError> {
    let check = || match special(path)? {
        Some(_) => OpenOptions::new().append(true).open(path).map(drop),
        None => temporary(&place(path)).map(drop),
    };
    check().map_err(LabError::io("write", path))
}

/// Writes `bytes` to `path`, replacing what was there in one step.
///
/// # Errors
/// [`LabError::Io`]; the old file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let write = || match special(path)? {
        Some(()) => OpenOptions::new().append(true).open(path)?.write_all(bytes),
        None => replace(&place(path), bytes),
    };
    write().map_err(LabError::io("write", path))
}

/// Whether the path is a device, a pipe or the like; an error where it is a folder.
fn special(path: &Path) -> io::Result<Option<()>> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::other("it is a folder; expected the path of a file")),
        Ok(found) => Ok((!found.is_file()).then_some(())),
        Err(_) => Ok(None),
    }
}

/// Where the bytes end up: a symbolic link keeps pointing at its file.
fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::Error::other("expected the path of a file"));
    }
    let mut builder = Builder::new();
    builder.prefix(".seedbed-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any program creates a file: the user's umask takes from this what it will.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder(path)).map_err(|error| io::Error::new(error.kind(), without_path(&error)))
}

/// The operating system's reason without the temporary file's name, which would only puzzle.
fn without_path(error: &io::Error) -> String {
    let reason = error.raw_os_error().map(|code| io::Error::from_raw_os_error(code).to_string());
    match (reason, error.kind()) {
        (Some(reason), _) => reason,
        (None, io::ErrorKind::NotFound) => "its folder does not exist".to_owned(),
        (None, io::ErrorKind::PermissionDenied) => "its folder may not be written to".to_owned(),
        (None, kind) => kind.to_string(),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    file.write_all(bytes)?;
    if let Ok(old) = fs::metadata(path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name is durable once the folder is; not every system lets a folder be synchronised.
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_and_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        check_writable(&path).unwrap();
        assert!(!path.exists());
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn impossible_places_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_writable(&folder.path().join("missing/out.html")).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot write ") && error.ends_with("its folder does not exist"),
            "{error}"
        );
        assert!(error.contains("missing/out.html"), "{error}");
        let error = check_writable(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("it is a folder; expected the path of a file"), "{error}");
        assert!(write_atomically(folder.path(), b"").is_err());
        assert!(check_writable(Path::new("")).is_err() && check_writable(Path::new("..")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);

        let device = Path::new("/dev/null");
        check_writable(device).unwrap();
        write_atomically(device, b"gone").unwrap();
        assert!(!fs::metadata(device).unwrap().is_file());
    }
}
