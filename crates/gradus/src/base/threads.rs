//! How many threads an engine may use.

use std::sync::OnceLock;
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
    // Counting the cores reads files: once is enough, and each step asks.
    static CORES: OnceLock<usize> = OnceLock::new();
    match THREADS.load(Ordering::Relaxed) {
        0 => *CORES.get_or_init(|| available_parallelism().map_or(1, usize::from)),
        threads => threads,
    }
}
