//! Losses and metrics of an epoch, accumulated batch by batch.

use super::history::Logs;
use crate::error::Result;
use crate::model::Model;
use crate::model::feeds::FeedRole;
use crate::predict::runner::Batch;
use crate::rules::losses::Targets;
use crate::rules::metrics::{self, Metric};

/// Loss and metrics of the batches so far.
pub(crate) struct Meters {
    names: Vec<String>,
    loss: f64,
    rows: f64,
    outputs: Vec<Meter>,
}

/// Loss and metrics of one output.
struct Meter {
    /// Index of the output.
    output: usize,
    /// Weight of its loss in the sum.
    weight: f64,
    loss: f64,
    metrics: Vec<Measured>,
    width: usize,
    target_width: usize,
    size: usize,
}

/// A metric over the batches so far.
struct Measured {
    metric: Metric,
    /// True if rows count by their weights.
    weighted: bool,
    gathered: Vec<f64>,
}

impl Meters {
    pub fn new(model: &Model) -> Result<Self> {
        let shapes = model.output_shapes()?;
        let output_losses = model.compiled()?.trained();
        let meter = |(output, output_loss): (usize, &crate::model::OutputLoss)| {
            let width = shapes[output].last();
            let reported = output_loss.reported().into_iter();
            let metrics = reported.map(|(_, metric, weighted)| {
                let metric = metric.resolve(&output_loss.loss, width);
                let gathered = metric.start(width);
                Measured {
                    metric,
                    weighted,
                    gathered,
                }
            });
            Meter {
                output,
                weight: output_loss.weight,
                loss: 0.0,
                metrics: metrics.collect(),
                width,
                target_width: match output_loss.loss.targets() {
                    Targets::ClassNumbers => 1,
                    Targets::LikeOutputs => width,
                },
                size: shapes[output].size(),
            }
        };
        Ok(Meters {
            names: model.measurements(),
            loss: 0.0,
            rows: 0.0,
            outputs: output_losses.map(meter).collect(),
        })
    }

    /// True if batches must come with their outputs.
    pub fn need_outputs(&self) -> bool {
        self.outputs.iter().any(|o| !o.metrics.is_empty())
    }

    pub fn reset(&mut self) {
        self.loss = 0.0;
        self.rows = 0.0;
        for output in &mut self.outputs {
            output.loss = 0.0;
            for measured in &mut output.metrics {
                measured.gathered.fill(0.0);
            }
        }
    }

    /// Adds a batch of `rows` rows.
    pub fn add(&mut self, batch: &Batch, rows: usize) {
        let weights = batch.feed(FeedRole::SampleWeight);
        let weights = weights.map_or(&[][..], |weights| &weights[..rows]);
        for (meter, losses) in self.outputs.iter_mut().zip(&batch.losses) {
            let positions = meter.size / meter.width.max(1);
            let losses = &losses[..rows * positions];
            let loss = losses.iter().map(|&l| f64::from(l)).sum::<f64>() / positions as f64;
            meter.loss += loss;
            self.loss += meter.weight * loss;
            if meter.metrics.is_empty() {
                continue;
            }
            let targets = batch
                .feed(FeedRole::Target(meter.output))
                .unwrap_or_default();
            let targets = &targets[..rows * positions * meter.target_width];
            let outputs = batch.output(meter.output, rows, meter.size);
            for measured in &mut meter.metrics {
                let batch = metrics::Batch {
                    targets,
                    outputs,
                    width: meter.width,
                    target_width: meter.target_width,
                    weights: if measured.weighted { weights } else { &[] },
                };
                measured.metric.add(batch, &mut measured.gathered);
            }
        }
        self.loss += batch.penalty * rows as f64;
        self.rows += rows as f64;
    }

    /// All sums so far, which [`Meters::restore`] takes.
    pub fn sums(&self) -> Vec<f64> {
        let mut sums = vec![self.loss, self.rows];
        for output in &self.outputs {
            sums.push(output.loss);
            sums.extend(output.metrics.iter().flat_map(|m| &m.gathered));
        }
        sums
    }

    /// Goes on from these sums; false if they are of other outputs or metrics.
    pub fn restore(&mut self, sums: &[f64]) -> bool {
        let own = [&mut self.loss, &mut self.rows].into_iter();
        let own = own.chain(self.outputs.iter_mut().flat_map(|output| {
            let gathered = output.metrics.iter_mut().flat_map(|m| &mut m.gathered);
            std::iter::once(&mut output.loss).chain(gathered)
        }));
        let own: Vec<&mut f64> = own.collect();
        let fits = own.len() == sums.len();
        if fits {
            own.into_iter().zip(sums).for_each(|(own, sum)| *own = *sum);
        }
        fits
    }

    /// The mean loss so far.
    pub fn loss(&self) -> f64 {
        self.loss / self.rows
    }

    /// All values but the loss so far, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        let several = self.outputs.len() > 1;
        let losses = self.outputs.iter().filter(move |_| several);
        let losses = losses.map(|output| output.loss / self.rows);
        let metrics = self.outputs.iter().flat_map(|output| &output.metrics);
        let metrics = metrics.map(|m| m.metric.result(&m.gathered));
        let names = self.names[1..].iter().map(String::as_str);
        names.zip(losses.chain(metrics))
    }

    /// Loss and metrics by name.
    pub fn report(&self) -> Logs {
        let mut logs = Logs::default();
        logs.push("loss", self.loss());
        for (name, value) in self.metrics() {
            logs.push(name, value);
        }
        logs
    }
}
