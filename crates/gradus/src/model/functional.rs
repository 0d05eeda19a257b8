//! A graph of layers.

use super::dtype::Dtype;
use super::facts::InputFacts;
use super::feeds;
use super::graph::{Input, LayerEntry, Model, Node, Source, State};
use super::layers::Layer;
use super::parts::{Submodel, Unit, Use};
use super::sequential::snake_case;
use super::subgraph::leading_to;
use crate::base::names::Names;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// Limit of layer uses: parts of parts, each used twice, double with each level, which no honest
/// file needs.
const MOST_NODES: usize = 1 << 17;

/// Builds a model by applying layers to the outputs of others: Keras' functional
/// models.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::{Add, Concatenate};
///
/// let mut g = Functional::new();
/// let x = g.input([784]);
/// let h = g.layer(Dense::new(300).activation(Activation::Elu), x)?;
/// let y = g.layer(Dense::new(300).activation(Activation::Elu), h)?;
/// let sum = g.layer(Add::new(), [h, y])?; // a residual connection
/// let all = g.layer(Concatenate::new(), [x, sum])?; // and a wide one
/// let out = g.layer(Dense::new(10).activation(Activation::Softmax), all)?;
/// let mut model = g.model([out])?;
/// model.compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])?;
/// assert_eq!(model.output_shapes()?, [[10].into()]);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// A layer that is shared has one set of weights for all its uses; a model can be
/// shared (or used once) like a layer:
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::Dot;
///
/// let encoder = Sequential::new()
///     .input([20])
///     .add(Dense::new(8).activation(Activation::Tanh))
///     .build()?;
/// let mut g = Functional::new();
/// let (left, right) = (g.input_named("left", [20]), g.input_named("right", [20]));
/// let encoder = g.nest("encoder", &encoder)?;
/// let (a, b) = (g.call(encoder, left)?, g.call(encoder, right)?);
/// let scale = g.share(Dense::new(8));
/// let (a, b) = (g.call(scale, a)?, g.call(scale, b)?);
/// let likeness = g.layer(Dot::new(1).normalize(true), [a, b])?;
/// let model = g.model([likeness])?;
/// assert_eq!(model.layer("encoder/dense")?.weights.len(), 2);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Functional {
    /// Identity of the graph; symbols of other graphs are refused.
    id: u64,
    /// Layers and nodes in the order of their creation.
    model: Model,
    /// The names of its layers, parts and inputs.
    names: Names,
    /// Shape of each node's output; `None` while an input's is unknown.
    shapes: Vec<Option<Shape>>,
}

/// A symbolic tensor of a graph in the making: an input, or a layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    graph: u64,
    source: Source,
}

/// A layer, or a model, of a graph in the making, that can be used many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    graph: u64,
    unit: Unit,
}

/// The argument of a call: a symbol, or several.
pub trait Symbols {
    /// All of them, in their order.
    fn symbols(self) -> Vec<Symbol>;
}

impl Symbols for Symbol {
    fn symbols(self) -> Vec<Symbol> {
        vec![self]
    }
}

impl<const N: usize> Symbols for [Symbol; N] {
    fn symbols(self) -> Vec<Symbol> {
        self.to_vec()
    }
}

impl Symbols for &[Symbol] {
    fn symbols(self) -> Vec<Symbol> {
        self.to_vec()
    }
}

impl Symbols for Vec<Symbol> {
    fn symbols(self) -> Vec<Symbol> {
        self
    }
}

impl Default for Functional {
    fn default() -> Self {
        Self::new()
    }
}

impl Functional {
    /// A graph without layers.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Functional {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            model: Model {
                name: "functional".into(),
                chain: false,
                inputs: Vec::new(),
                layers: Vec::new(),
                nodes: Vec::new(),
                outputs: Vec::new(),
                parts: Vec::new(),
                seed: 0,
                compiled: None,
                state: State::default(),
                facts: InputFacts::default(),
                asked: Default::default(),
            },
            names: Names::default(),
            shapes: Vec::new(),
        }
    }

    /// Sets the model's name. Default `functional`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.model.name = name.into();
        self
    }

    /// Sets the seed of all random numbers. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.model.seed = seed;
        self
    }

    /// An input with rows of this shape.
    pub fn input(&mut self, shape: impl Into<Shape>) -> Symbol {
        self.input_named("input_layer", shape)
    }

    /// An input with a name, which data may use; a taken name gets a number.
    pub fn input_named(&mut self, name: &str, shape: impl Into<Shape>) -> Symbol {
        self.open_input(name, Some(shape.into()), Dtype::Float32)
    }

    /// An input of one text per row, of shape (None, 1), for layers such as
    /// [`StringLookup`](super::layers::StringLookup).
    pub fn text_input(&mut self, name: &str) -> Symbol {
        self.open_input(name, Some([1].into()), Dtype::String)
    }

    /// An input whose shape may be left to the data.
    pub(crate) fn open_input(&mut self, name: &str, shape: Option<Shape>, dtype: Dtype) -> Symbol {
        let name = self.free_name(name);
        self.names.take(&name);
        self.model.inputs.push(Input { name, shape, dtype });
        self.symbol(Source::Input(self.model.inputs.len() - 1))
    }

    /// Applies a new layer to its inputs.
    pub fn layer(&mut self, layer: impl Into<Layer>, inputs: impl Symbols) -> Result<Symbol> {
        let shared = self.share(layer);
        self.call(shared, inputs)
    }

    /// Like [`Functional::layer`], with a name for the layer.
    pub fn layer_named(
        &mut self,
        name: &str,
        layer: impl Into<Layer>,
        inputs: impl Symbols,
    ) -> Result<Symbol> {
        let shared = self.share_named(name, layer);
        self.call(shared, inputs)
    }

    /// A layer to be used more than once, with one set of weights.
    pub fn share(&mut self, layer: impl Into<Layer>) -> Shared {
        let layer = layer.into();
        self.share_named(&snake_case(layer.class()), layer)
    }

    /// Like [`Functional::share`], with a name; a taken one gets a number.
    pub fn share_named(&mut self, name: &str, layer: impl Into<Layer>) -> Shared {
        let name = self.free_name(name);
        self.define(LayerEntry {
            name,
            trainable: true,
            rule: layer.into(),
            weights: Vec::new(),
            input_range: None,
        })
    }

    /// A layer with a name, which must be free.
    pub(crate) fn define(&mut self, entry: LayerEntry) -> Shared {
        self.names.take(&entry.name);
        self.model.layers.push(entry);
        self.shared(Unit::Layer(self.model.layers.len() - 1))
    }

    /// A model with its weights, to be used like a layer. Its layers get its name:
    /// `encoder/dense`.
    pub fn nest(&mut self, name: &str, inner: &Model) -> Result<Shared> {
        if inner.layers.is_empty() {
            return Err(Error::invalid(
                name,
                "a model without layers",
                "at least one",
            ));
        }
        let name = self.free_name(name);
        self.names.take(&name);
        let model = &mut self.model;
        let (layers, parts) = (model.layers.len(), model.parts.len());
        for layer in &inner.layers {
            let name = format!("{name}/{}", layer.name);
            self.names.take(&name);
            model.layers.push(LayerEntry {
                name,
                ..layer.clone()
            });
        }
        let moved = |nodes: &[Node]| -> Vec<Node> {
            let node = |node: &Node| Node {
                layer: node.layer + layers,
                inputs: node.inputs.clone(),
                inference: node.inference,
            };
            nodes.iter().map(node).collect()
        };
        model.parts.push(Submodel {
            chain: inner.chain,
            parent: None,
            inputs: inner.inputs.clone(),
            layers: layers..model.layers.len(),
            nodes: moved(&inner.nodes),
            outputs: inner.outputs.clone(),
            uses: Vec::new(),
            name: name.clone(),
        });
        for part in &inner.parts {
            let name = format!("{name}/{}", part.name);
            self.names.take(&name);
            model.parts.push(Submodel {
                name,
                parent: Some(part.parent.map_or(parts, |p| p + parts + 1)),
                layers: part.layers.start + layers..part.layers.end + layers,
                nodes: moved(&part.nodes),
                ..part.clone()
            });
        }
        Ok(self.shared(Unit::Part(parts)))
    }

    /// Applies a shared layer, or a model with one output, to its inputs.
    pub fn call(&mut self, shared: Shared, inputs: impl Symbols) -> Result<Symbol> {
        match self.call_all(shared, inputs)?[..] {
            [one] => Ok(one),
            ref all => {
                let problem = format!("{} outputs", all.len());
                let name = self.unit_name(shared.unit);
                Err(Error::invalid(
                    name,
                    problem,
                    "one: `call_all` takes several",
                ))
            }
        }
    }

    /// Applies a shared layer or model to its inputs, and returns all outputs.
    pub fn call_all(&mut self, shared: Shared, inputs: impl Symbols) -> Result<Vec<Symbol>> {
        self.call_as(shared, inputs, false)
    }

    /// Like `call_all`; with `inference`, the layers compute as in inference even in training:
    /// Keras' `training=False`.
    pub fn call_as(
        &mut self,
        shared: Shared,
        inputs: impl Symbols,
        inference: bool,
    ) -> Result<Vec<Symbol>> {
        let inputs = inputs.symbols();
        let own = |graph: u64| graph == self.id;
        if !own(shared.graph) || !inputs.iter().all(|i| own(i.graph)) {
            let expected = "symbols and layers of the graph itself";
            return Err(Error::invalid("", "a symbol of another graph", expected));
        }
        let inputs: Vec<Source> = inputs.iter().map(|i| i.source).collect();
        let first = self.model.nodes.len();
        let (nodes, outputs) = match shared.unit {
            Unit::Layer(layer) => {
                let node = Node {
                    layer,
                    inputs,
                    inference,
                };
                (vec![node], vec![Source::Node(first)])
            }
            Unit::Part(number) => {
                let shapes = inputs.iter().map(|&s| self.source_shape(s).cloned());
                let shapes: Vec<Option<Shape>> = shapes.collect();
                let part = &mut self.model.parts[number];
                for (input, shape) in part.inputs.iter_mut().zip(shapes) {
                    input.shape = input.shape.take().or(shape);
                }
                if inputs.len() != part.inputs.len() {
                    let found = format!("{} inputs", inputs.len());
                    return Err(Error::invalid(&part.name, found, part.inputs.len()));
                }
                let outside = |source: &Source| match *source {
                    Source::Input(i) => inputs[i],
                    Source::Node(n) => Source::Node(first + n),
                };
                let nodes = part.nodes.iter().map(|node| Node {
                    layer: node.layer,
                    inputs: node.inputs.iter().map(outside).collect(),
                    inference: node.inference || inference,
                });
                let made = (nodes.collect(), part.outputs.iter().map(outside).collect());
                part.uses.push(Use {
                    inputs,
                    first,
                    inference,
                });
                made
            }
        };
        if first + nodes.len() > MOST_NODES {
            let found = format!("more than {MOST_NODES} uses of layers");
            return Err(Error::invalid("", found, "fewer"));
        }
        for node in nodes {
            feeds::open_to_text(&mut self.model, &node);
            let shape = self.shape_of(&node)?;
            self.model.nodes.push(node);
            self.shapes.push(shape);
        }
        Ok(outputs.into_iter().map(|s| self.symbol(s)).collect())
    }

    /// The shape of one row of a symbol; `None` if it depends on an input of unknown shape, or on a
    /// layer that must adapt to data first.
    pub fn shape(&self, symbol: Symbol) -> Option<&Shape> {
        self.source_shape(symbol.source)
    }

    fn source_shape(&self, source: Source) -> Option<&Shape> {
        match source {
            Source::Input(i) => self.model.inputs.get(i)?.shape.as_ref(),
            Source::Node(n) => self.shapes.get(n)?.as_ref(),
        }
    }

    fn shape_of(&self, node: &Node) -> Result<Option<Shape>> {
        feeds::check_dtypes(&self.model, node)?;
        if !self.model.layers[node.layer].rule.traits().ready {
            return Ok(None);
        }
        let shapes = node.inputs.iter().map(|&s| self.source_shape(s).cloned());
        let Some(shapes) = shapes.collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let checked = self.model.layers[node.layer].rule.check();
        let shape = checked.and_then(|()| self.model.layers[node.layer].rule.output(&shapes));
        shape
            .map(Some)
            .map_err(|error| error.under(&self.model.place(node)))
    }

    /// The model that computes these outputs, not compiled, with the inputs that they need, in
    /// the order in which these were made. Its layers are in Keras' order.
    pub fn model(&self, outputs: impl Symbols) -> Result<Model> {
        let outputs = outputs.symbols();
        if outputs.iter().any(|o| o.graph != self.id) {
            let expected = "symbols of the graph itself";
            return Err(Error::invalid(
                "outputs",
                "a symbol of another graph",
                expected,
            ));
        }
        if outputs.is_empty() {
            return Err(Error::invalid("outputs", "none", "at least one"));
        }
        let outputs = outputs.iter().map(|o| o.source).collect();
        leading_to(&self.model, outputs)
    }

    /// True if each layer is used once, on the one before it, the first on the only input.
    pub(crate) fn is_linear(&self) -> bool {
        let nodes = self.model.nodes.iter().enumerate();
        let mut follows = nodes.map(|(n, node)| {
            let before = match n {
                0 => Source::Input(0),
                n => Source::Node(n - 1),
            };
            node.layer == n && node.inputs == [before]
        });
        self.model.inputs.len() == 1 && follows.all(|follows| follows)
    }

    /// The input that a symbol stands for, if it is one.
    pub(crate) fn input_of(&self, symbol: Symbol) -> Option<&Input> {
        match symbol.source {
            Source::Input(i) => self.model.inputs.get(i),
            Source::Node(_) => None,
        }
    }

    /// The model with all layers in the order of their creation.
    pub(crate) fn model_as_it_came(mut self, outputs: &[Symbol]) -> Model {
        self.model.outputs = outputs.iter().map(|o| o.source).collect();
        self.model
    }

    fn symbol(&self, source: Source) -> Symbol {
        let graph = self.id;
        Symbol { graph, source }
    }

    fn shared(&self, unit: Unit) -> Shared {
        let graph = self.id;
        Shared { graph, unit }
    }

    fn unit_name(&self, unit: Unit) -> &str {
        match unit {
            Unit::Layer(l) => &self.model.layers[l].name,
            Unit::Part(p) => &self.model.parts[p].name,
        }
    }

    /// The name, with a number if it is taken.
    pub(crate) fn free_name(&mut self, wanted: &str) -> String {
        self.names.free(&wanted.replace('/', "_"))
    }

    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.names.is_taken(name)
    }
}
