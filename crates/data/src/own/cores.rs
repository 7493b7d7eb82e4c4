//! The same work for many files, on all cores.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for every path, in any order, and gives the results in theirs.
///
/// # Errors
/// The first that was met; which one that is may differ from run to run.
pub(super) fn on_all_cores<T: Send, E: Send>(
    paths: &[impl AsRef<Path> + Sync],
    work: impl Fn(&Path) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(paths.len());
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(index) else { return Ok(done) };
            match work(path.as_ref()) {
                Ok(result) => done.push((index, result)),
                Err(error) => {
                    next.store(paths.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let mut all = Vec::with_capacity(paths.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<(), E>(())
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
