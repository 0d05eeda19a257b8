//! How many threads there may be, and what they share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::available_parallelism;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads training and inference that begin from now on may
/// use; 0, as it starts, stands for one on each core. Results do not depend on it.
pub fn set_threads(threads: usize) {
    THREADS.store(threads, Ordering::Relaxed);
}

/// How many threads training and inference may use.
pub fn threads() -> usize {
    // Counting the cores reads files: once is enough, and each step asks.
    static CORES: OnceLock<usize> = OnceLock::new();
    match THREADS.load(Ordering::Relaxed) {
        0 => *CORES.get_or_init(|| available_parallelism().map_or(1, usize::from)),
        threads => threads,
    }
}

/// A lock that a panic elsewhere does not spoil: only for what is whole between two
/// statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the same work on so many threads, this one among them: all that they found, in
/// the order of its numbers.
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

/// The results of so many tasks, done by so many threads, in their order.
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
