//! The number of threads, and helpers for work shared among them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::available_parallelism;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads of trainings and inferences that begin from now on; 0, the default,
/// is one per core. Results do not depend on it.
///
/// More than four per core, and more than 16, are not taken: they wait for each other, and each
/// takes memory.
pub fn set_threads(threads: usize) {
    THREADS.store(threads.min(most()), Ordering::Relaxed);
}

/// Number of threads that training and inference may use.
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => cores(),
        threads => threads,
    }
}

/// The most threads that can help: machines that say less than they have get some.
fn most() -> usize {
    (4 * cores()).max(16)
}

fn cores() -> usize {
    // Counting the cores reads files: once is enough, and each step asks.
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| available_parallelism().map_or(1, usize::from))
}

/// Locks a mutex, ignoring poisoning: only for data that no statement leaves inconsistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the same work on `threads` threads, the calling one included, and returns all results,
/// sorted by the numbers that the work gave them.
pub(crate) fn together<T: Send>(
    threads: usize,
    work: impl Fn() -> Vec<(usize, T)> + Sync,
) -> Vec<T> {
    let mut found = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut found = work();
        for other in others {
            match other.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    found.sort_unstable_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, found)| found).collect()
}

/// Runs numbered tasks on several threads and returns their results in the tasks' order.
pub(crate) fn parallel<T: Send>(
    threads: usize,
    tasks: usize,
    task: impl Fn(usize) -> Option<T> + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = mine.take_while(|&n| n < tasks);
        mine.filter_map(|n| Some((n, task(n)?))).collect::<Vec<_>>()
    };
    together(threads.min(tasks), work)
}
