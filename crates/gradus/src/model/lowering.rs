//! Lowering of a model to a program: its weights as variables, and the plans over them.

use super::compiled::OutputLoss;
use super::feeds::{self, FeedRole, FeedSource};
use super::frozen::{self, Cut};
use super::graph::{LayerEntry, Model, Node, Source};
use super::layers::Call;
use super::mixup::Mixtures;
use super::observed::{Observation, ObservedLayer};
use super::tied;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::plan::updates::Trained;
use crate::plan::{Buffer, Mode, Plan, Program, Variable};
use crate::rules::losses::{Loss, Targets};
use crate::rules::optimizers::{ACCUMULATOR, AVERAGE};
use std::collections::{HashMap, HashSet};

/// The number of a layer that a variable has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Weight `weight` of the layer, or its optimizer's slot of that number.
    Weight {
        layer: usize,
        weight: usize,
        /// `None` for the weight itself.
        slot: Option<usize>,
    },
    /// The learned range of the input of this layer.
    Range(usize),
}

impl Owner {
    /// The optimizer's slot that it is, if it is one.
    pub fn slot(self) -> Option<usize> {
        match self {
            Owner::Weight { slot, .. } => slot,
            Owner::Range(_) => None,
        }
    }
}

/// The variables of a model's layers.
struct Numbers {
    /// The weights of each layer.
    weights: Vec<Vec<Buffer>>,
    /// The learned range of the input of each, if it is trained quantization-aware.
    ranges: Vec<Option<Buffer>>,
    /// True of each layer whose kernel is rounded already.
    rounded: Vec<bool>,
}

/// A model's program, and the owner of each variable.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    pub program: Program,
    pub owners: Vec<Owner>,
    /// Of each plan, the role of each feed.
    pub feeds: Vec<Vec<FeedRole>>,
    /// Of each plan, where each feed's numbers come from.
    pub sources: Vec<Vec<FeedSource>>,
    /// Of each plan, the layers that it observes.
    pub observed: Vec<Vec<ObservedLayer>>,
    /// Of each plan, the number of forward operations before those of each node.
    pub starts: Vec<Vec<usize>>,
    /// True of each layer whose kernel is to be rounded before it becomes a variable: one that was trained
    /// quantization-aware, of a program that does not train.
    pub rounded: Vec<bool>,
}

/// A plan, and what is known of it.
struct Planned {
    plan: Plan,
    feeds: Vec<FeedRole>,
    observed: Vec<ObservedLayer>,
    /// The number of forward operations before those of each node.
    starts: Vec<usize>,
}

/// The plan spec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanSpec {
    pub mode: Mode,
    /// Largest batch, in rows.
    pub rows: usize,
    /// True if rows have sample weights.
    pub weighted: bool,
    /// True for mixup.
    pub mixed: bool,
    /// True if products round their operands to bfloat16.
    pub bfloat16: bool,
    /// True of a training that observes its layers, without any change of the results.
    pub observed: bool,
    /// True if the frozen beginning is left out, and its outputs are fed: [`frozen::cut`].
    pub from_features: bool,
}

impl Model {
    /// The program of the plans with these specs. The model must be built; a plan with a loss needs
    /// it compiled too.
    pub(crate) fn lower(&self, specs: &[PlanSpec]) -> Result<Lowered> {
        self.check_int8()?;
        let mut owners = Vec::new();
        let mut variables = Vec::new();
        let (mut weights, mut ranges) = (Vec::new(), Vec::new());
        for (l, layer) in self.layers.iter().enumerate() {
            let mut own = Vec::new();
            for (w, weight) in layer.weights.iter().enumerate() {
                own.push(Buffer(variables.len() as u32));
                owners.push(Owner::Weight {
                    layer: l,
                    weight: w,
                    slot: None,
                });
                variables.push(Variable {
                    name: format!("{}.{}", layer.name, weight.name),
                    size: weight.values.len(),
                });
            }
            weights.push(own);
        }
        for (l, layer) in self.layers.iter().enumerate() {
            ranges.push(layer.fake_quantized().map(|range| {
                let buffer = Buffer(variables.len() as u32);
                owners.push(Owner::Range(l));
                variables.push(Variable {
                    name: format!("{}.input range", layer.name),
                    size: range.len(),
                });
                buffer
            }));
        }
        // Kernels that no plan changes are rounded once, but for those that another layer takes as they are.
        let trains = specs.iter().any(|spec| spec.mode == Mode::Train);
        let shared: HashSet<&str> = self
            .layers
            .iter()
            .filter_map(|l| l.rule.tied_to())
            .collect();
        let is_rounded = |layer: &LayerEntry| {
            !trains && layer.fake_quantized().is_some() && !shared.contains(&*layer.name)
        };
        let numbers = Numbers {
            weights,
            ranges,
            rounded: self.layers.iter().map(is_rounded).collect(),
        };
        let mut trained = Vec::new();
        if specs.iter().any(|w| w.mode == Mode::Train) {
            let optimizer = self.compiled()?.optimizer()?;
            let slots = optimizer.slots();
            for (l, layer) in self.layers.iter().enumerate() {
                for (w, weight) in layer.weights.iter().enumerate() {
                    if !(layer.trainable && weight.trainable) {
                        continue;
                    }
                    let movement = optimizer.movement(&layer.name, weight.name, &weight.shape);
                    let mut own = Vec::new();
                    for s in movement.slots {
                        own.push((slots[s], Buffer(variables.len() as u32)));
                        owners.push(Owner::Weight {
                            layer: l,
                            weight: w,
                            slot: Some(s),
                        });
                        variables.push(Variable {
                            name: format!("{}.{}.{}", layer.name, weight.name, slots[s]),
                            size: weight.values.len(),
                        });
                    }
                    let common = |slot| own.iter().find(|o| o.0 == slot).map(|o| o.1);
                    let (average, accumulator) = (common(AVERAGE), common(ACCUMULATOR));
                    let of_method = |o: &&(_, Buffer)| ![average, accumulator].contains(&Some(o.1));
                    trained.push(Trained {
                        variable: numbers.weights[l][w],
                        slots: own.iter().filter(of_method).map(|o| o.1).collect(),
                        average,
                        accumulator,
                        whole: movement.whole,
                        regularizer: layer.regularizer(weight.name, &weight.shape)?,
                        constraint: layer.constraint(weight.name, &weight.shape)?,
                        shape: weight.shape.clone(),
                        decay: movement.decay,
                        rate: movement.rate,
                        keeps_zeros: movement.keeps_zeros,
                    });
                }
            }
        }
        let (mut plans, mut feeds, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        let (mut observed, mut starts) = (Vec::new(), Vec::new());
        for &spec in specs {
            let planned = self.plan(
                spec,
                &variables,
                &numbers,
                &trained,
                spec.observed.then_some(&owners),
            )?;
            observed.push(planned.observed);
            starts.push(planned.starts);
            let labelled = matches!(spec.mode, Mode::Train | Mode::Evaluate);
            let mut order = feeds::order(self, labelled, spec.weighted)?;
            order.extend(
                planned
                    .feeds
                    .iter()
                    .filter(|r| matches!(r, FeedRole::Features(_))),
            );
            let places: HashMap<FeedRole, usize> = order.into_iter().zip(0..).collect();
            let of = |role: &FeedRole| {
                let found = role.source(&places);
                found.ok_or_else(|| Error::Internal(format!("no tensor for {role:?}")))
            };
            sources.push(planned.feeds.iter().map(of).collect::<Result<_>>()?);
            plans.push(planned.plan);
            feeds.push(planned.feeds);
        }
        Ok(Lowered {
            program: Program { variables, plans },
            owners,
            feeds,
            sources,
            observed,
            starts,
            rounded: numbers.rounded,
        })
    }

    fn plan(
        &self,
        spec: PlanSpec,
        variables: &[Variable],
        numbers: &Numbers,
        trained: &[Trained],
        observed: Option<&[Owner]>,
    ) -> Result<Planned> {
        let mut plan = Lowering::new(spec.mode, spec.bfloat16, variables);
        let mut observation =
            observed.map(|owners| Observation::begin(self, &mut plan, trained, owners));
        let shapes = self.shapes()?;
        let mut roles = Vec::new();
        let mut feed = |plan: &mut Lowering, role: FeedRole, shape: Shape| {
            roles.push(role);
            plan.feed(role.name(), shape)
        };
        let cut = spec.from_features.then(|| frozen::cut(self)).flatten();
        let taken = cut.as_ref().map(|cut| cut.inputs_behind(self));
        let mut inputs: Vec<(FeedRole, Value)> = Vec::new();
        for role in feeds::of_inputs(self) {
            let (FeedRole::Input(input) | FeedRole::LookedUp { input, .. }) = role else {
                continue;
            };
            if taken.as_ref().is_some_and(|taken| !taken[input]) {
                continue;
            }
            let shape = self.inputs[input].shape.clone().unwrap_or_default();
            inputs.push((role, feed(&mut plan, role, shape)));
        }
        let mixtures = match spec.mixed {
            true => Some(Mixtures::new(self, &mut plan, &mut inputs, &mut feed)?),
            false => None,
        };
        let inputs: HashMap<FeedRole, Value> = inputs.into_iter().collect();
        let input = |n: usize, layer: Option<usize>| {
            let looked_up = |layer| inputs.get(&FeedRole::LookedUp { input: n, layer });
            let found = inputs.get(&FeedRole::Input(n));
            found.or(layer.and_then(looked_up)).cloned().ok_or_else(|| {
                let problem = format!("input {} of texts has no feed", self.inputs[n].name);
                Error::Internal(problem)
            })
        };
        // A frozen weight has no penalty, as in Keras; a frozen layer's output does.
        let with_loss = spec.mode != Mode::Infer;
        for (l, layer) in self.layers.iter().enumerate() {
            for (w, weight) in layer.weights.iter().enumerate() {
                if with_loss
                    && layer.trainable
                    && weight.trainable
                    && let Some(rule) = layer.regularizer(weight.name, &weight.shape)?
                {
                    let columns = weight.shape.last().copied().unwrap_or(1);
                    plan.penalize(&rule, numbers.weights[l][w], columns);
                }
            }
        }
        let owners = tied::owners(self)?;
        let mut features: HashMap<usize, Value> = HashMap::new();
        for (number, &node) in cut.iter().flat_map(|cut| &cut.kept).enumerate() {
            let shape = shapes[node].1.clone();
            features.insert(node, feed(&mut plan, FeedRole::Features(number), shape));
        }
        let streams = match &cut {
            Some(cut) => self.frozen_streams(cut, spec, variables, numbers)?,
            None => Vec::new(),
        };
        let mut values: Vec<Value> = Vec::new();
        let mut starts = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let layer = &self.layers[node.layer];
            let start = plan.len();
            starts.push(start);
            if cut.as_ref().is_some_and(|cut| cut.frozen[number]) {
                let fed = features.get(&number);
                // Nothing reads those that are not kept.
                let buffer = fed.map_or(Buffer(u32::MAX), |value| value.buffer);
                let shape = shapes[number].1.clone();
                values.push(Value { buffer, shape });
                plan.skip_streams(streams[number]);
                continue;
            }
            let from: Vec<Value> = node
                .inputs
                .iter()
                .map(|source| match *source {
                    Source::Input(n) => input(n, Some(node.layer)),
                    Source::Node(n) => Ok(values[n].clone()),
                })
                .collect::<Result<_>>()?;
            let value = self.lower_node(&mut plan, node, &from, numbers, &owners);
            if let Some(observation) = &mut observation {
                observation.node(self, number, &mut plan, (&from, &value), start);
            }
            if with_loss && let Some(rule) = layer.rule.activity_regularizer() {
                let shape: Vec<usize> = [spec.rows]
                    .iter()
                    .chain(value.shape.dims())
                    .copied()
                    .collect();
                let at = format!("layer {}: activity_regularizer", layer.name);
                rule.check_shape(&shape).map_err(|error| error.under(&at))?;
                plan.penalize_activity(&rule, &value);
            }
            values.push(value);
        }
        debug_assert!(values.iter().zip(&shapes).all(|(v, s)| v.shape == s.1));
        let outputs: Vec<Value> = self
            .outputs
            .iter()
            .map(|source| match *source {
                Source::Input(n) => input(n, None),
                Source::Node(n) => Ok(values[n].clone()),
            })
            .map(|value| Ok(plan.result(&value?)))
            .collect::<Result<_>>()?;
        let (mut losses, mut layers) = (Vec::new(), Vec::new());
        if matches!(spec.mode, Mode::Train | Mode::Evaluate) {
            let compiled = self.compiled()?;
            let output_losses: Vec<(usize, &OutputLoss, &Value)> = compiled
                .trained()
                .map(|(output, output_loss)| (output, output_loss, &outputs[output]))
                .collect();
            let target =
                |(number, output_loss, output): &(usize, &OutputLoss, &Value)| match &mixtures {
                    Some(_) => None,
                    None => {
                        let shape = target_shape(&output_loss.loss, &output.shape);
                        Some(feed(&mut plan, FeedRole::Target(*number), shape))
                    }
                };
            let targets: Vec<Option<Value>> = output_losses.iter().map(target).collect();
            let weight = spec
                .weighted
                .then(|| feed(&mut plan, FeedRole::SampleWeight, Shape::default()));
            let mut starts = Vec::new();
            for (n, (_, output_loss, output)) in output_losses.iter().enumerate() {
                let share = (spec.mode == Mode::Train).then_some(output_loss.weight);
                let buffer = match (&targets[n], &mixtures) {
                    (Some(target), _) => {
                        let weight = weight.as_ref();
                        let (buffer, start) =
                            plan.loss(&output_loss.loss, output, target, weight, share);
                        starts.extend(start);
                        buffer
                    }
                    (None, Some(mixtures)) => {
                        let (buffer, more) =
                            mixtures.loss(&mut plan, &output_loss.loss, output, n, share);
                        starts.extend(more);
                        buffer
                    }
                    (None, None) => continue,
                };
                losses.push((buffer, output.view().positions));
            }
            if spec.mode == Mode::Train {
                let of = observation.as_ref().map_or(&[][..], Observation::ops);
                let gradients = plan.backward(&starts, trained, compiled.optimizer()?, of)?;
                if let Some(observation) = observation.take() {
                    layers = observation.finish(&mut plan, &gradients);
                }
            }
        }
        if spec.bfloat16 {
            plan.round_factors();
        }
        Ok(Planned {
            plan: plan.finish(spec.rows, outputs, losses)?,
            feeds: roles,
            observed: layers,
            starts,
        })
    }
}

impl Model {
    /// Lowers a node on these inputs. `owners` are the layers whose kernels tied ones take.
    fn lower_node(
        &self,
        plan: &mut Lowering,
        node: &Node,
        inputs: &[Value],
        numbers: &Numbers,
        owners: &[Option<usize>],
    ) -> Value {
        let layer = &self.layers[node.layer];
        let mut inputs = inputs.to_vec();
        let mut variables = numbers.weights[node.layer].clone();
        if let (Some(range), [x], [kernel, ..]) = (
            numbers.ranges[node.layer],
            &mut inputs[..],
            &mut variables[..],
        ) {
            *x = plan.fake_quantize(x, range, layer.trainable);
            if !numbers.rounded[node.layer] {
                *kernel = plan.fake_quantize_weights(*kernel, layer.kernel_channels());
            }
        }
        let call = Call {
            inputs: &inputs,
            variables: &variables,
            weights: &layer.weights,
            tied: owners[node.layer].map(|owner| numbers.weights[owner][0]),
            trainable: layer.trainable,
            looked_up: feeds::is_lookup(self, node),
        };
        plan.in_inference(node.inference);
        let value = layer.rule.lower(plan, call);
        plan.in_inference(false);
        value
    }

    /// The streams of random numbers that each node of a frozen beginning would have taken, so that
    /// those behind it draw the same without it.
    fn frozen_streams(
        &self,
        cut: &Cut,
        spec: PlanSpec,
        variables: &[Variable],
        numbers: &Numbers,
    ) -> Result<Vec<u32>> {
        let mut plan = Lowering::new(spec.mode, spec.bfloat16, variables);
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| input.shape.clone().unwrap_or_default());
        let inputs: Vec<Value> = inputs.map(|shape| plan.feed("input", shape)).collect();
        let owners = tied::owners(self)?;
        let mut values: Vec<Option<Value>> = Vec::new();
        let mut streams = Vec::new();
        for (node, frozen) in self.nodes.iter().zip(&cut.frozen) {
            let before = plan.streams();
            let from = node.inputs.iter().map(|source| match *source {
                Source::Input(n) => Some(inputs[n].clone()),
                Source::Node(n) => values[n].clone(),
            });
            let from: Option<Vec<Value>> = from.collect();
            let from = from.filter(|_| *frozen);
            let value = from.map(|from| self.lower_node(&mut plan, node, &from, numbers, &owners));
            values.push(value);
            streams.push(plan.streams() - before);
        }
        Ok(streams)
    }
}

/// The shape of one row of targets.
pub(super) fn target_shape(loss: &Loss, output: &Shape) -> Shape {
    match loss.targets() {
        Targets::ClassNumbers => [output.size() / output.last().max(1)].into(),
        Targets::LikeOutputs => output.clone(),
    }
}
