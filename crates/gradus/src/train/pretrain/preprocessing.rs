//! A model whose hidden layers stand behind the columns of a table: the preprocessing
//! before its first Dense layer stays as it is, and the layers from there on are pretrained
//! as a chain.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{Model, Sequential, Source};
use crate::train::History;

/// Pretrains the chain behind a model's preprocessing on the preprocessed rows. None of a
/// model that is a chain itself.
pub(super) fn pretrain_behind(
    model: &mut Model,
    data: &Dataset,
    pretrain: impl FnOnce(&mut Model, &Dataset) -> Result<Vec<History>>,
) -> Result<Option<Vec<History>>> {
    if model.chain {
        return Ok(None);
    }
    let Some(nodes) = behind(model) else {
        let expected = "a chain of layers, alone or behind the columns of a table: pretrain a part \
                        of a graph before it is put in";
        return Err(Error::invalid("model", "a graph of layers", expected));
    };
    let layers: Vec<usize> = nodes.iter().map(|&n| model.nodes[n].layer).collect();
    let rows = match model.nodes[nodes[0]].inputs[..] {
        [Source::Node(before)] => {
            let name = &model.layers[model.nodes[before].layer].name;
            model.up_to(&[name.as_str()])?.predict(data)?
        }
        [Source::Input(n)] => data.inputs()[n].clone(),
        _ => return Err(Error::Internal("a Dense layer without its input".into())),
    };
    let mut chain = Sequential::new()
        .input(rows.shape().clone())
        .seed(model.seed);
    for &layer in &layers {
        let layer = &model.layers[layer];
        chain = chain.add_named(layer.name.clone(), layer.rule.clone(), true);
    }
    let mut chain = chain.build()?;
    for (to, &from) in chain.layers.iter_mut().zip(&layers) {
        to.weights.clone_from(&model.layers[from].weights);
    }
    let rows = Dataset::from_parts(vec![rows], data.targets().to_vec())?;
    let histories = pretrain(&mut chain, &rows)?;
    for (from, &to) in chain.layers.into_iter().zip(&layers) {
        model.layers[to].weights = from.weights;
    }
    model.state = Default::default();
    Ok(Some(histories))
}

/// The nodes from the first Dense layer on to an output (the first of several), if every other
/// Dense layer is the head of another output.
fn behind(model: &Model) -> Option<Vec<usize>> {
    if !model.parts.is_empty() || !model.is_built() {
        return None;
    }
    let is_dense = |n: &usize| {
        model.layers[model.nodes[*n].layer]
            .rule
            .as_dense()
            .is_some()
    };
    let mut nodes = vec![(0..model.nodes.len()).find(is_dense)?];
    let follows = |n: usize, last: usize| model.nodes[n].inputs == [Source::Node(last)];
    while let Some(&last) = nodes.last() {
        match (last + 1..model.nodes.len()).find(|&n| follows(n, last)) {
            Some(next) => nodes.push(next),
            None => break,
        }
    }
    let heads = model.nodes.iter().enumerate().filter(|(n, _)| is_dense(n));
    let mut others = heads.filter(|(n, _)| !nodes.contains(n));
    let is_head = |inputs: &[Source]| match inputs {
        [Source::Node(from)] => nodes.contains(from),
        _ => false,
    };
    others
        .all(|(_, node)| is_head(&node.inputs))
        .then_some(nodes)
}
