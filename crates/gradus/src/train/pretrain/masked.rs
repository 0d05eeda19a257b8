//! Masked-feature prediction: some features of a row are masked, and predicted from the others.

use super::course::Course;
use super::encoder::Encoder;
use super::kind::Pretraining;
use super::options::{PretrainOptions, option_setters};
use crate::base::random::{Key, Stream};
use crate::base::setters::setters;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::model::layers::Multiply;
use crate::model::{Compiled, Functional, Model, OutputLoss};
use crate::rules::losses::Loss;
use crate::train::History;

/// Pretrains a chain's first layers on rows of a table without labels: a share of each row's
/// features, drawn anew in every epoch, is set to 0, and the network learns to predict them from
/// the others; only masked features count in the loss. (After Devlin et al., "BERT", 2018, and for
/// tables Arik & Pfister, "TabNet", 2019.)
///
/// 0 should be a typical value: scale features to a mean of 0, or begin the model with a
/// `Normalization`.
#[derive(Clone, Debug)]
pub struct MaskedFeatures {
    /// Extent and training, as of every kind.
    pub options: PretrainOptions,
    /// Share of the features that is masked, above 0 and below 1. Default 0.3.
    pub rate: f64,
}

impl Default for MaskedFeatures {
    fn default() -> Self {
        MaskedFeatures {
            options: PretrainOptions::default(),
            rate: 0.3,
        }
    }
}

option_setters!(MaskedFeatures);

impl MaskedFeatures {
    /// Ten epochs of Nadam, three features of ten masked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Pretrains the first layers of `model` on the inputs of `data`, whose targets are ignored.
    /// The other layers stay as they are, and the optimizer's state is reset. Returns the mean
    /// squared error of masked features.
    pub fn pretrain(&self, model: &mut Model, data: &Dataset) -> Result<Vec<History>> {
        self.pretrain_on(model, data, &mut Course::default())
    }

    /// Draws for an epoch: the seen features, the mask, and the hidden features.
    fn mask(&self, x: &[f32], row: &[usize], seed: u64, epoch: u64) -> Result<Dataset> {
        let mut random = Key::new(seed, Stream::Pretrain, epoch).sequence();
        let (mut seen, mut hidden) = (x.to_vec(), vec![0.0; x.len()]);
        let mut wanted = vec![0.0; x.len()];
        for i in 0..x.len() {
            if random.uniform() < self.rate {
                (seen[i], hidden[i], wanted[i]) = (0.0, 1.0, x[i]);
            }
        }
        let flat = [row.iter().product()];
        Dataset::from_parts(
            vec![
                Tensor::from_f32(row, seen)?,
                Tensor::from_f32(flat, hidden)?,
            ],
            vec![Tensor::from_f32(flat, wanted)?],
        )
    }
}

impl Pretraining for MaskedFeatures {
    fn check(&self) -> Result<()> {
        if !(self.rate > 0.0 && self.rate < 1.0) {
            let expected = "a share above 0 and below 1";
            return Err(Error::invalid("pretrain.rate", self.rate, expected));
        }
        Ok(())
    }

    fn on_chain(
        &self,
        model: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        let row = data.inputs()[0].shape().clone();
        let encoder = Encoder::of(model, self.options.until.as_deref(), &row)?;
        let (seed, all) = (encoder.seed(), 0..encoder.end);
        let network = encoder.network(row.clone(), all.clone())?;

        // The mask is an input, too: features that are not masked are 0 in outputs and targets.
        let mut graph = Functional::new().seed(seed);
        let (seen, hidden) = (graph.input(row.clone()), graph.input([row.size()]));
        let part = graph.nest("encoder", &network)?;
        let mut told = graph.call(part, seen)?;
        for layer in encoder.mirror(all, None, false)? {
            told = graph.layer_named("decoder", layer, told)?;
        }
        let told = graph.layer(Multiply::new(), [told, hidden])?;
        let mut model = graph.model([told])?;
        // A mean over all features would shrink with the share of masked ones.
        let output_loss = OutputLoss::new(Loss::MeanSquaredError).weight(1.0 / self.rate);
        model
            .compile_with(Compiled::new(self.options.optimizer.clone(), output_loss))
            .map_err(|error| error.under("pretrain"))?;

        let x = data.inputs()[0].to_f32();
        let draw = |epoch| self.mask(&x, row.dims(), seed, epoch);
        encoder.train_part(network, &mut model, (&self.options, &mut *course), draw)?;
        Ok(course.end())
    }
}

setters!(MaskedFeatures {
    /// Sets the share of the features that is masked.
    rate(f64);
});
