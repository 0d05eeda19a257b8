//! Monte Carlo dropout (Gal & Ghahramani 2016): many predictions with the noise
//! left on, and what they say together.

use super::crew::{self, Crew};
use super::feeds;
use crate::data::{Dataset, Tensor};
use crate::engine::{Engine, Step};
use crate::error::{Error, Result};
use crate::model::{Input, Model, Source};
use crate::plan::Mode;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows of a batch, each sample of one being a row.
const TOGETHER: usize = 1024;

/// What many noisy predictions of each row say together.
#[derive(Clone, Debug)]
pub struct McPrediction {
    /// Their mean, in the shape of the output.
    pub mean: Tensor,
    /// Their standard deviation (over all samples, divided by their number).
    pub std: Tensor,
    /// The entropy of the mean distribution, in nats: all of the uncertainty.
    /// One number for each distribution of a row; none if the model's last
    /// activation is neither softmax nor sigmoid.
    pub predictive_entropy: Option<Tensor>,
    /// The mutual information of prediction and weights: the predictive entropy
    /// less the mean entropy of the samples. It is what more data could take away.
    pub mutual_information: Option<Tensor>,
}

/// What the numbers of an output are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Distribution {
    /// A row of them is one distribution over classes.
    Softmax,
    /// Each is a probability by itself.
    Sigmoid,
}

impl Model {
    /// Predicts every row of `data` `samples` times with layers of noise (dropout
    /// and its like) on and batch normalization in inference mode. The samples of
    /// a batch are run together, as one larger batch.
    ///
    /// The same model, seed and data give the same result.
    pub fn predict_mc(&self, data: &Dataset, samples: usize) -> Result<McPrediction> {
        self.predict_mc_on(crate::engine::default().as_ref(), data, samples)
    }

    pub(crate) fn predict_mc_on(
        &self,
        engine: &dyn Engine,
        data: &Dataset,
        samples: usize,
    ) -> Result<McPrediction> {
        if samples == 0 {
            return Err(Error::invalid("samples", 0, "at least one"));
        }
        super::check::inputs(&self.inputs, data)?;
        let shapes = self.output_shapes()?;
        let Some(shape) = shapes.first() else {
            return Err(Error::Internal("a model without outputs".into()));
        };
        let (size, kind) = (shape.size(), self.distribution());
        // Samples of a row beyond so many are run in the next batch.
        let together = samples.min(TOGETHER);
        let rows = (TOGETHER / together).max(1).min(data.rows());
        let sampler = Sampler {
            model: self,
            engine,
            rows,
            together,
            samples,
        };
        let found = sampler.run(data, || Gathered::new(kind, size, shape.last()))?;
        let positions = size / shape.last().max(1);
        let one_each = match kind {
            Some(Distribution::Softmax) if shape.rank() > 1 => {
                shape.dims()[..shape.rank() - 1].to_vec()
            }
            Some(Distribution::Softmax) => vec![positions],
            _ => shape.dims().to_vec(),
        };
        let tensor = |values: Vec<f32>| match kind {
            Some(_) => Tensor::from_f32(one_each.clone(), values).map(Some),
            None => Ok(None),
        };
        Ok(McPrediction {
            mean: Tensor::from_f32(shape.clone(), found.mean)?,
            std: Tensor::from_f32(shape.clone(), found.std)?,
            predictive_entropy: tensor(found.entropy)?,
            mutual_information: tensor(found.information)?,
        })
    }

    /// What the first output's numbers are, by the layer that makes them.
    fn distribution(&self) -> Option<Distribution> {
        let Some(&Source::Node(n)) = self.outputs.first() else {
            return None;
        };
        let rule = &self.layers[self.nodes[n].layer].rule;
        let config = rule.to_config();
        match config["activation"].as_str() {
            _ if rule.class() == "Softmax" => Some(Distribution::Softmax),
            Some("softmax") => Some(Distribution::Softmax),
            Some("sigmoid") => Some(Distribution::Sigmoid),
            _ => None,
        }
    }
}

/// How the samples of all rows are drawn.
struct Sampler<'a> {
    model: &'a Model,
    engine: &'a dyn Engine,
    /// Rows of a batch, and samples of each.
    rows: usize,
    together: usize,
    /// Samples of each row in all its batches.
    samples: usize,
}

impl Sampler<'_> {
    /// Draws them, many batches at a time. What comes before the first noise is
    /// computed once for each row.
    fn run(&self, data: &Dataset, start: impl Fn() -> Gathered + Sync) -> Result<Gathered> {
        let (before, after) = self.model.split_at_noise()?;
        let sizes: Vec<usize> = after.inputs.iter().map(size).collect();
        let crew = |model: &Model, mode, rows| Crew::new(model, self.engine, mode, rows);
        let before = before.map(|model| crew(&model, Mode::Infer, self.rows));
        let before = before.transpose()?;
        let after = crew(&after, Mode::Sample, self.rows * self.together)?;
        let tensors = feeds::inputs(&self.model.inputs, data)?;
        let parts = self.samples.div_ceil(self.together);
        let found = Mutex::new(Vec::new());
        let batches = 0..data.rows().div_ceil(self.rows);
        after.each(self.engine, batches, |seat, batch| {
            let here = batch * self.rows..data.rows().min((batch + 1) * self.rows);
            let once: Vec<Vec<f32>> = sizes.iter().map(|n| vec![0.0; n * here.len()]).collect();
            let once = self.reach(before.as_ref(), &tensors, here.clone(), once)?;
            let mut gathered = start();
            gathered.start(here.len());
            for part in 0..parts {
                let count = self.together.min(self.samples - part * self.together);
                let fill = |feed: usize, rows: Range<usize>, to: &mut [f32]| {
                    let size = sizes[feed];
                    for (place, to) in rows.zip(to.chunks_mut(size)) {
                        to.copy_from_slice(&once[feed][place / count * size..][..size]);
                    }
                };
                let step = Step {
                    seed: self.model.seed,
                    iteration: (batch * parts + part) as u64,
                    ..Step::default()
                };
                let rows = here.len() * count;
                seat.run(rows, &fill, &step);
                let mut outputs = vec![0.0; rows * gathered.size];
                seat.output(0, &mut outputs);
                gathered.add(&outputs, count);
            }
            gathered.finish(self.samples);
            crew::lock(&found).push((batch, gathered));
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable_by_key(|(batch, _)| *batch);
        let mut all = start();
        for (_, part) in found {
            all.mean.extend(part.mean);
            all.std.extend(part.std);
            all.entropy.extend(part.entropy);
            all.information.extend(part.information);
        }
        Ok(all)
    }

    /// What reaches the noise, of these rows.
    fn reach(
        &self,
        before: Option<&Crew>,
        tensors: &[&Tensor],
        here: Range<usize>,
        mut once: Vec<Vec<f32>>,
    ) -> Result<Vec<Vec<f32>>> {
        let gather = |feed: usize, rows: Range<usize>, to: &mut [f32]| {
            tensors[feed].copy_range(here.start + rows.start..here.start + rows.end, to);
        };
        match before {
            None => {
                for (feed, values) in once.iter_mut().enumerate() {
                    gather(feed, 0..here.len(), values);
                }
            }
            Some(crew) => crew.alone(|seat| {
                let step = Step::default();
                seat.run(here.len(), &gather, &step);
                for (n, values) in once.iter_mut().enumerate() {
                    seat.output(n, values);
                }
            })?,
        }
        Ok(once)
    }
}

/// Numbers of a row of an input.
fn size(input: &Input) -> usize {
    input.shape.as_ref().map_or(1, |shape| shape.size()).max(1)
}

/// What is gathered over the samples: of the rows at hand, and of those before.
struct Gathered {
    kind: Option<Distribution>,
    size: usize,
    width: usize,
    /// Mean and sum of squared deviations of each number so far (Welford 1962).
    means: Vec<f64>,
    squares: Vec<f64>,
    /// The sum of the samples' entropies of each distribution.
    entropies: Vec<f64>,
    so_far: usize,
    mean: Vec<f32>,
    std: Vec<f32>,
    entropy: Vec<f32>,
    information: Vec<f32>,
}

impl Gathered {
    fn new(kind: Option<Distribution>, size: usize, width: usize) -> Self {
        let width = match kind {
            Some(Distribution::Softmax) => width,
            _ => 1,
        };
        Gathered {
            kind,
            size,
            width,
            means: Vec::new(),
            squares: Vec::new(),
            entropies: Vec::new(),
            so_far: 0,
            mean: Vec::new(),
            std: Vec::new(),
            entropy: Vec::new(),
            information: Vec::new(),
        }
    }

    /// Begins with the next rows.
    fn start(&mut self, rows: usize) {
        let numbers = rows * self.size;
        for (all, n) in [
            (&mut self.means, numbers),
            (&mut self.squares, numbers),
            (&mut self.entropies, numbers / self.width),
        ] {
            all.clear();
            all.resize(n, 0.0);
        }
        self.so_far = 0;
    }

    /// Adds `count` samples of each row, those of a row one after the other.
    fn add(&mut self, outputs: &[f32], count: usize) {
        for (row, samples) in outputs.chunks(count * self.size).enumerate() {
            let at = row * self.size;
            for (s, sample) in samples.chunks(self.size).enumerate() {
                let n = (self.so_far + s + 1) as f64;
                for (i, &x) in sample.iter().enumerate() {
                    let x = f64::from(x);
                    let mean = &mut self.means[at + i];
                    let away = x - *mean;
                    *mean += away / n;
                    self.squares[at + i] += away * (x - *mean);
                }
                if self.kind.is_some() {
                    for (i, part) in sample.chunks(self.width).enumerate() {
                        let part = part.iter().map(|&p| f64::from(p));
                        self.entropies[at / self.width + i] += entropy(self.kind, part);
                    }
                }
            }
        }
        self.so_far += count;
    }

    /// Notes the results of the rows at hand.
    fn finish(&mut self, samples: usize) {
        let n = samples as f64;
        self.mean.extend(self.means.iter().map(|&m| m as f32));
        let deviations = self.squares.iter().map(|s| (s / n).sqrt() as f32);
        self.std.extend(deviations);
        if self.kind.is_none() {
            return;
        }
        for (part, sum) in self.means.chunks(self.width).zip(&self.entropies) {
            let whole = entropy(self.kind, part.iter().copied());
            self.entropy.push(whole as f32);
            // Never below 0 but for rounding.
            self.information.push((whole - sum / n).max(0.0) as f32);
        }
    }
}

/// The entropy of a distribution, in nats.
fn entropy(kind: Option<Distribution>, p: impl Iterator<Item = f64>) -> f64 {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    match kind {
        Some(Distribution::Sigmoid) => p.map(|p| term(p) + term(1.0 - p)).sum(),
        _ => p.map(term).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is gathered of samples of one row of two classes.
    fn gathered(samples: &[[f32; 2]]) -> Gathered {
        let mut gathered = Gathered::new(Some(Distribution::Softmax), 2, 2);
        gathered.start(1);
        // In two parts, as for more samples than fit in a batch.
        let (first, rest) = samples.split_at(1);
        gathered.add(first.as_flattened(), 1);
        gathered.add(rest.as_flattened(), rest.len());
        gathered.finish(samples.len());
        gathered
    }

    #[test]
    fn deviation_entropy_and_information_are_those_of_the_formulas() {
        let close = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 1e-6, "{a}, not {b}");
        let h = |p: f64| -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
        // Samples that contradict each other, each certain: all is information.
        let found = gathered(&[[1.0, 0.0], [0.0, 1.0]]);
        close(found.std[0], 0.5);
        close(found.entropy[0], 2f64.ln());
        close(found.information[0], 2f64.ln());
        // Samples that agree on not knowing: nothing is.
        let found = gathered(&[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]);
        close(found.std[0], 0.0);
        close(found.entropy[0], 2f64.ln());
        close(found.information[0], 0.0);
        // I = H(mean) - mean H.
        let found = gathered(&[[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]);
        close(found.mean[0], 0.6);
        close(found.std[0], (0.18_f64 / 3.0).sqrt());
        close(found.entropy[0], h(0.6));
        close(
            found.information[0],
            h(0.6) - (h(0.9) + h(0.6) + h(0.3)) / 3.0,
        );
    }
}
