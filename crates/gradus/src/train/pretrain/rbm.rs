//! A stack of restricted Boltzmann machines, trained greedily by contrastive divergence.

mod machine;
mod training;

use super::course::Course;
use super::encoder::Encoder;
use super::kind::Pretraining;
use crate::base::setters::setters;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::model::{LayerEntry, Model};
use crate::rules::activations::Activation;
use crate::train::History;
use machine::{Machine, Moving};

/// The epochs before the momentum rises, and the momentum until then.
const SETTLING: (usize, f64) = (5, 0.5);

/// Pretrains a chain's Dense layers with sigmoids as a stack of restricted Boltzmann machines, one
/// after the other, without labels: each learns to reconstruct the rows that reach it, by contrastive
/// divergence. (Hinton, Osindero & Teh, "A fast learning algorithm for deep belief nets", 2006;
/// Hinton, "A practical guide to training restricted Boltzmann machines", 2010.)
///
/// Units are on or off, so rows are numbers from 0 to 1, which are probabilities. A machine begins
/// with its layer's weights: the guide's are small, `RandomNormal` of a deviation of 0.01. The
/// momentum is 0.5 in the first five epochs. A history's loss is the mean squared error of the rows'
/// first reconstruction.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::train::Rbm;
///
/// let digits = gradus::data::digits(Split::Train)?.slice(0..256)?;
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(gradus::layers::Rescaling::new(1.0 / 16.0)) // grey from 0 to 16
///     .add(Dense::new(32).activation(Activation::Sigmoid))
///     .add(Dense::new(16).activation(Activation::Sigmoid))
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
/// let histories = Rbm::new().epochs(2).pretrain(&mut model, &digits)?;
/// assert_eq!(histories.len(), 2);
/// model.fit(&digits, Fit::new().epochs(2))?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rbm {
    /// Last layer to pretrain. Default the one before the last Dense layer.
    pub until: Option<String>,
    /// Epochs of each machine. Default 10.
    pub epochs: usize,
    /// Rows of a batch. Default 32.
    pub batch_size: usize,
    /// Learning rate. Default 0.1.
    pub learning_rate: f64,
    /// Momentum after the first five epochs. Default 0.9.
    pub momentum: f64,
    /// Weight decay of the kernel, which the learning rate multiplies. Default 0.0002.
    pub weight_decay: f64,
    /// Number of reconstructions of a step: CD-k. Default 1.
    pub k: usize,
}

impl Default for Rbm {
    fn default() -> Self {
        Rbm {
            until: None,
            epochs: 10,
            batch_size: 32,
            learning_rate: 0.1,
            momentum: 0.9,
            weight_decay: 0.0002,
            k: 1,
        }
    }
}

impl Rbm {
    /// Ten epochs of CD-1.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the last layer to pretrain.
    pub fn until(mut self, layer: impl Into<String>) -> Self {
        self.until = Some(layer.into());
        self
    }

    /// Pretrains the first layers of `model` on the inputs of `data`, whose targets are ignored.
    /// The other layers stay as they are, and the optimizer's state is reset. Returns a history for
    /// each layer.
    pub fn pretrain(&self, model: &mut Model, data: &Dataset) -> Result<Vec<History>> {
        self.pretrain_on(model, data, &mut Course::default())
    }
}

impl Pretraining for Rbm {
    fn check(&self) -> Result<()> {
        let finite = |name: &str, number: f64, fits: bool, expected: &str| match fits {
            true => Ok(()),
            false => Err(Error::invalid(
                &format!("pretrain.{name}"),
                number,
                expected,
            )),
        };
        let (rate, momentum, decay) = (self.learning_rate, self.momentum, self.weight_decay);
        let fits = rate > 0.0 && rate.is_finite();
        finite("learning_rate", rate, fits, "a number above 0")?;
        let fits = (0.0..1.0).contains(&momentum);
        finite(
            "momentum",
            momentum,
            fits,
            "a number of 0 or more and below 1",
        )?;
        let fits = decay >= 0.0 && decay.is_finite();
        finite("weight_decay", decay, fits, "a number of 0 or more")?;
        finite(
            "k",
            self.k as f64,
            self.k > 0,
            "a whole number of 1 or more",
        )
    }

    fn on_chain(
        &self,
        model: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        let row = data.inputs()[0].shape().clone();
        let mut encoder = Encoder::of(model, self.until.as_deref(), &row)?;
        let dense = encoder.dense(0..encoder.end);
        for &i in &dense {
            check_layer(&encoder.model().layers[i])?;
        }
        if let Some(pretrained) = course.pretrained() {
            encoder.put_back(pretrained)?;
        }
        let mut codes = data.clone().without_targets();
        let mut start = 0;
        for (part, &i) in dense.iter().enumerate() {
            if i > start {
                let before = encoder.network(encoder.input(start).clone(), start..i)?;
                codes = Dataset::unlabelled(before.predict(&codes)?);
            }
            if part == course.parts() {
                let name = encoder.model().layers[i].name.clone();
                let rows = probabilities(&name, &codes.inputs()[0])?;
                let [kernel, bias] = &encoder.model().layers[i].weights[..] else {
                    return Err(Error::Internal("a Dense layer without weights".into()));
                };
                let (kernel, bias) = (kernel.values.clone(), bias.values.clone());
                let visible = visible_bias(&rows, encoder.input(i).size());
                let mut machine = Machine::new(
                    Moving::at_rest(kernel),
                    Moving::at_rest(bias),
                    Moving::at_rest(visible),
                );
                self.train((&name, &mut machine), &rows, &encoder, course)?;
                encoder.set(i, [machine.kernel.values, machine.hidden_bias.values])?;
            }
            let layer = encoder.network(encoder.input(i).clone(), i..i + 1)?;
            codes = Dataset::unlabelled(layer.predict(&codes)?);
            start = i + 1;
        }
        Ok(course.end())
    }
}

/// Refuses a layer whose units are no machine's.
fn check_layer(layer: &LayerEntry) -> Result<()> {
    let Some(dense) = layer.rule.as_dense() else {
        return Ok(());
    };
    let name = format!("layer {}", layer.name);
    if dense.activation != Activation::Sigmoid {
        let expected = "sigmoid: a unit of a restricted Boltzmann machine is on with that \
                        probability; an autoencoder pretrains layers with any activation";
        let found = dense.activation.class();
        return Err(Error::invalid(
            &format!("{name}: activation"),
            found,
            expected,
        ));
    }
    if !dense.use_bias {
        let expected = "true: each unit of a restricted Boltzmann machine has a bias";
        return Err(Error::invalid(
            &format!("{name}: use_bias"),
            false,
            expected,
        ));
    }
    Ok(())
}

/// The rows that reach a layer, if they can be probabilities.
fn probabilities(layer: &str, rows: &Tensor) -> Result<Vec<f32>> {
    if rows.shape().rank() != 1 {
        let at = format!("layer {layer}");
        let expected = "rows of one axis: put a Flatten before it";
        return Err(Error::shape(&at, rows.shape(), expected));
    }
    let numbers = rows.to_f32();
    match numbers.iter().find(|x| !(0.0..=1.0).contains(*x)) {
        None => Ok(numbers),
        Some(wrong) => {
            let expected = "numbers from 0 to 1, the probabilities of a restricted Boltzmann \
                            machine's visible units: `scale = \"unit\"` for pixels, or a `Rescaling` \
                            layer before it";
            let at = format!("layer {layer}: its inputs");
            Err(Error::invalid(&at, wrong, expected))
        }
    }
}

/// The biases with which visible units are on as often as in these rows.
fn visible_bias(rows: &[f32], visible: usize) -> Vec<f32> {
    const RARE: f64 = 0.01;
    let mut means = vec![0.0_f64; visible];
    for row in rows.chunks_exact(visible.max(1)) {
        for (mean, x) in means.iter_mut().zip(row) {
            *mean += f64::from(*x);
        }
    }
    let count = (rows.len() / visible.max(1)).max(1) as f64;
    let bias = |sum: f64| {
        let mean = (sum / count).clamp(RARE, 1.0 - RARE);
        (mean / (1.0 - mean)).ln() as f32
    };
    means.into_iter().map(bias).collect()
}

setters!(Rbm {
    /// Sets the epochs of each machine.
    epochs(usize);
    /// Sets the rows of a batch.
    batch_size(usize);
    /// Sets the learning rate.
    learning_rate(f64);
    /// Sets the momentum after the first five epochs.
    momentum(f64);
    /// Sets the weight decay of the kernel.
    weight_decay(f64);
    /// Sets the number of reconstructions of a step.
    k(usize);
});
