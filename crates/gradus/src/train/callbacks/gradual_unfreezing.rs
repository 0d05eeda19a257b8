use super::{Callback, Training, optimizer_mut};
use crate::base::pattern::names;
use crate::error::{Error, Result};
use crate::model::Model;
use serde::{Deserialize, Serialize};

/// Name of the callback in errors.
const NAME: &str = "GradualUnfreezing";

/// Unfreezes layers from the top during training, optionally with a learning rate for each (ULMFiT:
/// Howard & Ruder 2018, sections 3.2 and 3.3).
///
/// Only layers with weights to train are counted; the top one is the last. It alone decides which
/// layers train: those of all stages so far, and no others. They stay so at the end. A frozen layer
/// costs no backward pass; when the trained layers change, the optimizer keeps its slots for those
/// that stay. It counts steps from the first one, so that Adam and its variants don't apply bias
/// correction to a layer that joins later: its first steps are up to three times as large.
///
/// ```
/// use gradus::train::callbacks::GradualUnfreezing;
///
/// // The new head for 4 epochs, then everything, with a lower rate.
/// let experiment = GradualUnfreezing::new()
///     .top(0, 1)
///     .all(4)
///     .learning_rate(0.001);
/// // One layer more with each epoch, each rate 1/2.6 of that of the layer above.
/// let ulmfit = GradualUnfreezing::new().factor(1.0 / 2.6);
/// # let _ = (experiment, ulmfit);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradualUnfreezing {
    /// Layers trained from each epoch on. Default: the top layer, and with each epoch the next one
    /// below.
    #[schemars(extend("examples" = [[{ "epoch": 0, "layers": 1 }, { "epoch": 4 }]]))]
    pub stages: Vec<Stage>,
    /// Factor of the learning rate from each layer to the one below. It replaces the optimizer's
    /// `layer_rates` during the training. Default 1.
    #[schemars(extend("examples" = [0.4]))]
    pub factor: f64,
    /// The optimizer's own `layer_rates`.
    #[serde(skip)]
    before: Vec<(String, f64)>,
}

/// A stage: more layers, trained from an epoch on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The epoch, from 0.
    #[schemars(extend("examples" = [4]))]
    pub epoch: usize,
    /// The layers. Default all.
    #[serde(default)]
    pub layers: Layers,
    /// Learning rate from then on. Default the previous one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [0.001]))]
    pub learning_rate: Option<f64>,
}

/// A selection of a model's layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(
    untagged,
    expecting = "expected a number of layers, or a list of names"
)]
pub enum Layers {
    /// The last ones, this many with weights to train.
    Top(usize),
    /// Layers whose names, or whose part's name, match; `*` stands for any text.
    Named(Vec<String>),
}

impl Default for Layers {
    fn default() -> Self {
        Layers::Named(vec!["*".into()])
    }
}

impl Default for GradualUnfreezing {
    fn default() -> Self {
        GradualUnfreezing {
            stages: Vec::new(),
            factor: 1.0,
            before: Vec::new(),
        }
    }
}

impl GradualUnfreezing {
    /// The top layer, and with each epoch the next one below; one learning rate for all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trains the last `layers` layers from that epoch on.
    pub fn top(self, epoch: usize, layers: usize) -> Self {
        self.stage(epoch, Layers::Top(layers))
    }

    /// Trains also the layers with matching names from that epoch on.
    pub fn named(self, epoch: usize, patterns: &[&str]) -> Self {
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned());
        self.stage(epoch, Layers::Named(patterns.collect()))
    }

    /// Trains everything from that epoch on.
    pub fn all(self, epoch: usize) -> Self {
        self.stage(epoch, Layers::default())
    }

    fn stage(mut self, epoch: usize, layers: Layers) -> Self {
        self.stages.push(Stage {
            epoch,
            layers,
            learning_rate: None,
        });
        self
    }

    /// Sets the learning rate of the last stage added.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        if let Some(stage) = self.stages.last_mut() {
            stage.learning_rate = Some(rate);
        }
        self
    }

    /// Sets the factor of the learning rate from each layer to the one below.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Refuses invalid stages, and those that name layers that the model does not have.
    pub fn check(&self, model: &Model) -> Result<()> {
        if !(self.factor > 0.0 && self.factor.is_finite()) {
            return Err(Error::invalid("factor", self.factor, "a number above 0"));
        }
        if !self.stages.is_empty() && self.stages.iter().all(|stage| stage.epoch > 0) {
            let expected = "one for epoch 0: nothing is trained before the first";
            return Err(Error::invalid("stages", "no stage for epoch 0", expected));
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let at = |key: &str| format!("stages[{i}].{key}");
            if let Some(rate) = stage.learning_rate
                && !(rate >= 0.0 && rate.is_finite())
            {
                let expected = "a number of 0 or more";
                return Err(Error::invalid(&at("learning_rate"), rate, expected));
            }
            match &stage.layers {
                Layers::Top(0) => {
                    return Err(Error::invalid(&at("layers"), 0, "at least one"));
                }
                Layers::Top(_) => {}
                Layers::Named(patterns) => {
                    for pattern in patterns {
                        if !model.layers.iter().any(|l| names(pattern, &l.name)) {
                            let known = model.layers.iter().map(|l| &*l.name);
                            return Err(Error::unknown(&at("layers"), "layer", pattern, known));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// True for each layer of the model that is trained in that epoch.
    fn trained(&self, model: &Model, epoch: usize) -> Vec<bool> {
        let mut depths = vec![None; model.layers.len()];
        for (depth, layer) in from_top(model).into_iter().enumerate() {
            depths[layer] = Some(depth);
        }
        let among_top = |layer: usize, count: usize| depths[layer].is_some_and(|d| d < count);
        let now = || self.stages.iter().filter(|stage| stage.epoch <= epoch);
        let layers = model.layers.iter().enumerate();
        let trained = layers.map(|(i, layer)| match self.stages.is_empty() {
            true => among_top(i, epoch.saturating_add(1)),
            false => now().any(|stage| match &stage.layers {
                Layers::Top(count) => among_top(i, *count),
                Layers::Named(patterns) => patterns.iter().any(|p| names(p, &layer.name)),
            }),
        });
        trained.collect()
    }
}

/// The indices of the layers with weights to train, the last first.
fn from_top(model: &Model) -> Vec<usize> {
    let layers = model.layers.iter().enumerate().rev();
    let with_weights = layers.filter(|(_, layer)| layer.weights.iter().any(|w| w.trainable));
    with_weights.map(|(i, _)| i).collect()
}

impl Callback for GradualUnfreezing {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        let checked = self.check(training.model);
        checked.map_err(|error| error.under(NAME))?;
        let model = &*training.model;
        self.before = model.compiled()?.optimizer()?.layer_rates.clone();
        if self.factor == 1.0 {
            return Ok(());
        }
        let mut rate = 1.0;
        let mut rates = Vec::new();
        for layer in from_top(model) {
            rates.push((model.layers[layer].name.clone(), rate));
            rate *= self.factor;
        }
        training.change(|model| {
            if let Some(optimizer) = optimizer_mut(model) {
                optimizer.layer_rates = rates;
            }
            Ok(())
        })
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        let trained = self.trained(training.model, epoch);
        let layers = &training.model.layers;
        if layers.iter().zip(&trained).any(|(l, &t)| l.trainable != t) {
            training.change(|model| {
                for (layer, trained) in model.layers.iter_mut().zip(trained) {
                    layer.trainable = trained;
                }
                Ok(())
            })?;
        }
        let begun = self.stages.iter().filter(|stage| stage.epoch == epoch);
        if let Some(rate) = begun.filter_map(|stage| stage.learning_rate).next_back() {
            if training.learning_rate().is_nan() {
                let found = "a learning rate beside a schedule";
                return Err(Error::invalid(NAME, found, "only one of the two"));
            }
            training.set_learning_rate(rate);
        }
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        if let Some(optimizer) = optimizer_mut(training.model) {
            optimizer.layer_rates = std::mem::take(&mut self.before);
        }
        Ok(())
    }
}
