//! How many threads an engine may use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads training and inference that begin from now on may
/// use; 0, as it starts, stands for one on each core. Results do not depend on it.
pub fn set_threads(threads: usize) {
    THREADS.store(threads, Ordering::Relaxed);
}

/// How many threads training and inference may use.
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}
