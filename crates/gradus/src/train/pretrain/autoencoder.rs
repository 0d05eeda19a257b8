//! Stacked autoencoders: plain, denoising, sparse; trained all layers at once or greedily.

use super::course::Course;
use super::encoder::Encoder;
use super::kind::Pretraining;
use super::options::{PretrainOptions, option_setters};
use crate::base::setters::setters;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::layers::{
    Activation as ActivationLayer, ActivityRegularization, Dropout, GaussianNoise,
};
use crate::model::{Compiled, Model, OutputLoss};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::train::History;
use std::ops::Range;

/// Pretrains a chain's first layers to encode the input: a decoder, their mirror, is appended, and
/// both learn to reconstruct the input. (Hinton & Salakhutdinov, "Reducing the dimensionality of
/// data with neural networks", 2006.)
///
/// ```
/// use gradus::prelude::*;
/// use gradus::train::Autoencoder;
///
/// let digits = gradus::data::digits(Split::Train)?.slice(0..256)?;
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(32).activation(Activation::Elu))
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
/// let unlabelled = digits.clone().without_targets();
/// Autoencoder::new().epochs(2).dropout(0.2).pretrain(&mut model, &unlabelled)?;
/// model.fit(&digits, Fit::new().epochs(2))?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Autoencoder {
    /// Extent and training, as of every kind.
    pub options: PretrainOptions,
    /// Distance of the output from the input. Default the mean squared error; with
    /// the binary crossentropy, for inputs from 0 to 1, the output is a sigmoid.
    pub loss: Loss,
    /// Standard deviation of noise added to the input, but not to the target. Default 0. (Vincent
    /// et al., "Stacked denoising autoencoders", 2010.)
    pub noise: f64,
    /// Dropout rate of the inputs, which are to be reconstructed. Default 0.
    pub dropout: f64,
    /// Cost of the code's absolute values in the loss: a sparse autoencoder.
    /// Default 0.
    pub sparsity: f64,
    /// True to train one layer after the other, each to give back what the ones
    /// before it make of the input (Bengio et al., "Greedy layer-wise training of
    /// deep networks", 2006). Default all at once.
    pub greedy: bool,
    /// True if each layer of the decoder uses the kernel of the encoder's, turned:
    /// half as many weights, and less to overfit with. Default kernels of its own.
    pub tied: bool,
}

impl Default for Autoencoder {
    fn default() -> Self {
        Autoencoder {
            options: PretrainOptions::default(),
            loss: Loss::MeanSquaredError,
            noise: 0.0,
            dropout: 0.0,
            sparsity: 0.0,
            greedy: false,
            tied: false,
        }
    }
}

option_setters!(Autoencoder);

impl Autoencoder {
    /// Ten epochs of Nadam on the mean squared error, all layers at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Pretrains the first layers of `model` on the inputs of `data`, whose targets are ignored.
    /// The other layers stay as they are, and the optimizer's state is reset. Returns one history,
    /// or one for each greedy layer.
    pub fn pretrain(&self, model: &mut Model, data: &Dataset) -> Result<Vec<History>> {
        self.pretrain_on(model, data, &mut Course::default())
    }

    /// Trains these layers to reconstruct the inputs of `data`.
    fn train(
        &self,
        encoder: &mut Encoder<'_>,
        range: Range<usize>,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<()> {
        let input = encoder.input(range.start).clone();
        let mut chain = encoder.chain(input.clone());
        let mut before = 0;
        // 0 disables each; the layer itself refuses an invalid rate.
        if self.noise != 0.0 {
            chain = chain.add_named("noise", GaussianNoise::new(self.noise), true);
            before += 1;
        }
        if self.dropout != 0.0 {
            chain = chain.add_named("masking", Dropout::new(self.dropout), true);
            before += 1;
        }
        chain = encoder.add(chain, range.clone());
        if self.sparsity != 0.0 {
            let sparsity = ActivityRegularization::new(self.sparsity, 0.0);
            chain = chain.add_named("sparsity", sparsity, true);
        }
        let sigmoid = self.loss == Loss::BinaryCrossentropy && range.start == 0;
        let output = sigmoid.then(|| ActivationLayer::new(Activation::Sigmoid).into());
        for layer in encoder.mirror(range.clone(), output, self.tied)? {
            chain = chain.add_named("decoder", layer, true);
        }
        let mut model = chain.build()?;
        encoder.give(&mut model, range.clone(), before);
        // Hidden outputs are unbounded; only the input is from 0 to 1.
        let loss = match range.start {
            0 => self.loss.clone(),
            _ => Loss::MeanSquaredError,
        };
        let under = |error: Error| error.under("pretrain");
        model
            .compile_with(Compiled::new(
                self.options.optimizer.clone(),
                OutputLoss::new(loss),
            ))
            .map_err(under)?;
        let x = data.inputs()[0].clone();
        let y = x.clone().reshaped([input.size()])?;
        let rows = Dataset::new(x, y)?;
        let draw = |_| Ok(rows.clone());
        course.train(&mut model, &self.options, encoder.model(), false, draw)?;
        encoder.take(model, range, before);
        Ok(())
    }
}

impl Pretraining for Autoencoder {
    fn on_chain(
        &self,
        model: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        let row = data.inputs()[0].shape().clone();
        let mut encoder = Encoder::of(model, self.options.until.as_deref(), &row)?;
        if !self.greedy {
            let all = 0..encoder.end;
            self.train(&mut encoder, all, data, course)?;
            return Ok(course.end());
        }
        if let Some(pretrained) = course.pretrained() {
            encoder.put_back(pretrained)?;
        }
        let dense = encoder.dense(0..encoder.end);
        let mut codes = data.clone().without_targets();
        let mut start = 0;
        let ends = dense.iter().skip(1).copied().chain([encoder.end]);
        for (part, next) in ends.enumerate() {
            if part == course.parts() {
                self.train(&mut encoder, start..next, &codes, course)?;
            }
            let layers = encoder.network(encoder.input(start).clone(), start..next)?;
            codes = Dataset::unlabelled(layers.predict(&codes)?);
            start = next;
        }
        Ok(course.end())
    }
}

setters!(Autoencoder {
    /// Sets the reconstruction loss.
    loss(into Loss);
    /// Sets the standard deviation of the input's noise.
    noise(f64);
    /// Sets the dropout rate of the inputs.
    dropout(f64);
    /// Sets the L1 factor on the code.
    sparsity(f64);
    /// Trains one layer after the other, or all at once.
    greedy(bool);
    /// Enables or disables tied weights.
    tied(bool);
});
