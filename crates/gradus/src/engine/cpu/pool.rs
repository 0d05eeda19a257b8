//! The thread pool: threads are woken once per step, and run its phases together.

use crate::base::threads::threads;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::{self, JoinHandle, Thread};

/// Spins of a thread that waits for another before it yields its core: 20 to 50 µs, longer than
/// most waits between phases.
const SPINS: u32 = 1_000;

/// Spins after which a thread that waits for the next step goes to sleep: some 200 µs, longer than
/// the work between two steps.
const SPINS_BEFORE_SLEEP: u32 = 6_000;

/// The work of every thread in a step, given its number.
type Work = *const (dyn Fn(usize) + Sync);

/// The state that the threads share.
struct Shared {
    /// Counter of the steps; a change starts one.
    step: AtomicUsize,
    /// The step's work, written before `step` changes.
    work: UnsafeCell<Option<Work>>,
    /// Number of threads that have finished the step.
    finished: AtomicUsize,
    asleep: Vec<AtomicBool>,
    end: AtomicBool,
}

// SAFETY: `work` is written only while no worker reads it: before `step` is
// raised, which they wait for, and after all have finished the step before.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `work` is followed only while its owner waits in `run`.
unsafe impl Send for Shared {}

/// Threads that work on a step together with the calling one.
pub(super) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<(Thread, Option<JoinHandle<()>>)>,
}

impl Pool {
    /// `threads` threads, the calling one included.
    pub fn new(threads: usize) -> Self {
        let others = threads.max(1) - 1;
        let shared = Arc::new(Shared {
            step: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            finished: AtomicUsize::new(0),
            asleep: (0..others).map(|_| AtomicBool::new(false)).collect(),
            end: AtomicBool::new(false),
        });
        let mut workers = Vec::new();
        for number in 0..others {
            let shared = Arc::clone(&shared);
            let spawned = thread::Builder::new()
                .name(format!("gradus-{}", number + 1))
                .spawn(move || worker(&shared, number));
            // If the thread cannot start, the others do its share.
            let Ok(handle) = spawned else { break };
            workers.push((handle.thread().clone(), Some(handle)));
        }
        Pool { shared, workers }
    }

    /// The number of threads that do the work.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `work` on every thread with its number, and waits for all.
    pub fn run(&mut self, work: &(dyn Fn(usize) + Sync)) {
        if self.workers.is_empty() {
            return work(0);
        }
        let shared = &*self.shared;
        shared.finished.store(0, Ordering::Relaxed);
        // SAFETY: only the lifetime is forgotten: nobody follows the pointer
        // once this function has returned, since it waits for all to finish.
        let forgotten = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Work>(work) };
        // SAFETY: no worker reads it between two steps.
        unsafe { *shared.work.get() = Some(forgotten) };
        shared.step.fetch_add(1, Ordering::SeqCst);
        for ((thread, _), asleep) in self.workers.iter().zip(&shared.asleep) {
            if asleep.load(Ordering::SeqCst) {
                thread.unpark();
            }
        }
        let guard = AbortOnPanic;
        work(0);
        std::mem::forget(guard);
        let mut spins = 0;
        while shared.finished.load(Ordering::Acquire) < self.workers.len() {
            wait(&mut spins);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::SeqCst);
        self.shared.step.fetch_add(1, Ordering::SeqCst);
        for (thread, handle) in &mut self.workers {
            thread.unpark();
            if let Some(handle) = handle.take() {
                let _ = handle.join();
            }
        }
    }
}

fn worker(shared: &Shared, number: usize) {
    let mut seen = 0;
    loop {
        let mut spins = 0;
        while shared.step.load(Ordering::Acquire) == seen {
            spins += 1;
            if spins < SPINS_BEFORE_SLEEP {
                spin_loop();
                continue;
            }
            shared.asleep[number].store(true, Ordering::SeqCst);
            if shared.step.load(Ordering::SeqCst) == seen {
                thread::park();
            }
            shared.asleep[number].store(false, Ordering::SeqCst);
        }
        seen = seen.wrapping_add(1);
        if shared.end.load(Ordering::SeqCst) {
            return;
        }
        // SAFETY: written before the step was raised, and not again before this
        // thread has reported that it is finished; the work itself lives as
        // long, since `run` waits for that report.
        if let Some(work) = unsafe { *shared.work.get() } {
            let guard = AbortOnPanic;
            // SAFETY: as above.
            unsafe { (*work)(number + 1) };
            std::mem::forget(guard);
        }
        shared.finished.fetch_add(1, Ordering::Release);
    }
}

/// Aborts on unwinding: a thread that left the work would leave the others waiting forever, and
/// pointers into its stack behind.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

fn wait(spins: &mut u32) {
    *spins += 1;
    if *spins < SPINS {
        spin_loop();
    } else {
        thread::yield_now();
    }
}

/// A barrier at which threads wait for each other, again and again.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    arrived: AtomicUsize,
}

impl Barrier {
    /// Resets the counter. No thread may be waiting.
    pub fn reset(&self) {
        self.arrived.store(0, Ordering::Relaxed);
    }

    /// Returns when all `threads` have called it for the `turn`-th time, from 1.
    pub fn wait(&self, threads: usize, turn: usize) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0;
        while self.arrived.load(Ordering::Acquire) < threads * turn {
            wait(&mut spins);
        }
    }
}

/// The process's pool, if it is free: a caller who finds it busy computes alone, with the same
/// results.
pub(super) fn shared() -> Option<MutexGuard<'static, Option<Pool>>> {
    static POOL: OnceLock<Mutex<Option<Pool>>> = OnceLock::new();
    let mut pool = POOL.get_or_init(|| Mutex::new(None)).try_lock().ok()?;
    let wanted = threads();
    if pool.as_ref().is_none_or(|p| p.threads() != wanted) {
        *pool = None;
        *pool = Some(Pool::new(wanted));
    }
    Some(pool)
}
