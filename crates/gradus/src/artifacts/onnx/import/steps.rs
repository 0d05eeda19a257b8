//! The layers found so far, and the model that they become.

use crate::base::shape::Shape;
use crate::error::{Error, Extent, Result};
use crate::model::layers::{BatchNormalization, Dense, Layer, Normalization, Rescaling};
use crate::model::{Dtype, Functional, LayerEntry, Model, Source, Symbol, Weight};
use crate::rules::activations::Activation;
use std::collections::HashMap;

/// A use of a layer.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The wanted name.
    pub name: String,
    pub what: What,
    /// The values of its variables, in their order.
    pub weights: Vec<Vec<f32>>,
    pub inputs: Vec<Source>,
    /// The shape of a row of its output.
    pub shape: Shape,
    /// The tensor that it makes; another name for it is none of its own. Empty within a function.
    pub tensor: String,
}

/// The layer of a step.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // One for each node, for a moment.
pub(super) enum What {
    /// A dense layer, which may still get a bias or an activation.
    Dense(Dense),
    /// Factors and shifts by column, which several nodes may make together.
    Columns(Columns),
    /// Any other.
    Layer(Layer),
}

/// factor (x - mean) + shift, by column.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub mean: Vec<f32>,
    pub factor: Vec<f32>,
    pub shift: Vec<f32>,
}

impl Columns {
    pub fn new(width: usize) -> Self {
        Columns {
            mean: vec![0.0; width],
            factor: vec![1.0; width],
            shift: vec![0.0; width],
        }
    }

    fn is_still_x(&self) -> bool {
        let all = self.factor.iter().zip(&self.shift);
        all.into_iter()
            .all(|(factor, shift)| *factor == 1.0 && *shift == 0.0)
    }

    /// Adds a vector. As long as nothing is multiplied, it moves the mean, which is exact.
    pub fn add(&mut self, by: &[f32]) {
        let (to, sign) = match self.is_still_x() {
            true => (&mut self.mean, -1.0),
            false => (&mut self.shift, 1.0),
        };
        to.iter_mut().zip(by).for_each(|(to, by)| *to += sign * by);
    }

    /// Multiplies by a vector.
    pub fn multiply(&mut self, by: &[f32]) {
        for all in [&mut self.factor, &mut self.shift] {
            all.iter_mut().zip(by).for_each(|(to, by)| *to *= by);
        }
    }

    /// The layer, with its weights: `Rescaling` of the same numbers for all, `Normalization` of
    /// factors above 0, else a frozen `BatchNormalization`, which takes any.
    fn into_layer(self) -> (Layer, Vec<Vec<f32>>) {
        let same = |all: &[f32]| all.iter().all(|x| *x == all[0]);
        if [&self.mean, &self.factor, &self.shift]
            .into_iter()
            .all(|all| same(all))
        {
            let [mean, factor, shift] =
                [self.mean[0], self.factor[0], self.shift[0]].map(f64::from);
            let layer = Rescaling::new(factor).offset(shift - factor * mean);
            return (layer.into(), Vec::new());
        }
        let is_positive = self
            .factor
            .iter()
            .all(|factor| (1e-6..=1e6).contains(factor));
        if is_positive && self.shift.iter().all(|shift| *shift == 0.0) {
            let variance = self.factor.iter().map(|&factor| f64::from(factor).powi(-2));
            let mean: Vec<f64> = self.mean.iter().map(|&mean| mean.into()).collect();
            let layer = Normalization::new().given(mean, variance.collect::<Vec<f64>>());
            return (layer.into(), Vec::new());
        }
        let epsilon = BatchNormalization::default().epsilon;
        let variance = vec![1.0 - epsilon as f32; self.mean.len()];
        let layer = BatchNormalization::new();
        (
            layer.into(),
            vec![self.factor, self.shift, self.mean, variance],
        )
    }
}

impl What {
    /// The same with this activation, of a layer that can have one and has none.
    fn with_activation(&self, activation: &Activation) -> Option<What> {
        match self {
            What::Dense(dense) if dense.activation == Activation::Linear => {
                Some(What::Dense(dense.clone().activation(activation.clone())))
            }
            What::Layer(layer) => layer.with_activation(activation).map(What::Layer),
            _ => None,
        }
    }
}

impl Step {
    /// The layer with its weights, on inputs of these shapes.
    fn into_entry(self, name: String, inputs: &[Shape]) -> Result<LayerEntry> {
        let (rule, all, trainable) = match self.what {
            What::Dense(dense) => (dense.into(), self.weights, true),
            What::Layer(layer) => (layer, self.weights, true),
            What::Columns(columns) => {
                let (layer, weights) = columns.into_layer();
                (layer, weights, false)
            }
        };
        let specs = rule.variables(inputs);
        if specs.len() != all.len() {
            let found = format!("{} arrays", all.len());
            return Err(Error::invalid(&name, found, specs.len()));
        }
        let mut weights = Vec::new();
        for (spec, values) in specs.into_iter().zip(all) {
            if spec.shape.iter().product::<usize>() != values.len() {
                let found = format!("{} numbers", values.len());
                return Err(Error::shape(&name, found, Extent::array(&spec.shape)));
            }
            weights.push(Weight {
                name: spec.name,
                shape: spec.shape,
                trainable: spec.trainable,
                int8: spec.int8,
                values,
            });
        }
        Ok(LayerEntry {
            name,
            trainable,
            rule,
            weights,
            input_range: None,
        })
    }
}

/// An input of the model.
pub(super) struct Entry {
    pub name: String,
    pub shape: Shape,
}

/// The model of these steps.
pub(super) fn model(
    name: &str,
    inputs: &[Entry],
    steps: Vec<Step>,
    outputs: &[Source],
) -> Result<Model> {
    let mut graph = Functional::new().name(name);
    let mut given = Vec::new();
    for Entry { name, shape } in inputs {
        let symbol = graph.open_input(name, Some(shape.clone()), Dtype::Float32);
        given.push((symbol, shape.clone()));
    }
    let mut made: Vec<(Symbol, Shape)> = Vec::new();
    let (steps, outputs) = used(steps, outputs);
    for step in activated(steps, &outputs) {
        let Some(step) = step else {
            // Part of the layer before it.
            made.extend(made.last().cloned());
            continue;
        };
        let from = step.inputs.iter().map(|source| match *source {
            Source::Input(n) => given[n].clone(),
            Source::Node(n) => made[n].clone(),
        });
        let (symbols, shapes): (Vec<Symbol>, Vec<Shape>) = from.unzip();
        let name = graph.free_name(&step.name);
        let shape = step.shape.clone();
        let layer = graph.define(step.into_entry(name, &shapes)?);
        made.push((graph.call(layer, symbols)?, shape));
    }
    let outputs: Vec<Symbol> = outputs
        .iter()
        .map(|output| match *output {
            Source::Input(n) => given[n].0,
            Source::Node(n) => made[n].0,
        })
        .collect();
    graph.model(outputs)
}

/// The steps that lead to the outputs, counted anew: turns of axes that met another one lead nowhere.
fn used(steps: Vec<Step>, outputs: &[Source]) -> (Vec<Step>, Vec<Source>) {
    let mut is_used = vec![false; steps.len()];
    let mut open = outputs.to_vec();
    while let Some(source) = open.pop() {
        if let Source::Node(n) = source
            && !std::mem::replace(&mut is_used[n], true)
        {
            open.extend(&steps[n].inputs);
        }
    }
    let mut places = Vec::with_capacity(steps.len());
    let mut count = 0;
    for &is_used in &is_used {
        places.push(count);
        count += usize::from(is_used);
    }
    let moved = |source: &Source| match *source {
        Source::Node(n) => Source::Node(places[n]),
        input => input,
    };
    let kept = steps
        .into_iter()
        .zip(&is_used)
        .filter(|(_, is_used)| **is_used);
    let kept = kept.map(|(step, _)| Step {
        inputs: step.inputs.iter().map(moved).collect(),
        ..step
    });
    (kept.collect(), outputs.iter().map(moved).collect())
}

/// The steps, an activation as part of the dense layer or convolution before it, if nothing else takes what that
/// one gives. Its own step is none then, and stands for the layer's output.
fn activated(steps: Vec<Step>, outputs: &[Source]) -> Vec<Option<Step>> {
    let mut uses: HashMap<Source, usize> = HashMap::new();
    for source in steps.iter().flat_map(|step| &step.inputs).chain(outputs) {
        *uses.entry(*source).or_default() += 1;
    }
    let mut done: Vec<Option<Step>> = Vec::new();
    for step in steps {
        let activation = match &step.what {
            What::Layer(layer) => layer.as_activation(),
            _ => None,
        };
        let before = Source::Node(done.len().wrapping_sub(1));
        if let Some(activation) = activation
            && step.inputs == [before]
            && uses[&before] == 1
            && let Some(Some(Step { what, .. })) = done.last_mut()
            && let Some(with) = what.with_activation(activation)
        {
            *what = with;
            done.push(None);
        } else {
            done.push(Some(step));
        }
    }
    done
}
