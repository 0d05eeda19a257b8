//! Folding: layers that in inference only scale and shift, or do nothing, become part of the dense
//! layers beside them.

use crate::error::{Error, Result};
use crate::model::layers::Affine;
use crate::model::{LayerEntry, Model, Source, Weight};
use crate::rules::activations::Activation;
use std::collections::HashSet;

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
    /// The weights of these dense layers.
    Into(Vec<String>),
}

/// The model without the layers that its predictions do not need, and the names of these: batch
/// normalization, `Normalization` and `Rescaling` become part of the dense layer before them, if it
/// has no activation, or else of those behind; dropout, noise, and what else does nothing in
/// inference is left out. Predictions stay the same up to rounding.
///
/// The result is a model of plain layers that Keras loads, without the optimizer's state. Nested
/// models become part of it. A layer stays where folding would not be exact: if others take its
/// output, too, or if a dense layer is used twice.
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
    if !model.is_built() {
        let problem = "the model has no weights yet: give its input's shape, or call `build`";
        return Err(Error::NotReady {
            problem: problem.into(),
        });
    }
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
    /// These layers take it into their weights: dense ones before it, or behind it.
    Fold {
        affine: Affine,
        dense: Vec<usize>,
        before: bool,
    },
}

impl Change {
    fn apply(&self, model: &mut Model) -> Folding {
        let Change::Fold {
            affine,
            dense,
            before,
        } = self
        else {
            return Folding::Removed;
        };
        let mut names = Vec::new();
        for &layer in dense {
            let entry = &mut model.layers[layer];
            if let Some(weights) = folded(entry, affine, *before) {
                if let Some(dense) = entry.rule.as_dense_mut() {
                    dense.use_bias = true;
                }
                entry.weights = weights;
            }
            names.push(entry.name.clone());
        }
        Folding::Into(names)
    }
}

/// The change of each node, if there is one. No dense layer takes part in two.
fn changes(model: &Model) -> Result<Vec<Option<Change>>> {
    let shapes = model.shapes()?;
    let (takers, uses) = (model.takers(), model.uses());
    let of_tied = model.layers.iter().filter_map(|layer| layer.rule.tied_to());
    let tied: HashSet<&str> = of_tied.collect();
    let mut taken = vec![false; model.layers.len()];
    let is_free_dense = |node: usize, taken: &[bool]| {
        let layer = model.nodes[node].layer;
        let entry = &model.layers[layer];
        let is_dense = entry.rule.as_dense().is_some() && !tied.contains(entry.name.as_str());
        (is_dense && uses[layer].len() == 1 && !taken[layer]).then_some(layer)
    };
    // A node whose output nothing but its takers needs.
    let is_inner = |node: usize| !model.outputs.contains(&Source::Node(node));
    let before = |node: usize, taken: &[bool]| {
        let &[Source::Node(from)] = &model.nodes[node].inputs[..] else {
            return None;
        };
        let layer = is_free_dense(from, taken)?;
        let is_plain = model.layers[layer].rule.as_dense()?.activation == Activation::Linear;
        (is_plain && takers[from] == [node] && is_inner(from)).then(|| vec![layer])
    };
    // Through what only changes the shape.
    let behind = |node: usize, taken: &[bool]| {
        let (mut open, mut found) = (vec![node], Vec::new());
        while let Some(from) = open.pop() {
            if takers[from].is_empty() || !is_inner(from) {
                return None;
            }
            for &taker in &takers[from] {
                match is_free_dense(taker, taken) {
                    Some(layer) => found.push(layer),
                    None if model.passes_on(taker, &shapes[taker]) => open.push(taker),
                    None => return None,
                }
            }
        }
        Some(found)
    };
    let change = |node: usize, taken: &mut [bool]| {
        let (inputs, output) = &shapes[node];
        let layer = model.nodes[node].layer;
        let entry = &model.layers[layer];
        let [shape] = &inputs[..] else {
            return None;
        };
        if shape == output && model.passes_on(node, &shapes[node]) {
            return Some(Change::Remove);
        }
        let affine = entry.rule.affine(&entry.weights, shape)?;
        let ways = [(before(node, taken), true), (behind(node, taken), false)];
        for (dense, before) in ways {
            let dense = dense.unwrap_or_default();
            let fits = |&layer: &usize| folded(&model.layers[layer], &affine, before).is_some();
            if !dense.is_empty() && dense.iter().all(fits) {
                dense.iter().for_each(|&layer| taken[layer] = true);
                return Some(Change::Fold {
                    affine,
                    dense,
                    before,
                });
            }
        }
        None
    };
    Ok((0..model.nodes.len())
        .map(|node| change(node, &mut taken))
        .collect())
}

/// Kernel and bias of a dense layer that also scales and shifts: its output if that is done
/// behind it (`before` the change stands the layer), else its input. `None` if the places along its
/// last axis differ from each other, or if the numbers do not fit.
fn folded(entry: &LayerEntry, affine: &Affine, before: bool) -> Option<Vec<Weight>> {
    let dense = entry.rule.as_dense()?;
    let (kernel, bias) = match &entry.weights[..] {
        [kernel, bias] => (kernel, Some(bias)),
        [kernel] => (kernel, None),
        _ => return None,
    };
    let units = dense.units;
    let width = if before { units } else { kernel.shape[0] };
    let (scale, offset) = affine.of_last_axis(width)?;
    let mut sums: Vec<f64> = match bias {
        Some(bias) => bias.values.iter().map(|&b| f64::from(b)).collect(),
        None => vec![0.0; units],
    };
    let mut values = kernel.values.clone();
    if before {
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
    let bias = Weight {
        name: "bias",
        shape: vec![units],
        trainable: true,
        values: sums.into_iter().map(|sum| sum as f32).collect(),
    };
    let kernel = Weight {
        values,
        ..kernel.clone()
    };
    let all = [kernel, bias];
    let finite = all.iter().flat_map(|w| &w.values).all(|x| x.is_finite());
    finite.then(|| all.into())
}
