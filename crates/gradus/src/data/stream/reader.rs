//! The thread that prepares the next rows while the previous ones are used.

use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

/// The conversion of rows to feeds, on the reading thread.
pub(crate) type Prepare = Box<dyn FnMut(&Dataset) -> Result<Vec<Tensor>> + Send>;

/// Rows ready for use.
#[derive(Debug)]
pub(super) struct Ready {
    /// The feeds made of them.
    pub feeds: Vec<Tensor>,
    /// The rows.
    pub data: Dataset,
}

/// A thread that does jobs one after the other.
pub(super) struct Reader<Job, Done> {
    /// `None` once there are no more jobs.
    jobs: Option<Sender<Job>>,
    done: Receiver<Result<Done>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<Job: Send + 'static, Done: Send + 'static> Reader<Job, Done> {
    /// Starts the thread. `work` may ask whether its result is still needed.
    pub fn new(
        mut work: impl FnMut(Job, &dyn Fn() -> bool) -> Result<Done> + Send + 'static,
    ) -> Result<Self> {
        let (jobs, wanted) = channel();
        let (ready, done) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let all = move || {
            let goes_on = || !stop.load(Ordering::Relaxed);
            for job in wanted {
                if ready.send(work(job, &goes_on)).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name("gradus-reader".into()).spawn(all);
        let thread = thread.map_err(|cause| Error::io("start a thread to read", "data", cause))?;
        Ok(Reader {
            jobs: Some(jobs),
            done,
            stopped,
            thread: Some(thread),
        })
    }

    /// Sends a job.
    pub fn request(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // After a panic nobody receives; `wait` reports it.
            let _ = jobs.send(job);
        }
    }

    /// Waits for the result of the oldest unfinished job.
    pub fn wait(&mut self) -> Result<Done> {
        if let Ok(done) = self.done.recv() {
            return done;
        }
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            // Resumes a panic of the user's code as if it had happened here.
            std::panic::resume_unwind(panic);
        }
        Err(Error::Internal("nobody reads the rows".into()))
    }
}

impl<Job, Done> Drop for Reader<Job, Done> {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The result is not needed.
            let _ = thread.join();
        }
    }
}
