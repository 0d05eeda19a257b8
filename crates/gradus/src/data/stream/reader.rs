//! The thread that makes the next rows ready while those before are used.

use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

/// What rows become before they are used, on the reading thread.
pub(crate) type Prepare = Box<dyn FnMut(&Dataset) -> Result<Vec<Tensor>> + Send>;

/// Rows that can be used.
#[derive(Debug)]
pub(super) struct Ready {
    /// What was made of them.
    pub feeds: Vec<Tensor>,
    /// The rows.
    pub data: Dataset,
}

/// Does one job after the other, when it is told to.
pub(super) struct Reader<Job, Done> {
    /// None once there is nothing more to do.
    jobs: Option<Sender<Job>>,
    done: Receiver<Result<Done>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<Job: Send + 'static, Done: Send + 'static> Reader<Job, Done> {
    /// Starts the thread. `work` may ask whether anybody still wants what it does.
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

    /// Gives it a job.
    pub fn request(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Nobody listens after a panic, which `wait` will find.
            let _ = jobs.send(job);
        }
    }

    /// What came of the first job that was not waited for yet.
    pub fn wait(&mut self) -> Result<Done> {
        if let Ok(done) = self.done.recv() {
            return done;
        }
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            // The user's own code has panicked: it looks as if it had done so here.
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
            // What it had to say nobody has asked for.
            let _ = thread.join();
        }
    }
}
