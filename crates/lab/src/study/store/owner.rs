//! Who claims a trial: a process, known by a file beside the store that it keeps locked.
//!
//! The operating system lets go of the lock when the process ends, however it ends. So a claim needs no clock: it holds
//! exactly as long as its process lives, also while that is stopped for minutes, and is void at once after a `kill -9`.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::Builder;

/// This process, as claims name it.
#[derive(Debug)]
pub(super) struct Owner {
    token: String,
    /// The lock and its place; a store in memory needs none.
    lock: Option<(File, PathBuf)>,
}

impl Owner {
    /// A new owner of claims in a store.
    pub(super) fn new(store: &Path) -> io::Result<Self> {
        let Some(folder) = folder(store) else { return Ok(Self { token: "memory".into(), lock: None }) };
        let made = Builder::new().prefix(".seedbed-").suffix(".part").tempfile_in(folder)?;
        made.as_file().lock()?;
        // Under its final name it is locked from the beginning: nobody can take it for one left behind.
        let random = made.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let token = format!(
            "{}{}",
            std::process::id(),
            random.trim_start_matches(".seedbed").trim_end_matches(".part")
        );
        let place = place(store, &token);
        let file = made.persist(&place).map_err(|error| error.error)?;
        Ok(Self { token, lock: Some((file, place)) })
    }

    /// What claims name it by.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether the process behind a token still runs.
    pub(super) fn alive(store: &Path, token: &str) -> bool {
        folder(store).is_none() || locked(&place(store, token))
    }

    /// Removes what processes that were killed have left beside the store.
    pub(super) fn clean(store: &Path) {
        let Some(folder) = folder(store) else { return };
        let start = place(store, "");
        let start = start.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let of_store = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start))
        };
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for file in files.filter(of_store).filter(|file| !locked(file)) {
            // Another process may have removed it just now.
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some((_, place)) = &self.lock {
            let _ = std::fs::remove_file(place);
        }
    }
}

/// The folder of a store; `None` for one in memory.
fn folder(store: &Path) -> Option<&Path> {
    if store == Path::new(":memory:") {
        return None;
    }
    Some(store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn place(store: &Path, token: &str) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(format!(".running-{token}"));
    store.with_file_name(name)
}

/// Whether a file is there and somebody keeps it locked. Where that cannot be found out, somebody does: a trial that
/// waits is better than one that is run twice.
fn locked(file: &Path) -> bool {
    match File::open(file) {
        Err(error) => error.kind() != io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_lives_as_long_as_it_keeps_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("s.db");
        let [one, two] = [Owner::new(&store).unwrap(), Owner::new(&store).unwrap()];
        assert_ne!(one.token(), two.token());
        assert!(Owner::alive(&store, one.token()) && Owner::alive(&store, two.token()));
        let token = one.token().to_owned();
        drop(one);
        assert!(!Owner::alive(&store, &token) && Owner::alive(&store, two.token()));
        // What a killed process leaves: a file that nobody locks.
        let left = place(&store, "123-left");
        File::create(&left).unwrap();
        assert!(!Owner::alive(&store, "123-left"));
        Owner::clean(&store);
        assert!(!left.exists() && Owner::alive(&store, two.token()));
    }
}
