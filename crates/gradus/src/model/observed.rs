//! The layers that a plan observes, for their health.

use super::graph::{Model, Source};
use super::layers::Effect;
use super::lowering::Owner;
use crate::plan::backward::Gradients;
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::{NormOf, Steep};
use crate::plan::updates::Trained;
use crate::plan::{Buffer, View};
use crate::rules::activations::Activation;
use std::ops::Range;

/// A layer in a plan that observes.
#[derive(Clone, Debug)]
pub(crate) struct ObservedLayer {
    /// Its place among the model's layers.
    pub layer: usize,
    /// True if its units can die.
    pub dies: bool,
    /// True if its outputs can be at flat ends of its activation.
    pub saturates: bool,
    /// Statistics of the outputs.
    pub outputs: (Buffer, View),
    /// Statistics of the gradient with respect to them.
    pub gradients: Option<(Buffer, View)>,
    /// Those of its trained weights.
    pub weights: Option<ObservedWeights>,
    /// Counts of the outputs in the bins of a histogram.
    pub output_counts: Buffer,
}

/// The trained weights of a layer in a plan that observes.
#[derive(Clone, Debug)]
pub(crate) struct ObservedWeights {
    /// Their norm before the step.
    pub norm: Buffer,
    /// The norm of the step's change.
    pub change: Buffer,
    /// The norm of their gradient.
    pub gradient: Buffer,
    /// The weights by their place among the layer's, each with the counts of its gradient in the
    /// bins of a histogram.
    pub gradient_counts: Vec<(usize, Buffer)>,
}

/// The observation of a plan in the making.
pub(super) struct Observation {
    /// The weights of each layer, before the step.
    before: Vec<Option<Before>>,
    layers: Vec<ObservedLayer>,
    /// The depth and name of each of `layers`: their order, whatever that of the nodes is, which a file
    /// may change.
    order: Vec<(usize, String)>,
    /// The most nodes on a way from an input to each node.
    depths: Vec<usize>,
    /// The last node of each layer.
    last_uses: Vec<Option<usize>>,
    /// The activations so far, with what is observed of them.
    activations: Vec<(Activation, Facts)>,
    /// The operations of each of `layers`.
    ops: Vec<Range<usize>>,
}

/// Facts about an activation by which its outputs are observed.
#[derive(Clone, Copy, Default)]
struct Facts {
    /// True if its units can die.
    dies: bool,
    /// The values at which it is not flat, if it is flat at both ends.
    steep: Option<Steep>,
}

/// A layer's trained weights before the step.
struct Before {
    norm: Buffer,
    /// Place among the layer's weights, variable, size, copy.
    weights: Vec<(usize, Buffer, usize, Buffer)>,
}

impl Observation {
    /// Keeps the trained weights as they are before the step. `owners` has the weight of each
    /// variable.
    pub fn begin(
        model: &Model,
        plan: &mut Lowering,
        trained: &[Trained],
        owners: &[Owner],
    ) -> Self {
        let mut weights: Vec<Vec<(usize, Buffer, usize, Buffer)>> = Vec::new();
        weights.resize_with(model.layers.len(), Vec::new);
        for trained in trained {
            let Owner::Weight { layer, weight, .. } = owners[trained.variable.index()] else {
                continue;
            };
            let size = trained.size();
            let copy = plan.keep(trained.variable, size);
            weights[layer].push((weight, trained.variable, size, copy));
        }
        let before = weights.into_iter().map(|weights| {
            let parts = weights.iter().map(|&(_, x, size, _)| NormOf {
                x,
                less: None,
                size,
            });
            let norm = (!weights.is_empty()).then(|| plan.norm(parts.collect()))?;
            Some(Before { norm, weights })
        });
        Observation {
            before: before.collect(),
            layers: Vec::new(),
            order: Vec::new(),
            depths: depths(model),
            last_uses: model
                .uses()
                .iter()
                .map(|uses| uses.last().copied())
                .collect(),
            activations: Vec::new(),
            ops: Vec::new(),
        }
    }

    /// Observes the outputs of a node's layer, which operations from `start` on have made of `inputs`.
    /// Of a layer that is used several times, the last use is observed.
    pub fn node(
        &mut self,
        model: &Model,
        node: usize,
        plan: &mut Lowering,
        (inputs, value): (&[Value], &Value),
        start: usize,
    ) {
        let layer = model.nodes[node].layer;
        // Such as Flatten: the same numbers in another shape.
        if inputs.iter().any(|input| input.buffer == value.buffer) {
            return;
        }
        if self.last_uses[layer] != Some(node) {
            return;
        }
        let activation = match model.layers[layer].rule.traits().effect {
            Effect::Activates(of) | Effect::ActivatesLike(of) | Effect::Product(of) => Some(of),
            _ => None,
        };
        let Facts { dies, steep } = activation.map_or_else(Facts::default, |of| self.facts(of));
        let (view, end) = (value.view(), plan.len());
        self.layers.push(ObservedLayer {
            layer,
            dies,
            saturates: steep.is_some(),
            outputs: (plan.observe(value.buffer, view, steep), view),
            output_counts: plan.count(value.buffer),
            gradients: None,
            weights: None,
        });
        self.order
            .push((self.depths[node], model.layers[layer].name.clone()));
        self.ops.push(start..end);
    }

    /// The facts of an activation, which take thousands of its values: found once.
    fn facts(&mut self, activation: Activation) -> Facts {
        if let Some((_, facts)) = self.activations.iter().find(|(of, _)| *of == activation) {
            return *facts;
        }
        let steep = activation.steep();
        let facts = Facts {
            dies: activation.dies(),
            steep: steep.map(|(middle, distance)| Steep { middle, distance }),
        };
        self.activations.push((activation, facts));
        facts
    }

    /// The forward operations whose results' gradients are to be observed.
    pub fn ops(&self) -> &[Range<usize>] {
        &self.ops
    }

    /// Observes the gradients, and the change of the weights.
    pub fn finish(mut self, plan: &mut Lowering, gradients: &Gradients) -> Vec<ObservedLayer> {
        let of_layers = self.layers.iter_mut().zip(&gradients.of_results);
        for (layer, of_result) in of_layers {
            layer.gradients = *of_result;
            let Some(Before { norm, weights }) = &self.before[layer.layer] else {
                continue;
            };
            let gradient = |variable| gradients.of_variables.get(&variable).copied();
            let with = weights
                .iter()
                .filter_map(|&(n, x, size, _)| Some((n, gradient(x)?, size)));
            let with: Vec<(usize, Buffer, usize)> = with.collect();
            if with.is_empty() {
                continue;
            }
            let parts = with.iter().map(|&(_, x, size)| NormOf {
                x,
                less: None,
                size,
            });
            let changes = weights.iter().map(|&(_, x, size, copy)| NormOf {
                x,
                less: Some(copy),
                size,
            });
            layer.weights = Some(ObservedWeights {
                norm: *norm,
                change: plan.norm(changes.collect()),
                gradient: plan.norm(parts.collect()),
                gradient_counts: with.iter().map(|&(n, x, _)| (n, plan.count(x))).collect(),
            });
        }
        let mut ordered: Vec<_> = self.order.into_iter().zip(self.layers).collect();
        ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
        ordered.into_iter().map(|(_, layer)| layer).collect()
    }
}

/// The most nodes on a way from an input to each node.
fn depths(model: &Model) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::new();
    for node in &model.nodes {
        let before = node.inputs.iter().map(|source| match *source {
            Source::Input(_) => 0,
            Source::Node(n) => depths[n],
        });
        depths.push(1 + before.max().unwrap_or(0));
    }
    depths
}
