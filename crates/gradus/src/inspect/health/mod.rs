//! Findings about the health of layers and the course of a loss, while a model is trained.

mod course;
mod gradients;
mod initial;
mod steps;
mod units;

pub use initial::InitialHealth;

use super::graph::Graph;
use crate::data::checks::Finding;
use crate::error::Result;
use crate::model::Model;
use crate::model::layers::Effect;
use crate::train::callbacks::{Callback, Training};
use crate::train::health::{HealthSample, HealthView};
use crate::train::{Epoch, History, Logs};
use std::collections::HashSet;
use std::fmt;

/// A callback that looks at the health of layers and the loss of epochs, and tells what is wrong: each
/// kind of fault once.
///
/// | name | finds |
/// | --- | --- |
/// | `vanishing_gradients` | first layers whose gradient, over the norm of their weights, is less than 1/300 of the largest |
/// | `exploding_gradients` | first layers whose gradient, over the norm of their weights, is more than 1000 times the last one's |
/// | `dead_units` | a layer half of whose units give 0 for all rows of three samples |
/// | `saturated_units` | a hidden layer most of whose outputs are at the flat ends of the activation |
/// | `update_ratio` | steps that change the weights by far more, or far less, than 1/1000 of their size |
/// | `not_finite` | the first layer with NaN or infinite numbers, in a training that goes on |
/// | `diverging` | a loss that climbs again |
/// | `stalled` | a loss that does not fall |
/// | `one_class` | the same class predicted for every validation row, for three epochs |
/// | `overfitting` | a validation loss that climbs while the training loss falls |
///
/// ```
/// use gradus::inspect::HealthWatch;
/// use gradus::prelude::*;
///
/// let mut model = Sequential::new().add(Flatten::new());
/// for _ in 0..30 {
///     model = model.add(Dense::new(20).activation("sigmoid").kernel_initializer("random_normal"));
/// }
/// let mut model = model
///     .add(Dense::new(10).activation("softmax"))
///     .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])?;
/// let mut told = Vec::new();
/// let watch = HealthWatch::new(&model, |finding| {
///     told.push(finding.to_string());
///     Ok(())
/// });
/// model.fit(&data::digits(Split::Train)?, Fit::new().callback(watch))?;
/// assert!(told[0].contains("vanishing_gradients"), "{told:?}");
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct HealthWatch<'a> {
    tell: Box<Tell<'a>>,
    stops_early: bool,
    seen: Seen,
    /// The names of the findings that were told.
    told: HashSet<&'static str>,
}

/// A callback for findings.
type Tell<'a> = dyn FnMut(&Finding) -> Result<()> + 'a;

/// A look at what was seen so far; `None` if all is well.
type Rule = fn(&Seen) -> Option<Finding>;

/// The rules for samples of health.
const OF_SAMPLES: &[Rule] = &[
    gradients::vanish,
    gradients::explode,
    units::are_dead,
    units::are_saturated,
    steps::are_large,
    steps::are_small,
];

/// The rules for epochs.
const OF_EPOCHS: &[Rule] = &[
    course::broke,
    course::diverges,
    course::stalls,
    course::says_one_class,
];

/// The course of a training.
#[derive(Debug, Default)]
struct Seen {
    layers: Vec<String>,
    /// The names of layers that have the model's output alone behind them.
    last: HashSet<String>,
    /// The names of layers that multiply with a matrix of weights.
    products: HashSet<String>,
    samples: Vec<HealthSample>,
    epochs: Vec<Epoch>,
    /// The last epochs whose validation predicted one class for all rows: their number, and the class.
    one_class: Option<(usize, usize)>,
}

impl<'a> HealthWatch<'a> {
    /// A watch over that model's training, which tells each finding by `tell`; an error that this
    /// returns ends the training.
    pub fn new(model: &Model, tell: impl FnMut(&Finding) -> Result<()> + 'a) -> Self {
        let graph = Graph::of(model);
        let nodes = model.nodes.iter().enumerate();
        let last = nodes.filter(|(number, _)| graph.is_last(*number));
        let names = last.map(|(_, node)| model.layers[node.layer].name.clone());
        let layers = model.layers.iter();
        let products = layers.filter(|l| matches!(l.rule.traits().effect, Effect::Product(_)));
        HealthWatch {
            tell: Box::new(tell),
            stops_early: false,
            seen: Seen {
                last: names.collect(),
                products: products.map(|layer| layer.name.clone()).collect(),
                ..Seen::default()
            },
            told: HashSet::new(),
        }
    }

    /// Says that the training stops early if its validation turns worse, so that this is not told.
    pub fn stops_early(mut self, stops: bool) -> Self {
        self.stops_early = stops;
        self
    }

    /// Goes on behind an earlier part of the training: what that shows is not told again.
    pub fn after(mut self, history: &History) -> Self {
        self.seen.layers.clone_from(&history.health.layers);
        self.seen.samples.clone_from(&history.health.samples);
        self.seen.epochs.clone_from(&history.epochs);
        let rules = OF_SAMPLES
            .iter()
            .chain(OF_EPOCHS)
            .chain(&[course::overfits as Rule]);
        let found = rules.filter_map(|rule| rule(&self.seen));
        self.told = found.map(|finding| finding.check).collect();
        self
    }

    /// Tells what these rules find, unless it was told.
    fn look(&mut self, rules: &[Rule]) -> Result<()> {
        for rule in rules {
            if let Some(finding) = rule(&self.seen)
                && self.told.insert(finding.check)
            {
                (self.tell)(&finding)?;
            }
        }
        Ok(())
    }
}

impl Callback for HealthWatch<'_> {
    fn on_health(&mut self, health: &HealthView<'_>, _: &mut Training<'_>) -> Result<()> {
        health.layers.clone_into(&mut self.seen.layers);
        self.seen.samples.push(health.sample.clone());
        self.look(OF_SAMPLES)
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        self.seen.epochs.push(Epoch {
            epoch,
            logs: logs.clone(),
            seconds: 0.0,
        });
        let before = self.seen.one_class.map_or(0, |(epochs, _)| epochs);
        self.seen.one_class = t.one_class().map(|class| (before + 1, class));
        self.look(OF_EPOCHS)?;
        match self.stops_early {
            true => Ok(()),
            false => self.look(&[course::overfits]),
        }
    }
}

impl fmt::Debug for HealthWatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HealthWatch");
        shown.field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// The findings about one sample, such as that of the first step.
pub(super) fn of_sample(model: &Model, layers: &[String], sample: &HealthSample) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut watch = HealthWatch::new(model, |_| Ok(()));
    watch.seen.layers = layers.to_vec();
    // As if it had stayed so.
    watch.seen.samples = vec![sample.clone(); SAMPLES];
    for rule in [gradients::vanish, gradients::explode, units::are_saturated] {
        found.extend(rule(&watch.seen));
    }
    found
}

/// The last samples, all of which have to show a fault.
const SAMPLES: usize = 3;

impl Seen {
    /// The last samples; `None` before there are that many.
    fn recent(&self, count: usize) -> Option<&[HealthSample]> {
        let start = self.samples.len().checked_sub(count)?;
        Some(&self.samples[start..])
    }
}

/// A number, short enough to read.
fn short(x: f64) -> String {
    match x.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => {
            let text = format!("{x:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{x:.1e}"),
    }
}
