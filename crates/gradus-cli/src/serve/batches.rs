//! Batches: one thread predicts for all requests. Those that come while it does are the next batch.

use super::metrics::Metrics;
use gradus::train::{Predictor, PreparedRows};
use gradus::{Dataset, Error, Model, Result, Tensor};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use tokio::sync::oneshot;

/// The outputs for a request's rows.
#[derive(Debug)]
pub struct Outputs {
    /// Each output, or its mean over all samples.
    pub values: Vec<Tensor>,
    /// The standard deviation over the samples, if there are several.
    pub std: Option<Vec<Tensor>>,
}

/// The door to the thread that predicts.
pub struct Batches {
    jobs: Sender<Job>,
    predictor: Arc<Predictor>,
    is_sampled: bool,
}

/// Rows to predict, and the request that waits for them.
struct Job {
    rows: Rows,
    reply: oneshot::Sender<Result<Outputs>>,
}

enum Rows {
    Prepared(PreparedRows),
    Sampled(Box<Dataset>),
}

impl Rows {
    fn count(&self) -> usize {
        match self {
            Rows::Prepared(rows) => rows.rows(),
            Rows::Sampled(rows) => rows.rows(),
        }
    }
}

impl Batches {
    /// Starts the thread. Requests join a batch until it has `most` rows.
    pub fn new(
        model: &Model,
        samples: Option<usize>,
        most: usize,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let predictor = Arc::new(model.predictor()?);
        let (jobs, received) = mpsc::channel();
        let mut worker = Worker {
            predictor: predictor.clone(),
            sampled: samples.map(|samples| (model.clone(), samples)),
            most,
            metrics,
        };
        thread::Builder::new()
            .name("batches".into())
            .spawn(move || worker.run(&received))
            .map_err(|cause| Error::io("start", "the thread that predicts", cause))?;
        Ok(Batches {
            jobs,
            predictor,
            is_sampled: samples.is_some(),
        })
    }

    /// The outputs for these rows. What the model does not take is refused before the rows join
    /// those of others.
    pub async fn predict(&self, rows: &Dataset) -> Result<Outputs> {
        let prepared = self.predictor.prepare(rows)?;
        let rows = match self.is_sampled {
            true => Rows::Sampled(Box::new(rows.clone())),
            false => Rows::Prepared(prepared),
        };
        let (reply, outputs) = oneshot::channel();
        let gone = || Error::Internal("the thread that predicts has ended".into());
        self.jobs.send(Job { rows, reply }).map_err(|_| gone())?;
        outputs.await.map_err(|_| gone())?
    }
}

struct Worker {
    predictor: Arc<Predictor>,
    /// The model and the number of samples, with dropout on.
    sampled: Option<(Model, usize)>,
    most: usize,
    metrics: Arc<Metrics>,
}

impl Worker {
    /// Predicts until nobody can ask any more.
    fn run(&mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let batch = self.collect(first, jobs);
            self.predict(batch);
        }
    }

    /// The next batch: what waits already. Samples of a row depend on its place, so that each
    /// request is then a batch.
    fn collect(&self, first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
        let mut rows = first.rows.count();
        let mut batch = vec![first];
        while rows < self.most && self.sampled.is_none() {
            let Ok(job) = jobs.try_recv() else { break };
            rows += job.rows.count();
            batch.push(job);
        }
        // Some may have gone away while they waited.
        batch.retain(|job| !job.reply.is_closed());
        batch
    }

    fn predict(&self, batch: Vec<Job>) {
        let (mut parts, mut replies) = (Vec::new(), Vec::new());
        for job in batch {
            match job.rows {
                Rows::Prepared(rows) => {
                    parts.push(rows);
                    replies.push(job.reply);
                }
                Rows::Sampled(rows) => {
                    self.metrics.count_batch(rows.rows());
                    let _ = job.reply.send(self.sample(&rows));
                }
            }
        }
        if parts.is_empty() {
            return;
        }
        self.metrics
            .count_batch(parts.iter().map(PreparedRows::rows).sum());
        let outputs = |values| Outputs { values, std: None };
        // A client that has gone away takes no reply.
        match self.predictor.predict_together(&parts) {
            Ok(each) => {
                for (reply, values) in replies.into_iter().zip(each) {
                    let _ = reply.send(Ok(outputs(values)));
                }
            }
            // Together they may be too large for memory.
            Err(_) => {
                for (reply, part) in replies.into_iter().zip(parts) {
                    let alone = self.predictor.predict_together(&[part]);
                    let alone = alone.map(|each| outputs(each.into_iter().flatten().collect()));
                    let _ = reply.send(alone);
                }
            }
        }
    }

    fn sample(&self, rows: &Dataset) -> Result<Outputs> {
        let Some((model, samples)) = &self.sampled else {
            return Err(Error::Internal("samples of a model without dropout".into()));
        };
        let found = model.predict_mc_all(rows, *samples)?.into_iter();
        let (values, std) = found.map(|each| (each.mean, each.std)).unzip();
        let std = Some(std);
        Ok(Outputs { values, std })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus::Sequential;
    use gradus::layers::Dense;

    #[test]
    fn requests_that_wait_are_one_batch_and_get_the_bits_that_they_get_alone() {
        let model = Sequential::new().input([3]).add(Dense::new(4)).build();
        let model = model.unwrap();
        let metrics = Arc::new(Metrics::default());
        let worker = Worker {
            predictor: Arc::new(model.predictor().unwrap()),
            sampled: None,
            most: 6,
            metrics: metrics.clone(),
        };
        let (jobs, received) = mpsc::channel();
        let data = |n: usize| {
            let values = (0..3 * n).map(|i| (i * n) as f32 * 0.37).collect();
            Dataset::unlabelled(Tensor::from_f32([3], values).unwrap())
        };
        let waiting: Vec<_> = [1, 2, 3, 4]
            .map(|n| {
                let (reply, outputs) = oneshot::channel();
                let rows = Rows::Prepared(worker.predictor.prepare(&data(n)).unwrap());
                jobs.send(Job { rows, reply }).unwrap();
                (n, outputs)
            })
            .into();
        let mut sizes = Vec::new();
        while let Ok(first) = received.try_recv() {
            let batch = worker.collect(first, &received);
            sizes.push(batch.len());
            worker.predict(batch);
        }
        // Six rows are reached with the third request.
        assert_eq!(sizes, [3, 1]);
        for (n, mut outputs) in waiting {
            let together = outputs.try_recv().unwrap().unwrap().values;
            assert_eq!(together, model.predict_all(data(n)).unwrap());
        }
        let text = metrics.text();
        assert!(text.contains("gradus_batches_total 2\n"), "{text}");
        assert!(text.contains("gradus_rows_total 10\n"), "{text}");
    }
}
