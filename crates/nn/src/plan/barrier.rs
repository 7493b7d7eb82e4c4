//! Where the threads of a run wait for each other between steps.
//!
//! A step takes microseconds, so a waiting thread spins at first. One that has waited longer than a wake-up takes
//! sleeps until the last one comes: the machine is busy then, and a core that spins is one that the late thread may
//! be waiting for. Where threads outnumber cores that is always so.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// How often a thread looks before it sleeps, where every thread has a core: about 50 µs.
const PATIENT: u32 = 2_000;
/// The same where threads outnumber cores.
const IMPATIENT: u32 = 100;

pub(crate) struct Barrier {
    workers: usize,
    spins: u32,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
    /// Threads that sleep or are about to. Written and read in one order with `round` and `broken` (`SeqCst`), so
    /// that a thread which ends a round sees everyone who did not see the end of it.
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    alarm: Condvar,
}

impl Barrier {
    pub(crate) fn new(workers: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            workers,
            spins: if workers <= cores { PATIENT } else { IMPATIENT },
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            bed: Mutex::new(()),
            alarm: Condvar::new(),
        }
    }

    /// Returns when all workers have come here; what they wrote before is then visible.
    ///
    /// # Panics
    /// Where another worker panicked, since it will never come.
    pub(crate) fn wait(&self) {
        if self.workers == 1 {
            return;
        }
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.workers {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::SeqCst);
            if self.sleepers.load(Ordering::SeqCst) > 0 {
                self.wake();
            }
            return;
        }
        let mut spins = 0;
        while spins < self.spins && self.is_open(round) {
            spins += 1;
            std::hint::spin_loop();
        }
        if self.is_open(round) {
            self.sleep(round);
        }
        // A round that ended is over for all, even if somebody panics after it.
        assert!(self.round.load(Ordering::Acquire) != round, "another thread of the run panicked");
    }

    /// Whether the round has neither ended nor broken.
    fn is_open(&self, round: usize) -> bool {
        self.round.load(Ordering::SeqCst) == round && !self.broken.load(Ordering::SeqCst)
    }

    /// Sleeps until the round ends or the barrier breaks.
    fn sleep(&self, round: usize) {
        let bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        drop(self.alarm.wait_while(bed, |()| self.is_open(round)));
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Wakes all sleepers. Holding the lock, so that nobody is between looking and lying down.
    fn wake(&self) {
        let _bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.alarm.notify_all();
    }

    /// Breaks the barrier if this thread unwinds while the guard lives.
    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard(self)
    }
}

pub(crate) struct Guard<'a>(&'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::SeqCst);
            self.0.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_passes_before_all_have_come() {
        let barrier = Barrier::new(3);
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=200 {
                        count.fetch_add(1, Ordering::Relaxed);
                        barrier.wait();
                        assert_eq!(count.load(Ordering::Relaxed), 3 * round);
                        barrier.wait();
                    }
                });
            }
        });
    }

    #[test]
    fn those_who_came_long_before_sleep_and_are_woken() {
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| barrier.wait());
            }
            while barrier.sleepers.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            barrier.wait();
        });
        assert_eq!(barrier.sleepers.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn nobody_waits_for_a_thread_that_panicked() {
        let barrier = Barrier::new(3);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..2).map(|_| scope.spawn(|| barrier.wait())).collect();
            // One that sleeps already and one that may still spin.
            while barrier.sleepers.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let broken = scope.spawn(|| {
                let _guard = barrier.guard();
                panic!("on purpose");
            });
            assert!(broken.join().is_err());
            assert!(waiting.into_iter().all(|thread| thread.join().is_err()));
        });
    }
}
