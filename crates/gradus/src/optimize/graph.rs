//! The dense layers of a graph, and what lies between them.

use crate::model::{Model, Source};
use std::collections::HashSet;

/// A model's graph.
pub struct Graph<'a> {
    model: &'a Model,
    takers: Vec<Vec<usize>>,
    uses: Vec<Vec<usize>>,
    /// Names of the layers whose kernel another one uses.
    tied: HashSet<&'a str>,
}

impl<'a> Graph<'a> {
    pub fn of(model: &'a Model) -> Self {
        let layers = model.layers.iter();
        Graph {
            model,
            takers: model.takers(),
            uses: model.uses(),
            tied: layers.filter_map(|layer| layer.rule.tied_to()).collect(),
        }
    }

    /// The layer of a node, if its weights may change: it is used once, its kernel is its own and not
    /// quantized.
    pub fn free(&self, node: usize) -> Option<usize> {
        let layer = self.model.nodes[node].layer;
        let entry = &self.model.layers[layer];
        let is_own = !self.tied.contains(&*entry.name);
        let is_float = entry.rule.quantization().is_none();
        (is_own && is_float && self.uses[layer].len() == 1).then_some(layer)
    }

    /// The dense layer of a node, if its weights may change.
    pub fn free_dense(&self, node: usize) -> Option<usize> {
        let layer = self.free(node)?;
        self.model.layers[layer].rule.as_dense().map(|_| layer)
    }

    /// True if this node alone takes the output of `from`, which is no output of the model.
    pub fn is_only_taker(&self, node: usize, from: usize) -> bool {
        self.takers[from] == [node] && self.is_inner(from)
    }

    /// The free dense layers that take a node's output, directly or through nodes that pass it on,
    /// each with the node whose output it takes in the end. `None` if anything else takes it.
    pub fn only_takers(
        &self,
        node: usize,
        passes: impl Fn(usize) -> bool,
    ) -> Option<Vec<(usize, usize)>> {
        let (mut open, mut found) = (vec![node], Vec::new());
        while let Some(from) = open.pop() {
            if self.takers[from].is_empty() || !self.is_inner(from) {
                return None;
            }
            for &taker in &self.takers[from] {
                match self.free_dense(taker) {
                    Some(layer) => found.push((from, layer)),
                    None if passes(taker) => open.push(taker),
                    None => return None,
                }
            }
        }
        Some(found)
    }

    fn is_inner(&self, node: usize) -> bool {
        !self.model.outputs.contains(&Source::Node(node))
    }
}
