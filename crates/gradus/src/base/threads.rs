//! How many threads an engine may use.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads training and inference that begin from now on may
/// use. Until it is called, it is one for each core. Results do not depend on it.
pub fn set_threads(threads: NonZeroUsize) {
    THREADS.store(threads.get(), Ordering::Relaxed);
}

/// How many threads an engine may use.
#[allow(dead_code)] // the fast engine asks
pub(crate) fn threads() -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(THREADS.load(Ordering::Relaxed)).unwrap_or_else(cores)
}
