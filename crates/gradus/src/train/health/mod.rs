//! Layer health: what signal and gradients are like in each layer at sampled steps.
//!
//! Gradients that vanish or explode, units that are dead or saturated (Glorot and Bengio,
//! "Understanding the difficulty of training deep feedforward neural networks", 2010) cannot be seen
//! in a loss until it is too late; they can be seen here.

mod csv;
mod measure;
mod sampling;

pub use crate::base::histogram::Histogram;
pub(super) use measure::{health, histograms};
pub(super) use sampling::Sampling;

/// The health of each layer at each sampled step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// The names of the layers, in the model's order.
    pub layers: Vec<String>,
    /// The sampled steps, in order.
    pub samples: Vec<HealthSample>,
}

/// The health of each layer at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthSample {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The steps that the model had taken before, in this and in earlier trainings.
    pub step: u64,
    /// One for each of [`Health::layers`].
    pub layers: Vec<LayerHealth>,
}

/// The health of a layer at one step, over the rows of its batch. What a layer does not have is
/// `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerHealth {
    /// The outputs, behind the activation.
    pub outputs: Option<Distribution>,
    /// The gradient of the loss with respect to the outputs, or, of a last activation that is one
    /// with its loss (softmax and crossentropy), with respect to what goes into it. `None` if nothing
    /// is trained there or below.
    pub gradients: Option<Distribution>,
    /// The ℓ2 norm of the gradient of the loss with respect to the layer's trained weights, before
    /// penalties, accumulation and clipping.
    pub gradient_norm: Option<f64>,
    /// The ℓ2 norm of its trained weights, before the step.
    pub weight_norm: Option<f64>,
    /// The ℓ2 norm of the step's change of the trained weights, over `weight_norm`. `None` in a step
    /// that only gathers gradients.
    pub update_ratio: Option<f64>,
    /// The share of units that were 0 for every row, of an activation that can be (the ReLU family).
    pub dead: Option<f64>,
    /// The share of outputs at the flat ends of their activation (sigmoid, tanh, softsign).
    pub saturated: Option<f64>,
}

/// The distribution of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of the population.
    pub std: f64,
    /// The largest absolute value; NaN if one of them is NaN or infinite.
    pub largest: f64,
}

/// A sampled step, for a callback.
#[derive(Clone, Copy, Debug)]
pub struct HealthView<'a> {
    /// The names of the layers.
    pub layers: &'a [String],
    /// Their health.
    pub sample: &'a HealthSample,
    /// Histograms, one for each layer; empty but for one sample of each epoch.
    pub histograms: &'a [LayerHistograms],
}

/// Histograms of a layer at one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerHistograms {
    /// Of the outputs.
    pub outputs: Option<Histogram>,
    /// Of the gradient of the loss with respect to each trained weight, by the weight's name.
    pub gradients: Vec<(String, Histogram)>,
}

impl LayerHealth {
    /// True if an output or a gradient is NaN or infinite.
    pub fn is_broken(&self) -> bool {
        let norm = self.gradient_norm.is_some_and(|norm| !norm.is_finite());
        let gradients = self.gradients.is_some_and(Distribution::is_broken);
        self.has_broken_outputs() || gradients || norm
    }

    /// True if an output is NaN or infinite.
    pub fn has_broken_outputs(&self) -> bool {
        self.outputs.is_some_and(Distribution::is_broken)
    }
}

impl Distribution {
    /// True if one of the numbers is NaN or infinite.
    fn is_broken(self) -> bool {
        !self.largest.is_finite()
    }
}
