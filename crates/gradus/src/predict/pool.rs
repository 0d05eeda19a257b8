//! The predict pool: each worker thread takes one batch after the other through the whole plan, in
//! a session of its own with shared weights. Batches never move between threads.

use super::device::Device;
use super::runner::{Batch, Runner};
use crate::base::shape::Shape;
use crate::base::threads::lock;
use crate::engine::{Fill, Step};
use crate::error::Result;
use crate::model::Model;
use crate::model::lowering::PlanSpec;
use crate::plan::Mode;
use std::sync::{Mutex, PoisonError};

/// Limit of weights that stay in a core's second-level cache, 1 MiB: larger ones are read anew for
/// each batch.
const CACHED: usize = 262_144;

/// The fewest rows of a batch, the most with weights that stay in the cache, and the most with
/// larger weights. 10,000 rows of three layers of 2048 units take 1696 ms with 48 rows, 1371 with
/// 144 and 1163 with 240; those of the book's network 34, 33 and 34 to 37.
const ROWS: (usize, usize, usize) = (48, 144, 240);

/// Limit of the elements of a batch in a layer's input and output together: 4 MiB.
const WIDE: usize = 1_048_576;

/// Batches are multiples of this: whole tiles of the products on every processor.
const TILE: usize = 24;

/// Sessions for one plan of a model, which no longer changes. Any number of threads may use them.
pub(super) struct PredictPool {
    device: Device,
    mode: Mode,
    /// Largest batch, in rows.
    pub rows: usize,
    /// With all the device's threads.
    whole: Mutex<Worker>,
    /// Idle sessions with shared weights.
    idle: Mutex<Vec<Worker>>,
}

/// A worker: a session with room for a batch.
pub(super) struct Worker {
    runner: Runner,
    batch: Batch,
}

impl Worker {
    fn new(runner: Runner, mode: Mode) -> Result<Self> {
        let batch = runner.batch(mode)?;
        Ok(Worker { runner, batch })
    }

    /// Runs the plan on `rows` rows that `fill` writes.
    pub fn run(&mut self, rows: usize, fill: &Fill, step: &Step) {
        self.runner.start(&mut self.batch, rows, fill, step);
    }

    /// Copies rows of an output, as many as fit into `to`.
    pub fn output(&self, number: usize, to: &mut [f32]) {
        self.runner.fetch_output(&self.batch, number, to);
    }
}

/// The batch size suited to a model's layers and number of weights.
pub(super) fn rows(model: &Model, weights: usize) -> Result<usize> {
    let size = |(inputs, output): &(Vec<Shape>, Shape)| {
        inputs.iter().map(Shape::size).sum::<usize>() + output.size()
    };
    let widest = model.shapes()?.iter().map(size).max().unwrap_or(1);
    let most = match weights > CACHED {
        true => ROWS.2,
        false => ROWS.1,
    };
    let rows = (WIDE / widest.max(1)).clamp(ROWS.0, most);
    Ok(rows / TILE * TILE)
}

impl PredictPool {
    pub fn new(model: &Model, device: &Device, mode: Mode, rows: usize) -> Result<Self> {
        let spec = PlanSpec {
            mode,
            rows,
            weighted: false,
            mixed: false,
            bfloat16: false,
            observed: false,
            from_features: false,
        };
        let mut runner = Runner::new(model, device, &[spec])?;
        let shared = Worker::new(runner.share(), mode)?;
        Ok(PredictPool {
            device: device.clone(),
            mode,
            rows,
            whole: Mutex::new(Worker::new(runner, mode)?),
            idle: Mutex::new(vec![shared]),
        })
    }

    /// Calls `work` with a single-threaded session.
    pub fn alone<T>(&self, work: impl FnOnce(&mut Worker) -> T) -> Result<T> {
        let free = lock(&self.idle).pop();
        let mut worker = match free {
            Some(worker) => worker,
            None => {
                let shared = lock(&self.whole).runner.share();
                Worker::new(shared, self.mode)?
            }
        };
        let done = work(&mut worker);
        lock(&self.idle).push(worker);
        Ok(done)
    }

    /// Calls `work` with the session that has all threads; if another caller has it, with a
    /// single-threaded one.
    pub fn whole<T>(&self, work: impl FnOnce(&mut Worker) -> T) -> Result<T> {
        match self.whole.try_lock() {
            Ok(mut worker) => Ok(work(&mut worker)),
            Err(_) => self.alone(work),
        }
    }

    /// Calls `work` with each of the batches, in parallel on all threads.
    pub fn each<B: Send>(
        &self,
        batches: impl Iterator<Item = B> + Send,
        work: impl Fn(&mut Worker, B) -> Result<()> + Sync,
    ) -> Result<()> {
        let batches = Mutex::new(batches);
        let problem = Mutex::new(None);
        self.device.together(&|| {
            let done = self.alone(|worker| {
                loop {
                    let next = lock(&batches).next();
                    let Some(batch) = next else { return Ok(()) };
                    work(worker, batch)?;
                }
            });
            if let Err(error) = done.flatten() {
                *lock(&problem) = Some(error);
            }
        });
        let problem = problem.into_inner().unwrap_or_else(PoisonError::into_inner);
        problem.map_or(Ok(()), Err)
    }
}
