//! Layer traits: facts about a layer that other parts of the program ask for, stated in the
//! layer's own file, so that nobody keeps lists of layers.

use crate::rules::activations::Activation;

/// Facts about a layer with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTraits {
    /// When it draws random numbers.
    pub randomness: Randomness,
    /// Its effect on the size of numbers.
    pub effect: Effect,
    /// True if it is a means against overfitting.
    pub regularizes: bool,
    /// Its dropout, if it drops values.
    pub dropout: Option<Dropping>,
    /// True if training changes its weights by more than gradients: moving statistics.
    pub moves_statistics: bool,
    /// True if it can be applied to an input of text.
    pub takes_text: bool,
    /// True if it can be applied to numbers.
    pub takes_numbers: bool,
    /// True once the output shape no longer depends on `adapt`.
    pub ready: bool,
    /// True if a NaN of its input never comes out of it.
    pub stops_nan: bool,
    /// True if whole numbers below a limit stay so, each on its own.
    pub passes_indices: bool,
    /// Size of its vocabulary, the places of mask and unknown things included.
    pub vocabulary_size: Option<usize>,
    /// Limit of the whole numbers that it takes: those below name a thing each.
    pub takes_below: Option<usize>,
    /// Limit of the whole numbers that it gives, all of which are below.
    pub gives_below: Option<usize>,
}

/// Time at which a layer draws random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// Never.
    Never,
    /// In training, and in Monte Carlo predictions, which leave noise on.
    Training,
    /// In every prediction, too.
    Always,
    /// In training alone: Monte Carlo predictions take the mean, or images as they are.
    TrainingOnly,
}

/// A dropout of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropping {
    /// The share that is dropped; of noise, the rate of the dropout with the same deviation.
    pub rate: f64,
    /// True if mean and deviation stay as SELU keeps them.
    pub keeps_deviation: bool,
}

/// Effect of a layer on the size of the numbers that go through it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// None of the others.
    Other,
    /// Order of magnitude and sign stay, at least without the noise of training.
    KeepsScale,
    /// Mean 0 and deviation 1 by the statistics of a batch or row, then trained factors.
    Normalizes,
    /// Mean 0 and deviation 1, or the reverse, by statistics from before the training.
    Standardizes,
    /// Multiplied and shifted by fixed numbers.
    Rescales,
    /// This activation function and nothing else.
    Activates(Activation),
    /// A relative of this activation function, with arguments or weights of its own.
    ActivatesLike(Activation),
    /// A product with a matrix of weights, then this activation function.
    Product(Activation),
}

impl LayerTraits {
    /// A layer without randomness that takes numbers, nothing special about it.
    pub const fn deterministic() -> Self {
        Self::random(Randomness::Never)
    }

    /// A layer that draws random numbers then, and takes numbers, nothing else special
    /// about it.
    pub const fn random(randomness: Randomness) -> Self {
        LayerTraits {
            randomness,
            effect: Effect::Other,
            regularizes: false,
            dropout: None,
            moves_statistics: false,
            takes_text: false,
            takes_numbers: true,
            ready: true,
            stops_nan: false,
            passes_indices: false,
            vocabulary_size: None,
            takes_below: None,
            gives_below: None,
        }
    }

    /// Noise against overfitting, such as dropout: numbers keep their size.
    pub fn noise(randomness: Randomness) -> Self {
        let mut traits = Self::random(randomness);
        traits.effect = Effect::KeepsScale;
        traits.regularizes = true;
        traits
    }

    /// Dropout of that rate: numbers keep their mean.
    pub fn dropout(randomness: Randomness, rate: f64) -> Self {
        let mut traits = Self::noise(randomness);
        traits.dropout = Some(Dropping {
            rate,
            keeps_deviation: false,
        });
        traits
    }

    /// Dropout of that rate for SELU: numbers keep their mean and deviation.
    pub fn alpha_dropout(randomness: Randomness, rate: f64) -> Self {
        let mut traits = Self::noise(randomness);
        traits.dropout = Some(Dropping {
            rate,
            keeps_deviation: true,
        });
        traits
    }

    /// True if text is all that it can be applied to.
    pub(crate) fn takes_only_text(&self) -> bool {
        self.takes_text && !self.takes_numbers
    }
}
