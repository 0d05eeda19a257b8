//! Surgery: a model without some of its nodes.

use super::graph::{Model, Node, Source};
use super::layers::Call;
use super::subgraph::leading_to;
use crate::base::names::Names;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::Mode;
use crate::plan::lower::Lowering;

impl Model {
    /// The same model with its nested models' layers as layers of its own, their names joined by
    /// `_`.
    pub(crate) fn flattened(&self) -> Result<Model> {
        if self.parts.is_empty() {
            return Ok(self.clone());
        }
        let mut flat = self.clone();
        flat.parts = Vec::new();
        flat.chain = false;
        let mut names = Names::default();
        for layer in &mut flat.layers {
            layer.name = names.free(&layer.name.replace('/', "_"));
            names.take(&layer.name);
        }
        flat.ordered()
    }

    /// The same model without these nodes, each of one input, which takes the place of its output.
    /// Layers without nodes are left out. The optimizer's state is new: it had slots for all.
    pub(crate) fn without(mut self, dropped: &[bool]) -> Result<Model> {
        // Of each node the source that has its values from now on.
        let mut now: Vec<Source> = Vec::new();
        let mut nodes: Vec<Node> = Vec::new();
        for (node, &dropped) in self.nodes.iter().zip(dropped) {
            let inputs: Vec<Source> = node
                .inputs
                .iter()
                .map(|source| moved(*source, &now))
                .collect();
            match (dropped, &inputs[..]) {
                (true, &[input]) => now.push(input),
                _ => {
                    now.push(Source::Node(nodes.len()));
                    nodes.push(Node {
                        inputs,
                        ..node.clone()
                    });
                }
            }
        }
        for output in &mut self.outputs {
            *output = moved(*output, &now);
        }
        self.nodes = nodes;
        self.ordered()
    }

    /// The same model with the layers that its outputs need alone, in Keras' order.
    fn ordered(&self) -> Result<Model> {
        let mut model = leading_to(self, self.outputs.clone())?;
        model.compiled.clone_from(&self.compiled);
        model.facts.clone_from(&self.facts);
        Ok(model)
    }

    /// True if a node gives the numbers of its input as they are, in inference; its output, the
    /// second of its shapes, may have another shape.
    pub(crate) fn passes_on(&self, node: usize, shapes: &(Vec<Shape>, Shape)) -> bool {
        let entry = &self.layers[self.nodes[node].layer];
        let (rule, [shape]) = (&entry.rule, &shapes.0[..]) else {
            return false;
        };
        if !entry.weights.is_empty() || rule.traits().takes_text || rule.tied_to().is_some() {
            return false;
        }
        let mut plan = Lowering::new(Mode::Infer, false, &[]);
        let x = plan.feed("x", shape.clone());
        let call = Call {
            inputs: std::slice::from_ref(&x),
            variables: &[],
            weights: &[],
            tied: None,
            trainable: false,
            looked_up: false,
        };
        let y = rule.lower(&mut plan, call);
        plan.len() == 0 && y.buffer == x.buffer
    }
}

/// The place of a source after some nodes have gone.
fn moved(source: Source, now: &[Source]) -> Source {
    match source {
        Source::Node(n) => now[n],
        input => input,
    }
}
