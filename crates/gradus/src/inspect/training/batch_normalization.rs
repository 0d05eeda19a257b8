//! Batch normalization: its place, its arguments, and its batch size.

use crate::data::checks::{Finding, Severity};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, at, effect, steps, traits};
use crate::model::layers::{Effect, Randomness};
use crate::model::{LayerEntry, Source};
use crate::rules::activations::Nature;

const NAME: &str = "batch_normalization";
/// Batch size below which statistics are noise.
const FEWEST_ROWS: usize = 8;
/// Share of the initial statistics that may be left at the end of a training.
const LEFT: f64 = 0.5;
/// Momentum below which the moving statistics are those of the last batches.
const LEAST_MOMENTUM: f64 = 0.5;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let graph = Graph::of(model);
    let nodes = model.nodes.iter().enumerate();
    let normalizing: Vec<_> = nodes
        .filter(|(_, node)| {
            traits(model, node).moves_statistics && model.layers[node.layer].trainable
        })
        .collect();
    let mut findings = Vec::new();
    let mut warn = |layer: &LayerEntry, found: String, advice: &str| {
        findings.push(Finding::warning(NAME, at(&layer.name), found, advice));
    };
    for &(number, node) in &normalizing {
        let layer = &model.layers[node.layer];
        if drops_before(planned, number) {
            let found = "dropout right in front of it".to_owned();
            let advice = "its statistics are those of dropped-out numbers, which there are none \
                          of once it is trained: put the dropout behind it";
            warn(layer, found, advice);
        }
        if graph.is_last(number) {
            let found = "it is behind the output".to_owned();
            let advice = "it shifts and scales the predictions by the batch: put it before the \
                          last dense layer";
            warn(layer, found, advice);
        }
        if let Some((argument, takes)) = layer.rule.beyond_keras() {
            let found = format!("`{argument}` has a form that Keras 3 cannot load");
            warn(
                layer,
                found,
                &format!("its `model.keras` loads here alone: {takes}"),
            );
        }
        if let Some(momentum) = layer.rule.to_config()["momentum"].as_f64() {
            let (_, total) = steps(
                planned.data.train_rows(),
                planned.batch_size,
                planned.epochs,
            );
            let left = momentum.powf(total as f64);
            if left > LEFT && planned.fresh {
                let found = format!(
                    "a momentum of {momentum}: {:.0}% of the initial statistics are left after {total} steps",
                    100.0 * left
                );
                let advice = "predictions normalize by the moving statistics, which then are not \
                              the data's: more epochs, or `momentum = 0.9`";
                warn(layer, found, advice);
            } else if momentum < LEAST_MOMENTUM {
                let found = format!("a momentum of {momentum}");
                let advice = "the moving statistics are those of the last batches alone: 0.9, \
                              0.99 or 0.999 are usual";
                warn(layer, found, advice);
            }
        }
    }
    if let (Some((_, node)), 1..FEWEST_ROWS) = (normalizing.first(), planned.batch_size) {
        let found = format!("batches of {} rows", planned.batch_size);
        let advice = "mean and variance of so few are noise: `train.batch_size = 32`, or \
                      `LayerNormalization`";
        warn(&model.layers[node.layer], found, advice);
    }
    findings.extend(biases(planned, &graph));
    findings
}

/// True if dropout that is off in predictions reaches the node's input, through activations and
/// layers that keep numbers.
fn drops_before(planned: &PlannedTraining<'_>, node: usize) -> bool {
    let model = planned.model;
    let mut node = node;
    while let [Source::Node(before)] = model.nodes[node].inputs[..] {
        let traits = traits(model, &model.nodes[before]);
        let off_later = traits.randomness == Randomness::Training;
        if off_later && traits.dropout.is_some_and(|d| !d.keeps_deviation) {
            return true;
        }
        match effect(model, before) {
            Effect::KeepsScale | Effect::Activates(_) | Effect::ActivatesLike(_) => node = before,
            _ => return false,
        }
    }
    false
}

/// Biases that batch normalization subtracts again.
fn biases(planned: &PlannedTraining<'_>, graph: &Graph<'_>) -> Vec<Finding> {
    let model = planned.model;
    let subtracts = |&node: &usize, units: usize| {
        let entry = &model.layers[model.nodes[node].layer];
        let own_means = entry
            .weights
            .iter()
            .any(|w| w.name == "moving_mean" && w.shape == [units]);
        entry.rule.traits().moves_statistics && entry.trainable && own_means
    };
    let biased = graph.products.iter().filter(|layer| {
        let takers = graph.takers(layer.node);
        layer.product.use_bias
            && layer.product.activation.nature() == Nature::Linear
            && !takers.is_empty()
            && takers
                .iter()
                .all(|node| subtracts(node, layer.product.units))
    });
    let findings = biased.map(|layer| {
        let found = "a bias right before batch normalization";
        let advice = "it is subtracted again with the mean: `use_bias = false`";
        let finding = Finding::warning(NAME, at(&layer.entry.name), found, advice);
        finding.severity(Severity::Note)
    });
    findings.collect()
}
