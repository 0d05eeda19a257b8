//! Mixup: which rows of a batch are mixed, and how much of each.

use super::runner::{Batch, Runner};
use crate::base::random::{Key, Stream};
use crate::data::{Dataset, Tensor};
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::rules::losses::Reduction;
use std::ops::Range;

/// What is drawn for a batch.
pub(super) struct Mix {
    alpha: f64,
    /// The rows of which there is more in each mixture, and the others.
    more: Vec<u32>,
    less: Vec<u32>,
    /// The share of the first, from a half to 1.
    shares: Vec<f32>,
}

/// Refuses what cannot be mixed.
pub(super) fn check(model: &Model, train: &Dataset, weighed: bool, alpha: f64) -> Result<()> {
    const KEY: &str = "mixup";
    if !(alpha > 0.0 && alpha.is_finite()) {
        return Err(Error::invalid(KEY, alpha, "a finite number above 0"));
    }
    if weighed || train.sample_weight().is_some() {
        let found = "weights of rows or classes beside it";
        return Err(Error::invalid(KEY, found, "only one of the two"));
    }
    if model.feeds().iter().any(|feed| feed.lookup.is_some()) {
        let found = "an input of texts, whose indices have no mixture";
        return Err(Error::invalid(KEY, found, "inputs of numbers"));
    }
    for (_, goal) in model.compiled()?.trained() {
        if goal.loss.reduction == Reduction::MeanWithSampleWeight {
            let found = "a loss with the reduction mean_with_sample_weight";
            return Err(Error::invalid(KEY, found, "another reduction"));
        }
        if goal.loss.ignores_a_class() {
            let found = "a loss with ignore_class";
            return Err(Error::invalid(KEY, found, "a loss that counts every row"));
        }
    }
    Ok(())
}

impl Mix {
    /// Room for batches of so many rows.
    pub fn new(alpha: f64, rows: usize) -> Self {
        Mix {
            alpha,
            more: Vec::with_capacity(rows),
            less: Vec::with_capacity(rows),
            shares: Vec::with_capacity(rows),
        }
    }

    /// Draws for these rows: a function of the seed and the step.
    fn draw(&mut self, rows: &[u32], step: &Step) {
        let key = Key::new(step.seed, Stream::Mix, step.iteration);
        let mut random = key.sequence();
        self.less.clear();
        self.less.extend_from_slice(rows);
        random.shuffle(&mut self.less);
        self.more.clear();
        self.more.extend_from_slice(rows);
        self.shares.clear();
        for (more, less) in self.more.iter_mut().zip(&mut self.less) {
            let share = random.beta(self.alpha);
            if share < 0.5 {
                std::mem::swap(more, less);
            }
            self.shares.push(share.max(1.0 - share) as f32);
        }
    }

    /// Gathers rows, runs the plan on their mixtures, and fetches its results.
    pub fn run(
        &mut self,
        runner: &mut Runner,
        batch: &mut Batch,
        tensors: &[Tensor],
        rows: &[u32],
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        for tensor in tensors {
            tensor.check_rows(rows)?;
        }
        self.draw(rows, step);
        // As `Model::mix` has ordered the feeds.
        let count = tensors.len();
        let fill = |feed: usize, range: Range<usize>, to: &mut [f32]| {
            if feed < count {
                tensors[feed].copy_rows(&self.more[range], to);
            } else if feed < 2 * count {
                tensors[feed - count].copy_rows(&self.less[range], to);
            } else {
                to.copy_from_slice(&self.shares[range]);
                if feed > 2 * count {
                    to.iter_mut().for_each(|share| *share = 1.0 - *share);
                }
            }
        };
        runner.run_filled(batch, &fill, rows.len(), step, with_outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{self, Engine};
    use crate::model::Sequential;
    use crate::model::layers::{Dense, Flatten};
    use crate::rules::activations::Activation;
    use crate::rules::losses::Loss;
    use crate::rules::metrics::Metric;
    use crate::rules::optimizers::SGD;
    use crate::train::Fit;

    const ROWS: usize = 10;
    const BATCH: usize = 4;
    const CLASSES: usize = 3;

    fn network(loss: Loss) -> Model {
        let model = Sequential::new()
            .seed(6)
            .input([2, 3])
            .add(Flatten::new())
            .add(Dense::new(5).activation(Activation::Tanh))
            .add(Dense::new(CLASSES).activation(Activation::Softmax));
        model
            .compile(SGD::new().momentum(0.9), loss, &[Metric::Accuracy])
            .unwrap()
    }

    fn numbers() -> Vec<f32> {
        let number = |i: usize| (i * 7919 % 101) as f32 / 50.0 - 1.0;
        (0..ROWS * 6).map(number).collect()
    }

    fn class(row: u32) -> usize {
        row as usize * 5 % CLASSES
    }

    fn one_hot(mixed: impl Iterator<Item = Vec<(u32, f32)>>) -> Tensor {
        let mut values = Vec::new();
        for parts in mixed {
            let mut row = vec![0.0; CLASSES];
            for (of, share) in parts {
                row[class(of)] += share;
            }
            values.extend(row);
        }
        Tensor::from_f32([CLASSES], values).unwrap()
    }

    #[test]
    fn mixtures_are_trained_on() {
        // What is drawn for the rows in their order, and the mixtures of Keras' MixUp.
        let (mut mix, mut x, mut parts) = (Mix::new(0.4, BATCH), Vec::new(), Vec::new());
        let all = numbers();
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        for (iteration, rows) in rows.chunks(BATCH).enumerate() {
            let step = Step {
                seed: 6,
                iteration: iteration as u64,
                ..Step::default()
            };
            mix.draw(rows, &step);
            assert_eq!(mix.shares.len(), rows.len());
            for ((&a, &b), &share) in mix.more.iter().zip(&mix.less).zip(&mix.shares) {
                assert!((0.5..=1.0).contains(&share) && rows.contains(&a) && rows.contains(&b));
                let number = |row: u32, i: usize| all[row as usize * 6 + i];
                x.extend((0..6).map(|i| share * number(a, i) + (1.0 - share) * number(b, i)));
                parts.push(vec![(a, share), (b, 1.0 - share)]);
            }
        }
        let mixtures = Tensor::from_f32([2, 3], x).unwrap();
        let mixed = Dataset::new(mixtures, one_hot(parts.into_iter())).unwrap();
        let x = Tensor::from_f32([2, 3], all).unwrap();
        let classes = rows.iter().map(|&row| class(row) as f32).collect();
        let numbered = Dataset::new(x.clone(), Tensor::from_column(classes).unwrap()).unwrap();
        let hot = one_hot(rows.iter().map(|&row| vec![(row, 1.0)]));
        let hot = Dataset::new(x, hot).unwrap();

        let (sparse, dense) = (
            Loss::SparseCategoricalCrossentropy,
            Loss::CategoricalCrossentropy,
        );
        let engines: [Box<dyn Engine>; 2] =
            [engine::default(), Box::new(engine::reference::Reference)];
        for engine in engines {
            let trained = |loss: &Loss, data: &Dataset, alpha: Option<f64>| {
                let mut model = network(loss.clone());
                let mut options = Fit::new().batch_size(BATCH).shuffle(false);
                options.mixup = alpha;
                let history = model.fit_on(engine.as_ref(), data, options).unwrap();
                let weights = model.weights().flat_map(|w| w.values.clone());
                let measured = ["loss", "accuracy"].map(|name| history.last(name).unwrap());
                (weights.collect::<Vec<f32>>(), measured)
            };
            let wanted = trained(&dense, &mixed, None);
            for (loss, data) in [(&sparse, &numbered), (&dense, &hot)] {
                let found = trained(loss, data, Some(0.4));
                for (a, b) in wanted.0.iter().zip(&found.0) {
                    assert!((a - b).abs() < 2e-6, "{loss:?}: {a}, {b}");
                }
                for (a, b) in wanted.1.iter().zip(found.1) {
                    assert!(
                        (a - b).abs() < 1e-6,
                        "{loss:?}: {:?}, {:?}",
                        wanted.1,
                        found.1
                    );
                }
                assert_ne!(trained(loss, data, None).0, found.0);
            }
        }
    }

    #[test]
    fn what_cannot_be_mixed_is_refused() {
        let x = Tensor::from_f32([2, 3], numbers()).unwrap();
        let y = Tensor::from_column(vec![1.0; ROWS]).unwrap();
        let data = Dataset::new(x, y).unwrap();
        let refused = |options: Fit<'_>| {
            let mut model = network(Loss::SparseCategoricalCrossentropy);
            model.fit(&data, options).unwrap_err().to_string()
        };
        let found = refused(Fit::new().mixup(0.0));
        assert!(
            found.contains("mixup") && found.contains("above 0"),
            "{found}"
        );
        let found = refused(Fit::new().mixup(0.2).class_weight(&[(1, 2.0)]));
        assert!(found.contains("only one of the two"), "{found}");
    }
}
