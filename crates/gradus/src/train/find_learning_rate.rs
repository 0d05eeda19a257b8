//! The learning-rate finder (Smith 2015, "Cyclical Learning Rates for Training
//! Neural Networks", section 3.3; Géron, *Hands-On Machine Learning*, chapter 11).

use super::batch_loader::{BatchLoader, Order};
use super::callbacks::Training;
use super::steps::Steps;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::lowering::PlanSpec;
use crate::plan::Mode;
use crate::predict::device::Device;

/// The learning-rate search: a few hundred training steps, each at a higher rate than the previous
/// one, while the loss is observed.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRateFinder {
    min_rate: f64,
    max_rate: f64,
    steps: usize,
    batch_size: usize,
    shuffle: bool,
    class_weight: Vec<(usize, f64)>,
    smoothing: f64,
    blow_up: f64,
}

impl Default for LearningRateFinder {
    fn default() -> Self {
        LearningRateFinder {
            min_rate: 1e-5,
            max_rate: 10.0,
            steps: 500,
            batch_size: 32,
            shuffle: true,
            class_weight: Vec::new(),
            smoothing: 0.95,
            blow_up: 3.0,
        }
    }
}

impl LearningRateFinder {
    /// From 1e-5 to 10 in 500 steps on batches of 32 rows, as in the book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the first rate. Default 1e-5.
    pub fn min_rate(mut self, rate: f64) -> Self {
        self.min_rate = rate;
        self
    }

    /// Sets the last rate. Default 10.
    pub fn max_rate(mut self, rate: f64) -> Self {
        self.max_rate = rate;
        self
    }

    /// Sets the number of steps between them. Default 500.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the batch size; it should be the training's. Default 32.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Sets whether each epoch shuffles the rows anew. Default yes.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Weights the loss of each row by its class, as [`Fit::class_weight`] does.
    ///
    /// [`Fit::class_weight`]: super::Fit::class_weight
    pub fn class_weight(mut self, weights: &[(usize, f64)]) -> Self {
        self.class_weight = weights.to_vec();
        self
    }

    /// Sets the weight of previous losses in the smoothed loss; 0 disables smoothing. Default 0.95.
    pub fn smoothing(mut self, share: f64) -> Self {
        self.smoothing = share;
        self
    }

    /// Sets the climb of the loss that ends the search, as a multiple of its previous fall, or of
    /// its lowest value if that is larger. Default 3.
    pub fn blow_up(mut self, times: f64) -> Self {
        self.blow_up = times;
        self
    }

    /// The rate of a step, growing by a constant factor.
    fn rate(&self, step: usize) -> f64 {
        let share = step as f64 / (self.steps - 1) as f64;
        self.min_rate * (self.max_rate / self.min_rate).powf(share)
    }

    fn check(&self) -> Result<()> {
        let wrong = |at: &str, found: f64, expected: &str| Err(Error::invalid(at, found, expected));
        if !(self.min_rate > 0.0 && self.min_rate.is_finite()) {
            return wrong("min_rate", self.min_rate, "a number above 0");
        }
        if !(self.max_rate > self.min_rate && self.max_rate.is_finite()) {
            return wrong("max_rate", self.max_rate, "a number above min_rate");
        }
        if self.steps < 2 {
            return wrong("steps", self.steps as f64, "at least 2");
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return wrong("smoothing", self.smoothing, "a number from 0 to below 1");
        }
        if self.blow_up.is_nan() || self.blow_up <= 0.0 {
            return wrong("blow_up", self.blow_up, "a number above 0");
        }
        Ok(())
    }
}

/// One step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// Learning rate.
    pub rate: f64,
    /// Mean loss of its batch, before its update.
    pub loss: f64,
    /// Smoothed loss: the exponential moving average so far, over the sum of its weights, as Adam
    /// corrects its moments.
    pub smoothed: f64,
}

/// The result of the search.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRateCurve {
    /// The steps, by rising rate.
    pub points: Vec<RatePoint>,
    /// True if the loss blew up, which ended the search.
    pub blew_up: bool,
}

impl LearningRateCurve {
    /// The rate at which the loss starts to climb: the minimum of the smoothed loss. `None` if that
    /// is at the first step, since the loss never fell.
    pub fn turning_point(&self) -> Option<f64> {
        let lowest = |best: usize, i: usize| match self.points[i].smoothed {
            loss if loss < self.points[best].smoothed => i,
            _ => best,
        };
        let lowest = (0..self.points.len()).reduce(lowest)?;
        (lowest > 0).then(|| self.points[lowest].rate)
    }

    /// The recommended rate: a tenth of the turning point, as in the book.
    pub fn suggested_rate(&self) -> Option<f64> {
        self.turning_point().map(|rate| rate / 10.0)
    }

    /// The peak rate of a 1cycle schedule: half of the turning point. It may be near the edge,
    /// since few steps are taken at it, and with less momentum.
    pub fn suggested_max_rate(&self) -> Option<f64> {
        self.turning_point().map(|rate| rate / 2.0)
    }

    /// As `.csv`: a line for each step, in full precision.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("learning_rate,loss,smoothed_loss\n");
        for point in &self.points {
            csv += &format!("{},{},{}\n", point.rate, point.loss, point.smoothed);
        }
        csv
    }
}

impl Model {
    /// Searches a learning rate for training on `data`. The model stays unchanged, to the bit: a
    /// copy of it is trained.
    ///
    /// The rate rises exponentially from step to step until the smoothed loss has blown up, or the
    /// highest rate is reached. The optimizer's other arguments are kept; its learning rate is not
    /// used.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::train::LearningRateFinder;
    ///
    /// let train = data::digits(Split::Train)?;
    /// let mut model = Sequential::new()
    ///     .add(Flatten::new())
    ///     .add(Dense::new(50).activation(Activation::Elu))
    ///     .add(Dense::new(10).activation(Activation::Softmax))
    ///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
    /// let curve = model.find_learning_rate(&train, LearningRateFinder::new())?;
    /// let rate = curve.suggested_rate().expect("the loss falls");
    /// assert!(rate > 1e-4 && rate < 0.1, "{rate}");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn find_learning_rate(
        &self,
        data: impl Into<Data>,
        finder: LearningRateFinder,
    ) -> Result<LearningRateCurve> {
        let (data, device) = (data.into(), Device::default());
        finder.check()?;
        let mut model = self.clone();
        let Some(rows) = data.rows() else {
            let expected = "rows that can be visited again: a training has to see them too";
            return Err(Error::invalid("data", "a generator", expected));
        };
        let data = model.prepare(&device, data, None, &finder.class_weight)?;
        let steps = rows.div_ceil(finder.batch_size.max(1));
        let order = Order {
            batch_size: finder.batch_size,
            shuffle: finder.shuffle,
            seed: model.seed,
            epochs: (0, finder.steps.div_ceil(steps)),
            steps_per_epoch: None,
        };
        let loader = BatchLoader::new(&model, &data, order, &finder.class_weight)?;
        let spec = PlanSpec {
            mode: Mode::Train,
            rows: finder.batch_size.min(rows),
            weighted: data.sample().sample_weight().is_some() || !finder.class_weight.is_empty(),
            mixed: false,
            bfloat16: false,
            observed: false,
            from_features: false,
        };
        let mut training = Training::new(&mut model, device, vec![spec], f64::NAN)?;
        let mut steps = Steps::new(training.model, &training.runner, loader)?;
        watch(&finder, |step, rate| {
            let (epoch, batch) = (step / steps.count(), step % steps.count());
            if batch == 0 {
                steps.start_epoch(epoch);
            }
            steps.wait_for(batch)?;
            steps.meters.reset();
            steps.take(&mut training, batch, rate.into())?;
            Ok(steps.meters.loss())
        })
    }
}

/// Takes steps at rising rates until the loss, which each returns, blows up.
fn watch(
    finder: &LearningRateFinder,
    mut step: impl FnMut(usize, f64) -> Result<f64>,
) -> Result<LearningRateCurve> {
    let mut points: Vec<RatePoint> = Vec::new();
    let (mut sum, mut weight) = (0.0, 0.0);
    let mut lowest = f64::INFINITY;
    let mut blew_up = false;
    for number in 0..finder.steps {
        let rate = finder.rate(number);
        let loss = step(number, rate)?;
        if !loss.is_finite() {
            blew_up = true;
            break;
        }
        sum = finder.smoothing * sum + (1.0 - finder.smoothing) * loss;
        weight = finder.smoothing * weight + (1.0 - finder.smoothing);
        let smoothed = sum / weight;
        points.push(RatePoint {
            rate,
            loss,
            smoothed,
        });
        lowest = smoothed.min(lowest);
        let fallen = points[0].smoothed - lowest;
        if smoothed - lowest > finder.blow_up * fallen.max(lowest.abs()) {
            blew_up = true;
            break;
        }
    }
    Ok(LearningRateCurve { points, blew_up })
}

#[cfg(test)]
mod tests;
