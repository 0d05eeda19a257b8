//! Folding: layers that in inference only scale and shift, or do nothing, become part of the dense
//! layers beside them, or of the convolution before them.

use super::check;
use super::graph::Graph;
use crate::error::Result;
use crate::model::layers::{Affine, Layer};
use crate::model::{LayerEntry, Model, Source, Weight};

/// A layer that was folded away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The layer's name.
    pub layer: String,
    /// Its class: `BatchNormalization`.
    pub class: &'static str,
    /// The place that its arithmetic went to.
    pub how: Folding,
}

/// The place that a layer's arithmetic went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folding {
    /// Nowhere: in inference it does nothing.
    Removed,
    /// The weights of these layers.
    Into(Vec<String>),
}

/// The model without the layers that its predictions do not need, and the names of these: batch
/// normalization, `Normalization` and `Rescaling` become part of the dense layer or the convolution
/// before them, if it has no activation, or else of the dense layers behind; dropout, noise, and what else does nothing in
/// inference is left out. Predictions stay the same up to rounding.
///
/// The result is a model of plain layers that Keras loads, without the optimizer's state. Nested
/// models become part of it. A layer stays where folding would not be exact: if others take its
/// output, too, if a dense layer is used twice, or if quantization-aware training has learned the range of the
/// input that would become another.
///
/// ```
/// use gradus::optimize::fold;
/// use gradus::prelude::*;
///
/// let model = Sequential::new()
///     .input([4])
///     .add(Dense::new(8).use_bias(false))
///     .add(BatchNormalization::new())
///     .add(layers::Activation::new("elu"))
///     .add(Dropout::new(0.2))
///     .add(Dense::new(1))
///     .build()?;
/// let (folded, layers) = fold(&model)?;
/// let names: Vec<&str> = layers.iter().map(|of| of.layer.as_str()).collect();
/// assert_eq!(names, ["batch_normalization", "dropout"]);
/// assert_eq!(folded.layers.len(), 3);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// An error if the model has no weights yet, or some that are not finite.
pub fn fold(model: &Model) -> Result<(Model, Vec<Folded>)> {
    check(model)?;
    let mut model = model.flattened()?;
    let mut all = Vec::new();
    loop {
        let mut changes = changes(&model)?;
        if changes.iter().all(Option::is_some) {
            // One node stays of a model that does nothing.
            changes.pop();
            changes.push(None);
        }
        if changes.iter().all(Option::is_none) {
            return Ok((model, all));
        }
        let mut smaller = model.clone();
        for (node, change) in model.nodes.iter().zip(&changes) {
            let entry = &model.layers[node.layer];
            all.extend(change.as_ref().map(|change| Folded {
                layer: entry.name.clone(),
                class: entry.rule.class(),
                how: change.apply(&mut smaller),
            }));
        }
        let dropped: Vec<bool> = changes.iter().map(Option::is_some).collect();
        model = smaller.without(&dropped)?;
    }
}

/// A change by which a node is not needed any more.
enum Change {
    Remove,
    /// These layers take it into their weights: one before it, whose output has so many channels, or
    /// dense ones behind it.
    Fold {
        affine: Affine,
        into: Vec<usize>,
        channels: Option<usize>,
    },
}

impl Change {
    fn apply(&self, model: &mut Model) -> Folding {
        let Change::Fold {
            affine,
            into,
            channels,
        } = self
        else {
            return Folding::Removed;
        };
        let mut names = Vec::new();
        for &layer in into {
            let entry = &mut model.layers[layer];
            if let Some((rule, weights)) = folded(entry, affine, *channels) {
                entry.rule = rule;
                entry.weights = weights;
            }
            names.push(entry.name.clone());
        }
        Folding::Into(names)
    }
}

/// The change of each node, if there is one. No layer takes part in two.
fn changes(model: &Model) -> Result<Vec<Option<Change>>> {
    let shapes = model.shapes()?;
    let graph = Graph::of(model);
    // The layers that take part in a change already.
    let mut taken = vec![false; model.layers.len()];
    let before = |node: usize| {
        let &[Source::Node(from)] = &model.nodes[node].inputs[..] else {
            return None;
        };
        let layer = graph.free(from)?;
        let is_plain = model.layers[layer].rule.with_bias().is_some();
        (is_plain && graph.is_only_taker(node, from)).then(|| vec![layer])
    };
    // Through what only changes the shape.
    let behind = |node: usize| {
        let takers = graph.only_takers(node, |taker| model.passes_on(taker, &shapes[taker]));
        takers.map(|dense| dense.into_iter().map(|(_, layer)| layer).collect())
    };
    let change = |node: usize, taken: &mut [bool]| {
        let (inputs, output) = &shapes[node];
        let entry = &model.layers[model.nodes[node].layer];
        let [shape] = &inputs[..] else {
            return None;
        };
        if shape == output && model.passes_on(node, &shapes[node]) {
            return Some(Change::Remove);
        }
        let affine = entry.rule.affine(&entry.weights, shape)?;
        let ways = [(before(node), Some(shape.last())), (behind(node), None)];
        for (into, channels) in ways {
            let into = into.unwrap_or_default();
            let fits = |&layer: &usize| {
                // A learned range is that of the input as it is.
                let moved = channels.is_none() && model.layers[layer].input_range.is_some();
                !taken[layer] && !moved && folded(&model.layers[layer], &affine, channels).is_some()
            };
            if !into.is_empty() && into.iter().all(fits) {
                into.iter().for_each(|&layer| taken[layer] = true);
                return Some(Change::Fold {
                    affine,
                    into,
                    channels,
                });
            }
        }
        None
    };
    Ok((0..model.nodes.len())
        .map(|node| change(node, &mut taken))
        .collect())
}

/// A layer that also scales and shifts, and its weights: the `channels` of its output, if that is done
/// behind it, or its input. `None` if the places along its last axis differ from each other, or if
/// the numbers do not fit.
fn folded(
    entry: &LayerEntry,
    affine: &Affine,
    channels: Option<usize>,
) -> Option<(Layer, Vec<Weight>)> {
    let rule = match channels {
        Some(_) => entry.rule.with_bias()?,
        None => entry.rule.as_dense()?.clone().use_bias(true).into(),
    };
    let (bias, kernels) = match &entry.weights[..] {
        [kernels @ .., bias] if bias.name == "bias" => (Some(bias), kernels),
        kernels => (None, kernels),
    };
    let (kernel, others) = kernels.split_last()?;
    let units = channels.unwrap_or(*kernel.shape.last()?);
    let width = channels.unwrap_or(kernel.shape[0]);
    let (scale, offset) = affine.of_last_axis(width)?;
    let mut sums: Vec<f64> = match bias {
        Some(bias) => bias.values.iter().map(|&b| f64::from(b)).collect(),
        None => vec![0.0; units],
    };
    let mut values = kernel.values.clone();
    if channels.is_some() {
        for (sum, (scale, offset)) in sums.iter_mut().zip(scale.iter().zip(offset)) {
            *sum = *sum * scale + offset;
        }
        for row in values.chunks_mut(units) {
            for (w, scale) in row.iter_mut().zip(scale) {
                *w = (f64::from(*w) * scale) as f32;
            }
        }
    } else {
        for (row, (scale, offset)) in values.chunks_mut(units).zip(scale.iter().zip(offset)) {
            for (w, sum) in row.iter_mut().zip(&mut sums) {
                *sum += f64::from(*w) * offset;
                *w = (f64::from(*w) * scale) as f32;
            }
        }
    }
    let kernel = Weight {
        values,
        ..kernel.clone()
    };
    let bias = super::bias(sums.into_iter().map(|sum| sum as f32).collect());
    let mut all = others.to_vec();
    all.extend([kernel, bias]);
    let finite = all.iter().flat_map(|w| &w.values).all(|x| x.is_finite());
    finite.then_some((rule, all))
}
