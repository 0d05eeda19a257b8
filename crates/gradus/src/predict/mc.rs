//! Monte Carlo dropout (Gal & Ghahramani 2016): many predictions with the noise left on, and their
//! statistics.

use super::device::Device;
use super::feeds;
use super::gathered::{Distribution, Gathered};
use super::pool::PredictPool;
use crate::base::memory;
use crate::base::ranks::{self, Collective, gather_values};
use crate::base::shape::Shape;
use crate::base::threads::lock;
use crate::data::{Dataset, Tensor};
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::model::layers::Effect;
use crate::model::{Input, Model, Source, noise};
use crate::plan::Mode;
use crate::rules::activations::Activation;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a batch, counting each sample of a row.
const TOGETHER: usize = 1024;

/// The statistics of many noisy predictions of each row.
#[derive(Clone, Debug)]
pub struct McPrediction {
    /// Mean, in the shape of the output.
    pub mean: Tensor,
    /// Standard deviation (over all samples, divided by their number).
    pub std: Tensor,
    /// Entropy of the mean distribution, in nats: the total uncertainty. One value for each
    /// distribution of a row; `None` if the model's last activation is neither softmax nor sigmoid.
    pub predictive_entropy: Option<Tensor>,
    /// Mutual information of prediction and weights: the predictive entropy minus the mean entropy
    /// of the samples. More data could remove this part.
    pub mutual_information: Option<Tensor>,
    /// Every sample, if they are kept: a row for each, with all rows' outputs. As an array its
    /// shape is (samples, rows, outputs).
    pub samples: Option<Tensor>,
}

impl Model {
    /// Predicts every row of `data` `samples` times with noise (dropout and its variants) on and
    /// batch normalization in inference mode. The samples of a batch run together, as one larger
    /// batch.
    ///
    /// The same model, seed and data give the same result. Of several outputs it predicts the
    /// first: see [`Model::predict_mc_all`].
    pub fn predict_mc(&self, data: &Dataset, samples: usize) -> Result<McPrediction> {
        let all = self.predict_mc_all(data, samples)?;
        let first = all.into_iter().next();
        first.ok_or_else(|| Error::Internal("a model without outputs".into()))
    }

    /// Like [`Model::predict_mc`], for each output, in the order of the model's outputs.
    pub fn predict_mc_all(&self, data: &Dataset, samples: usize) -> Result<Vec<McPrediction>> {
        self.predict_mc_keeping(data, samples, false, None)
    }

    /// Like [`Model::predict_mc_all`], keeping every sample, in [`McPrediction::samples`].
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let model = Sequential::new()
    ///     .input([4])
    ///     .add(Dropout::new(0.5))
    ///     .add(Dense::new(2))
    ///     .build()?;
    /// let data = Dataset::unlabelled(Tensor::from_f32([4], vec![1.0; 12])?);
    /// let found = model.predict_mc_samples(&data, 100)?;
    /// let samples = found[0].samples.as_ref().ok_or(gradus::Error::Internal("none".into()))?;
    /// assert_eq!((samples.rows(), samples.shape().dims()), (100, &[3, 2][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn predict_mc_samples(&self, data: &Dataset, samples: usize) -> Result<Vec<McPrediction>> {
        self.predict_mc_keeping(data, samples, true, None)
    }

    /// Like [`Model::predict_mc_all`], or with `keep` [`Model::predict_mc_samples`], as one of several
    /// [ranks](crate::ranks): each draws for some of the rows, and all of them have the bits of one. Every rank has
    /// the same rows.
    pub fn predict_mc_on_ranks(
        &self,
        data: &Dataset,
        samples: usize,
        keep: bool,
        ranks: Arc<dyn Collective>,
    ) -> Result<Vec<McPrediction>> {
        let ranks = Some(ranks).filter(|ranks| ranks.ranks() > 1);
        self.predict_mc_keeping(data, samples, keep, ranks)
    }

    fn predict_mc_keeping(
        &self,
        data: &Dataset,
        samples: usize,
        keep: bool,
        ranks: Option<Arc<dyn Collective>>,
    ) -> Result<Vec<McPrediction>> {
        if samples == 0 {
            return Err(Error::invalid("samples", 0, "at least one"));
        }
        super::check::inputs(self, data)?;
        let shapes = self.output_shapes()?;
        if keep {
            // Twice, while they are put in order.
            let of_row = 2 * shapes.iter().map(Shape::size).sum::<usize>();
            let bytes = memory::bytes(size_of::<f32>(), &[of_row, samples, data.rows()]);
            memory::check("samples", bytes, |amount| {
                format!("{samples} of {} rows, {amount} in all", data.rows())
            })?;
        }
        let kinds: Vec<_> = (0..shapes.len()).map(|n| self.distribution(n)).collect();
        // Limit of samples of a row in one batch; the others run in the next.
        let together = samples.min(TOGETHER);
        let rows = (TOGETHER / together).max(1).min(data.rows());
        let sampler = Sampler {
            model: self,
            device: Device::default(),
            rows,
            together,
            samples,
            ranks,
        };
        let start = || {
            let each = kinds.iter().zip(&shapes);
            each.map(|(kind, shape)| {
                let gathered = Gathered::new(*kind, shape.size(), shape.last());
                gathered.keeping(keep.then_some(samples))
            })
            .collect()
        };
        let found = sampler.run(data, start)?.into_iter();
        let each = found.zip(&kinds).zip(&shapes);
        each.map(|((mut found, kind), shape)| {
            let kept = std::mem::take(&mut found.samples);
            let prediction = prediction(found, *kind, shape)?;
            let kept = keep.then(|| by_sample(&kept, samples, data.rows(), shape));
            Ok(McPrediction {
                samples: kept.transpose()?,
                ..prediction
            })
        })
        .collect()
    }

    /// The interpretation of an output's values, by its layer's activation.
    fn distribution(&self, output: usize) -> Option<Distribution> {
        let Some(&Source::Node(n)) = self.outputs.get(output) else {
            return None;
        };
        match self.layers[self.nodes[n].layer].rule.traits().effect {
            Effect::Activates(last) | Effect::Product(last) if last == Activation::Softmax => {
                Some(Distribution::Softmax)
            }
            Effect::Activates(last) | Effect::Product(last) if last == Activation::Sigmoid => {
                Some(Distribution::Sigmoid)
            }
            _ => None,
        }
    }
}

/// The statistics of an output of this shape.
fn prediction(found: Gathered, kind: Option<Distribution>, shape: &Shape) -> Result<McPrediction> {
    let one_each = match kind {
        Some(Distribution::Softmax) if shape.rank() > 1 => {
            shape.dims()[..shape.rank() - 1].to_vec()
        }
        Some(Distribution::Softmax) => vec![shape.size() / shape.last().max(1)],
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
        samples: None,
    })
}

/// Reorders samples grouped by row to the order of the samples.
fn by_sample(kept: &[f32], samples: usize, rows: usize, shape: &Shape) -> Result<Tensor> {
    let size = shape.size();
    let mut values = Vec::with_capacity(kept.len());
    for sample in 0..samples {
        for row in 0..rows {
            values.extend_from_slice(&kept[(row * samples + sample) * size..][..size]);
        }
    }
    let dims = std::iter::once(rows).chain(shape.dims().iter().copied());
    Tensor::from_f32(dims.collect::<Vec<_>>(), values)
}

/// The drawing of samples for all rows.
struct Sampler<'a> {
    model: &'a Model,
    device: Device,
    /// Rows per batch, and samples of each.
    rows: usize,
    together: usize,
    /// Samples per row over all batches.
    samples: usize,
    /// The ranks that share batches out, if there are several.
    ranks: Option<Arc<dyn Collective>>,
}

impl Sampler<'_> {
    /// Draws the samples, many batches in parallel. The part before the first noise is computed
    /// once for each row.
    fn run(
        &self,
        data: &Dataset,
        start: impl Fn() -> Vec<Gathered> + Sync,
    ) -> Result<Vec<Gathered>> {
        let (before, after) = noise::split(self.model)?;
        let tensors = feeds::tensors(self.model, data, false)?;
        let sizes: Vec<usize> = match &before {
            Some(_) => after.inputs.iter().map(size).collect(),
            None => tensors.iter().map(Tensor::size).collect(),
        };
        let pool = |model: &Model, mode, rows| PredictPool::new(model, &self.device, mode, rows);
        let before = before.map(|model| pool(&model, Mode::Infer, self.rows));
        let before = before.transpose()?;
        let after = pool(&after, Mode::Sample, self.rows * self.together)?;
        let parts = self.samples.div_ceil(self.together);
        let found = Mutex::new(Vec::new());
        let count = data.rows().div_ceil(self.rows);
        let batches = match &self.ranks {
            Some(ranks) => {
                let start = |rank| ranks::start(count, ranks.ranks(), rank);
                start(ranks.rank())..start(ranks.rank() + 1)
            }
            None => 0..count,
        };
        after.each(batches, |worker, batch| {
            let here = batch * self.rows..data.rows().min((batch + 1) * self.rows);
            let once: Vec<Vec<f32>> = sizes.iter().map(|n| vec![0.0; n * here.len()]).collect();
            let once = self.wait_for(before.as_ref(), &tensors, here.clone(), once)?;
            let mut gathered = start();
            gathered.iter_mut().for_each(|each| each.start(here.len()));
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
                worker.run(rows, &fill, &step);
                for (n, each) in gathered.iter_mut().enumerate() {
                    let mut outputs = vec![0.0; rows * each.size];
                    worker.output(n, &mut outputs);
                    each.add(&outputs, count);
                }
            }
            gathered
                .iter_mut()
                .for_each(|each| each.finish(self.samples));
            lock(&found).push((batch, gathered));
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable_by_key(|(batch, _)| *batch);
        let mut all = start();
        for (_, part) in found {
            for (all, part) in all.iter_mut().zip(part) {
                all.mean.extend(part.mean);
                all.std.extend(part.std);
                all.entropy.extend(part.entropy);
                all.information.extend(part.information);
                all.samples.extend(part.samples);
            }
        }
        if let Some(ranks) = &self.ranks {
            for all in &mut all {
                let Gathered {
                    mean,
                    std,
                    entropy,
                    information,
                    samples,
                    ..
                } = all;
                for values in [mean, std, entropy, information, samples] {
                    *values = gather_values(&**ranks, values)?.0;
                }
            }
        }
        Ok(all)
    }

    /// The input of the noisy part, for these rows.
    fn wait_for(
        &self,
        before: Option<&PredictPool>,
        tensors: &[Tensor],
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
            Some(pool) => pool.alone(|worker| {
                let step = Step::default();
                worker.run(here.len(), &gather, &step);
                for (n, values) in once.iter_mut().enumerate() {
                    worker.output(n, values);
                }
            })?,
        }
        Ok(once)
    }
}

/// Elements of a row of an input.
fn size(input: &Input) -> usize {
    input.shape.as_ref().map_or(1, |shape| shape.size()).max(1)
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_model_cut_where_its_noise_begins_computes_the_same() {
        let mut g = Functional::new();
        let (x, other) = (g.input([6]), g.input([3]));
        let h = g
            .layer(Dense::new(8).activation(Activation::Elu), x)
            .unwrap();
        let h = g.layer(BatchNormalization::new(), h).unwrap();
        let noisy = g.layer(Dropout::new(0.5), h).unwrap();
        // After the noise, and around it.
        let sum = g.layer(layers::Add::new(), [h, noisy]).unwrap();
        let all = g.layer(layers::Concatenate::new(), [sum, other]).unwrap();
        let y = g
            .layer(Dense::new(4).activation(Activation::Softmax), all)
            .unwrap();
        let model = g.model(y).unwrap();
        let rows = |n: usize, width: usize| {
            let values = (0..n * width).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0);
            Tensor::from_f32([width], values.collect()).unwrap()
        };
        let data = Dataset::from_parts(vec![rows(30, 6), rows(30, 3)], vec![]).unwrap();
        let (before, after) = crate::model::noise::split(&model).unwrap();
        let reached = before.unwrap().predict_all(&data).unwrap();
        assert_eq!(
            reached.len(),
            2,
            "the normalized numbers, and the other input"
        );
        let reached = Dataset::from_parts(reached, vec![]).unwrap();
        assert_eq!(
            after.predict(&reached).unwrap(),
            model.predict(&data).unwrap()
        );
        // The mask is part of the model: the same draws every time.
        let found = model.predict_mc(&data, 300).unwrap();
        let again = model.predict_mc(&data, 300).unwrap();
        assert_eq!(found.mean, again.mean);
        assert!(found.std.to_f32().iter().any(|&s| s > 0.0));
    }
}
