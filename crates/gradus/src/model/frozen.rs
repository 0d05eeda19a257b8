//! The frozen beginning of a model: a row's numbers behind it are the same in every epoch, so that a
//! training may compute these features once and keep them.

use super::dtype::Dtype;
use super::graph::{Model, Node, Source};
use super::layers::Randomness;
use super::noise::part;
use crate::error::Result;

/// The place where a model is cut behind its frozen beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Of each node, true if it belongs to the beginning.
    pub frozen: Vec<bool>,
    /// The nodes of the beginning whose outputs the others take.
    pub kept: Vec<usize>,
}

/// The cut behind the frozen beginning of a built model; none if nothing with weights that could be trained belongs to
/// it, or if nothing is left behind it.
pub(crate) fn cut(model: &Model) -> Option<Cut> {
    if model
        .inputs
        .iter()
        .any(|input| input.dtype == Dtype::String)
    {
        return None;
    }
    let mut frozen: Vec<bool> = Vec::new();
    for node in &model.nodes {
        let before = |source: &Source| match *source {
            Source::Input(_) => true,
            Source::Node(n) => frozen[n],
        };
        frozen.push(node.inputs.iter().all(before) && is_constant(model, node));
    }
    let (mut kept, mut seen) = (Vec::new(), vec![false; frozen.len()]);
    for source in sources_behind(model, &frozen) {
        if let Source::Node(n) = source
            && frozen[n]
            && !std::mem::replace(&mut seen[n], true)
        {
            kept.push(n);
        }
    }
    // A table's own normalization, which is never trained, takes less time than reading what it makes.
    let weighs = |node: &Node| model.layers[node.layer].weights.iter().any(|w| w.trainable);
    let mut beginning = model.nodes.iter().zip(&frozen);
    let worth_it = beginning.any(|(node, frozen)| *frozen && weighs(node));
    (worth_it && !kept.is_empty() && frozen.contains(&false)).then_some(Cut { frozen, kept })
}

/// The inputs of the nodes behind a frozen beginning, and the model's outputs.
fn sources_behind<'a>(model: &'a Model, frozen: &'a [bool]) -> impl Iterator<Item = Source> + 'a {
    let nodes = model.nodes.iter().zip(frozen);
    let behind = nodes.filter(|(_, frozen)| !**frozen);
    let inputs = behind.flat_map(|(node, _)| &node.inputs);
    inputs.chain(&model.outputs).copied()
}

/// True if a training changes nothing of what a node makes of a row, and adds nothing to the loss.
fn is_constant(model: &Model, node: &Node) -> bool {
    let layer = &model.layers[node.layer];
    let traits = layer.rule.traits();
    let learns = layer.trainable && layer.weights.iter().any(|weight| weight.trainable);
    let moves = traits.moves_statistics && layer.trainable && !node.inference;
    let draws = match traits.randomness {
        Randomness::Never => false,
        Randomness::Always => true,
        Randomness::Training | Randomness::TrainingOnly => !node.inference,
    };
    !(learns || moves || draws || layer.rule.activity_regularizer().is_some())
}

impl Cut {
    /// The beginning as a model of its own, whose outputs are those that are kept.
    pub fn beginning(&self, model: &Model) -> Model {
        let until = self.kept.iter().max().map_or(0, |last| last + 1);
        let outputs = self.kept.iter().map(|&n| Source::Node(n)).collect();
        part(
            model,
            model.inputs.clone(),
            model.nodes[..until].to_vec(),
            outputs,
        )
    }

    /// The numbers of a row that are kept.
    pub fn size(&self, model: &Model) -> Result<usize> {
        let shapes = model.shapes()?;
        Ok(self.kept.iter().map(|&n| shapes[n].1.size()).sum())
    }

    /// Of each input, true if a node behind the beginning takes it.
    pub fn inputs_behind(&self, model: &Model) -> Vec<bool> {
        let mut taken = vec![false; model.inputs.len()];
        for source in sources_behind(model, &self.frozen) {
            if let Source::Input(n) = source {
                taken[n] = true;
            }
        }
        taken
    }
}
