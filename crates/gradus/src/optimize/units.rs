//! Unit pruning: dense layers that really shrink.

use super::check;
use super::graph::Graph;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::layers::Effect;
use crate::model::{LayerEntry, Model, Source};
use crate::rules::activations::Form;

/// A layer that has lost units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The layer's name.
    pub layer: String,
    /// Its units before.
    pub before: usize,
    /// Its units now.
    pub after: usize,
}

/// A dense layer whose units may go, and the dense layers that take its output.
struct Hidden {
    layer: usize,
    takers: Vec<usize>,
    /// The last node before the takers: its outputs are what they take.
    last: usize,
}

/// The model without this share of the units of each hidden dense layer, and the layers that have
/// become smaller. Those go that matter least: by the norm of their weights (of the column that
/// makes them, times that of the rows that take them), or, with rows to look at, by the deviation
/// of their output times the norm of the rows that take it; their mean output then goes into the
/// biases behind, so that a unit whose output never changes is lost for nothing. Units that nothing
/// comes of (dead ones, or without weights behind) go beyond the share.
///
/// A dense layer is hidden if only dense layers take its output, directly or through activations and
/// through what does nothing in inference; fold batch normalization first. Each keeps at least one
/// unit. The optimizer's state is new.
///
/// ```
/// use gradus::optimize::prune_units;
/// use gradus::prelude::*;
///
/// let model = Sequential::new()
///     .input([4])
///     .add(Dense::new(10).activation("relu"))
///     .add(Dense::new(3).activation("softmax"))
///     .build()?;
/// let (small, layers) = prune_units(&model, 0.5, None)?;
/// assert_eq!((layers[0].before, layers[0].after), (10, 5));
/// assert_eq!(small.layer("dense_1")?.weights[0].shape, [5, 3]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn prune_units(model: &Model, share: f64, rows: Option<&Data>) -> Result<(Model, Vec<Shrunk>)> {
    if !(0.0..1.0).contains(&share) {
        return Err(Error::invalid("share", share, "a number from 0 to below 1"));
    }
    check(model)?;
    let mut small = model.flattened()?;
    small.state = Default::default();
    let hidden = hidden(&small)?;
    if hidden.is_empty() {
        let found = "a model without hidden dense layers";
        return Err(Error::invalid("prune_units", found, "at least one"));
    }
    let outputs = match rows {
        Some(rows) => Some(outputs(&small, &hidden, rows)?),
        None => None,
    };
    let mut shrunk = Vec::new();
    for (n, of) in hidden.iter().enumerate() {
        let seen = outputs.as_ref().map(|outputs| &outputs[n]);
        let kept = kept(&small, of, share, seen);
        let before = small.layers[of.layer].weights[0].shape[1];
        if kept.len() < before {
            shrink(&mut small, of, &kept, seen);
            shrunk.push(Shrunk {
                layer: small.layers[of.layer].name.clone(),
                before,
                after: kept.len(),
            });
        }
    }
    small.finish()?;
    Ok((small, shrunk))
}

/// The hidden dense layers, in the order of the model.
fn hidden(model: &Model) -> Result<Vec<Hidden>> {
    let shapes = model.shapes()?;
    let graph = Graph::of(model);
    let mut found = Vec::new();
    for node in 0..model.nodes.len() {
        let Some(layer) = graph.free_dense(node) else {
            continue;
        };
        let is_elementwise = |effect: &Effect| match effect {
            Effect::Product(f) | Effect::Activates(f) | Effect::ActivatesLike(f) => {
                f.form() == Form::Element
            }
            _ => false,
        };
        if !is_elementwise(&model.layers[layer].rule.traits().effect) {
            continue;
        }
        let passes = |node: usize| {
            let entry = &model.layers[model.nodes[node].layer];
            let activates = entry.weights.is_empty() && is_elementwise(&entry.rule.traits().effect);
            activates || model.passes_on(node, &shapes[node])
        };
        let Some(takers) = graph.only_takers(node, passes) else {
            continue;
        };
        let last = takers[0].0;
        // Through different activations they take different outputs.
        if takers.iter().all(|taker| taker.0 == last) {
            found.push(Hidden {
                layer,
                takers: takers.into_iter().map(|(_, layer)| layer).collect(),
                last,
            });
        }
    }
    Ok(found)
}

/// Mean and deviation of the numbers of each unit.
struct Moments {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// The outputs of the hidden layers for these rows.
fn outputs(model: &Model, hidden: &[Hidden], rows: &Data) -> Result<Vec<Moments>> {
    let mut looking = model.clone();
    looking.compiled = None;
    looking.outputs = hidden.iter().map(|of| Source::Node(of.last)).collect();
    let units = |of: &Hidden| model.layers[of.layer].weights[0].shape[1];
    let mut sums: Vec<(Vec<f64>, Vec<f64>)> = hidden
        .iter()
        .map(|of| (vec![0.0; units(of)], vec![0.0; units(of)]))
        .collect();
    let mut counts = vec![0usize; hidden.len()];
    looking.predictor()?.predict_each(rows, &mut |_, outputs| {
        for ((output, (sum, squares)), count) in outputs.iter().zip(&mut sums).zip(&mut counts) {
            for row in output.to_f32().chunks(sum.len()) {
                *count += 1;
                for ((x, sum), square) in row.iter().zip(&mut *sum).zip(&mut *squares) {
                    *sum += f64::from(*x);
                    *square += f64::from(*x) * f64::from(*x);
                }
            }
        }
        Ok(())
    })?;
    let moments = sums.into_iter().zip(counts).map(|((sum, squares), count)| {
        let count = count.max(1) as f64;
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
        let variance = squares.iter().zip(&mean).map(|(s, m)| s / count - m * m);
        let deviation = variance.map(|v| v.max(0.0).sqrt()).collect();
        Moments { mean, deviation }
    });
    Ok(moments.collect())
}

/// The units that stay, ascending.
fn kept(model: &Model, of: &Hidden, share: f64, seen: Option<&Moments>) -> Vec<usize> {
    let kernel = &model.layers[of.layer].weights[0];
    let units = kernel.shape[1];
    let mut behind = vec![0.0; units];
    for &taker in &of.takers {
        let kernel = &model.layers[taker].weights[0];
        for (row, values) in kernel.values.chunks(kernel.shape[1]).enumerate() {
            behind[row % units] += squares(values.iter());
        }
    }
    let score = |unit: usize| {
        let column = kernel.values.iter().skip(unit).step_by(units);
        let own = match seen {
            Some(seen) => seen.deviation[unit],
            None => squares(column).sqrt(),
        };
        own * behind[unit].sqrt()
    };
    let scores: Vec<f64> = (0..units).map(score).collect();
    let mut order: Vec<usize> = (0..units).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let useful = scores.iter().filter(|&&score| score > 0.0).count();
    let wanted = (units as f64 * (1.0 - share)).round() as usize;
    order.truncate(wanted.min(useful).max(1));
    order.sort_unstable();
    order
}

fn squares<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    values.map(|&x| f64::from(x) * f64::from(x)).sum()
}

/// Leaves a layer these units alone, and its takers their rows.
fn shrink(model: &mut Model, of: &Hidden, kept: &[usize], seen: Option<&Moments>) {
    let units = model.layers[of.layer].weights[0].shape[1];
    for &taker in &of.takers {
        let entry = &mut model.layers[taker];
        let (wide, rows) = (entry.weights[0].shape[1], entry.weights[0].shape[0]);
        if let Some(seen) = seen {
            let lost = (0..rows).filter(|row| kept.binary_search(&(row % units)).is_err());
            let mut sums = vec![0.0; wide];
            for row in lost {
                let values = &entry.weights[0].values[row * wide..][..wide];
                for (sum, w) in sums.iter_mut().zip(values) {
                    *sum += seen.mean[row % units] * f64::from(*w);
                }
            }
            add_to_bias(entry, &sums);
        }
        let kernel = &mut entry.weights[0];
        let stays = |row: &usize| kept.binary_search(&(row % units)).is_ok();
        let rows: Vec<usize> = (0..rows).filter(stays).collect();
        let values = rows
            .iter()
            .flat_map(|row| &kernel.values[row * wide..][..wide]);
        kernel.values = values.copied().collect();
        kernel.shape[0] = rows.len();
    }
    let entry = &mut model.layers[of.layer];
    for weight in &mut entry.weights {
        let rows = weight.values.chunks(units);
        let values = rows.flat_map(|row| kept.iter().map(|&unit| row[unit]));
        weight.values = values.collect();
        if let Some(last) = weight.shape.last_mut() {
            *last = kept.len();
        }
    }
    if let Some(dense) = entry.rule.as_dense_mut() {
        dense.units = kept.len();
    }
}

fn add_to_bias(entry: &mut LayerEntry, sums: &[f64]) {
    if entry.weights.len() == 1 {
        entry.weights.push(super::bias(vec![0.0; sums.len()]));
        if let Some(dense) = entry.rule.as_dense_mut() {
            dense.use_bias = true;
        }
    }
    for (bias, sum) in entry.weights[1].values.iter_mut().zip(sums) {
        *bias = (f64::from(*bias) + sum) as f32;
    }
}
