//! Models from configurations, a table for each layer, and back.

mod reused;

pub(crate) use reused::{Reuse, Saved};

use super::dtype::Dtype;
use super::functional::{Functional, Shared, Symbol};
use super::graph::{Input, LayerEntry, Model, Source};
use super::layers::Layer;
use super::sequential::snake_case;
use crate::base::names::Named;
use crate::base::registry::{Value, table};
use crate::base::shape::Shape;
use crate::error::{Error, Result, join};
use serde_json::{Map, json};
use std::collections::HashSet;

/// Keys of every layer beside its arguments.
const COMMON: [&str; 5] = ["type", "name", "trainable", "inputs", "use"];

/// The graph in the making.
struct Reader<'a> {
    graph: Functional,
    /// The saved models that layers are taken from.
    reuse: &'a mut Reuse,
    /// Inputs that layers can name without a table of their own.
    open: Named<&'a Input>,
    /// The symbol of each name.
    symbols: Named<Symbol>,
    /// The layers, with their number of uses.
    layers: Named<(Shared, usize)>,
    /// The output of the previous table.
    last: Option<Symbol>,
}

impl Model {
    /// The model of a list of tables. Each has `type` and arguments, and optionally `name`,
    /// `trainable` and `inputs`, the names of the layer's inputs; the default is the output of the
    /// previous table. `{ type = "Input", shape = [6], name = "left" }` is an input (of text with
    /// `dtype = "string"`), `{ use = "dense", inputs = ["b"] }` uses a layer once more, under the
    /// name `dense:1`. `outputs` names the outputs, by default the last table's. Without any of
    /// these, the model is a `Sequential`.
    ///
    /// `at` is the list's path of keys, for the error's text.
    pub fn from_layers(
        at: &str,
        layers: &[Value],
        outputs: Option<&[String]>,
        seed: u64,
    ) -> Result<Model> {
        Self::from_layers_of(at, layers, outputs, seed, &[], &mut Reuse::default())
    }

    /// True if a list of tables is a plain chain: none names its inputs.
    pub(crate) fn is_chain(layers: &[Value]) -> bool {
        let is_input = |layer: &Value| layer["type"] == "Input" || layer["type"] == "InputLayer";
        let connected = |layer: &Value| {
            layer.get("inputs").is_some() || layer.get("use").is_some() || is_input(layer)
        };
        !layers.iter().any(connected)
    }

    /// Like [`Model::from_layers`], with given inputs that layers can name, such as the columns of
    /// a table, and with saved models, of which tables with `reuse` take layers:
    /// `{ reuse = "a.keras", drop = 1 }` all but the last, `until = "dense_3"` all up to that one,
    /// which is included, `layer = "dense"` one alone. `trainable` is by default as it was saved;
    /// `name` is put before the layers' names.
    pub(crate) fn from_layers_of(
        at: &str,
        layers: &[Value],
        outputs: Option<&[String]>,
        seed: u64,
        inputs: &[Input],
        reuse: &mut Reuse,
    ) -> Result<Model> {
        let is_input = |layer: &Value| layer["type"] == "Input" || layer["type"] == "InputLayer";
        let mut reader = Reader {
            graph: Functional::new().seed(seed),
            reuse,
            open: Named::default(),
            symbols: Named::default(),
            layers: Named::default(),
            last: None,
        };
        for input in inputs {
            reader.open.add(input.name.clone(), input);
        }
        for (i, layer) in layers.iter().enumerate() {
            let at = format!("{at}[{i}]");
            let fields = table(&at, layer)?;
            if is_input(layer) {
                reader.input(&at, fields)?;
            } else if fields.contains_key("use") {
                reader.again(&at, fields)?;
            } else if fields.contains_key("reuse") {
                reader.reused(&at, fields)?;
            } else {
                reader.layer(&at, fields)?;
            }
        }
        let Some(last) = reader.last else {
            return Err(Error::invalid(at, "no layers", "at least one"));
        };
        // Reused layers may be a graph.
        let chain = outputs.is_none() && Self::is_chain(layers) && reader.graph.is_linear();
        let name = if chain { "sequential" } else { "functional" };
        reader.graph = reader.graph.name(name);
        if chain {
            let mut model = reader.graph.model_as_it_came(&[last]);
            model.chain = true;
            model.finish()?;
            return Ok(model);
        }
        let outputs = match outputs {
            None => vec![last],
            Some(names) => names
                .iter()
                .map(|name| reader.symbol("model.outputs", name))
                .collect::<Result<_>>()?,
        };
        let model = reader.graph.model(outputs)?;
        let leading = model.layers.iter().map(|layer| layer.name.as_str());
        let leading: HashSet<&str> = leading.collect();
        for name in reader.layers.names() {
            if !leading.contains(name) {
                let problem = "leads to no output: name it in `model.outputs`, or remove it";
                return Err(Error::Config {
                    at: format!("layer {name}"),
                    problem: problem.into(),
                });
            }
        }
        Ok(model)
    }

    /// The tables from which [`Model::from_layers`] makes this model, and the names of its outputs
    /// if it is not a `Sequential`.
    pub fn to_layers(&self) -> (Vec<Value>, Option<Vec<String>>) {
        if self.chain {
            let nodes = self.nodes.iter();
            let layers = nodes.map(|node| layer_table(&self.layers[node.layer], None));
            return (layers.collect(), None);
        }
        let input = |input: &super::Input| {
            let shape = input.shape.as_ref().map(Shape::dims);
            let mut table = json!({ "type": "Input", "name": input.name, "shape": shape });
            if input.dtype != Dtype::Float32 {
                table["dtype"] = input.dtype.name().into();
            }
            table
        };
        let mut tables: Vec<Value> = self.inputs.iter().map(input).collect();
        let mut names: Vec<String> = Vec::new();
        let mut uses = vec![0; self.layers.len()];
        let name_of = |names: &[String], source: &Source| match *source {
            Source::Input(i) => self.inputs[i].name.clone(),
            Source::Node(n) => names[n].clone(),
        };
        for node in &self.nodes {
            let layer = &self.layers[node.layer];
            let inputs = node.inputs.iter().map(|s| name_of(&names, s));
            let inputs: Vec<String> = inputs.collect();
            match uses[node.layer] {
                0 => {
                    tables.push(layer_table(layer, Some(inputs)));
                    names.push(layer.name.clone());
                }
                uses => {
                    tables.push(json!({ "use": layer.name, "inputs": inputs }));
                    names.push(format!("{}:{uses}", layer.name));
                }
            }
            uses[node.layer] += 1;
        }
        let outputs = self.outputs.iter().map(|s| name_of(&names, s)).collect();
        (tables, Some(outputs))
    }
}

/// A layer as a configuration has it.
fn layer_table(entry: &LayerEntry, inputs: Option<Vec<String>>) -> Value {
    let mut fields = Map::new();
    let Value::Object(config) = entry.rule.to_config() else {
        return Value::Null;
    };
    for (key, value) in config {
        let is_type = key == "type";
        fields.insert(key, value);
        if is_type {
            fields.insert("name".into(), entry.name.as_str().into());
        }
    }
    if let Some(inputs) = inputs {
        fields.insert("inputs".into(), inputs.into());
    }
    if !entry.trainable {
        fields.insert("trainable".into(), false.into());
    }
    fields.into()
}

impl Reader<'_> {
    fn input(&mut self, at: &str, mut fields: Map<String, Value>) -> Result<()> {
        fields.remove("type");
        let name = self.name(at, &mut fields)?;
        let shape = match fields.remove("shape") {
            None => None,
            Some(shape) => {
                let dims = shape.as_array().and_then(|dims| {
                    let dim = |dim: &Value| dim.as_u64().filter(|&d| d > 0);
                    let dims = dims.iter().map(|d| usize::try_from(dim(d)?).ok());
                    dims.collect::<Option<Vec<usize>>>()
                });
                let expected = "a row's sizes, such as [28, 28]";
                let dims = dims.ok_or_else(|| Error::invalid(&join(at, "shape"), &shape, expected));
                Some(Shape::new(dims?))
            }
        };
        let dtype = match fields.remove("dtype") {
            None => Dtype::Float32,
            Some(dtype) => Dtype::of_input(&join(at, "dtype"), &dtype)?,
        };
        if let Some(key) = fields.keys().next() {
            let known = ["type", "name", "shape", "dtype"];
            return Err(Error::unknown(at, "key", key, known));
        }
        let name = name.unwrap_or_else(|| self.graph.free_name("input_layer"));
        let shape = match dtype {
            Dtype::Float32 => shape.or_else(|| self.shape_in_rows(&name)),
            _ => shape,
        };
        let symbol = self.graph.open_input(&name, shape, dtype);
        self.made(name, symbol);
        Ok(())
    }

    /// A layer that is used once more.
    fn again(&mut self, at: &str, mut fields: Map<String, Value>) -> Result<()> {
        let used = fields.remove("use").unwrap_or_default();
        let name = self.name(at, &mut fields)?;
        let inputs = self.inputs(at, &mut fields)?;
        if let Some(key) = fields.keys().next() {
            return Err(Error::unknown(at, "key", key, ["use", "name", "inputs"]));
        }
        let used = used.as_str().unwrap_or_default();
        let Some((shared, uses)) = self.layers.get_mut(used) else {
            let known = self.layers.names();
            return Err(Error::unknown(&join(at, "use"), "layer", used, known));
        };
        *uses += 1;
        let name = name.unwrap_or(format!("{used}:{uses}"));
        let symbol = self.graph.call(*shared, inputs)?;
        self.made(name, symbol);
        Ok(())
    }

    fn layer(&mut self, at: &str, mut fields: Map<String, Value>) -> Result<()> {
        let name = self.name(at, &mut fields)?;
        let trainable = trainable(at, &mut fields)?.unwrap_or(true);
        let inputs = self.inputs(at, &mut fields)?;
        let rule = Layer::from_config(at, &fields.into()).map_err(with_common_keys)?;
        let name = name.unwrap_or_else(|| self.graph.free_name(&snake_case(rule.class())));
        let shared = self.graph.define(LayerEntry {
            name: name.clone(),
            trainable,
            rule,
            weights: Vec::new(),
            input_range: None,
        });
        self.layers.add(name.clone(), (shared, 0));
        let symbol = self.graph.call(shared, inputs)?;
        self.made(name, symbol);
        Ok(())
    }

    fn made(&mut self, name: String, symbol: Symbol) {
        self.symbols.add(name, symbol);
        self.last = Some(symbol);
    }

    /// The table's own name, which must be free.
    fn name(&self, at: &str, fields: &mut Map<String, Value>) -> Result<Option<String>> {
        let at = join(at, "name");
        match fields.remove("name") {
            None => Ok(None),
            Some(Value::String(name)) if !name.is_empty() && !name.contains('/') => {
                match self.symbols.get(&name).is_some() || self.graph.is_taken(&name) {
                    true => Err(Error::invalid(&at, name, "a name that no other layer has")),
                    false => Ok(Some(name)),
                }
            }
            Some(other) => Err(Error::invalid(&at, other, "a layer's name, without `/`")),
        }
    }

    /// The inputs that a layer names.
    fn inputs(&mut self, at: &str, fields: &mut Map<String, Value>) -> Result<Vec<Symbol>> {
        let at = join(at, "inputs");
        match fields.remove("inputs") {
            None => Ok(vec![self.last.unwrap_or_else(|| {
                // The shape comes from the data.
                let (name, dtype) = ("input_layer", Dtype::Float32);
                let shape = self.shape_in_rows(name);
                let symbol = self.graph.open_input(name, shape, dtype);
                self.symbols.add("input_layer".into(), symbol);
                symbol
            })]),
            Some(Value::Array(names)) if !names.is_empty() => {
                let names = names.iter().enumerate();
                names
                    .map(|(i, name)| match name {
                        Value::String(name) => self.symbol(&format!("{at}[{i}]"), name),
                        other => Err(Error::invalid(&at, other, "a layer's name")),
                    })
                    .collect()
            }
            Some(other) => Err(Error::invalid(&at, other, "a list of layers' names")),
        }
    }

    fn symbol(&mut self, at: &str, name: &str) -> Result<Symbol> {
        if let Some(symbol) = self.symbols.get(name) {
            return Ok(*symbol);
        }
        if let Some(Input { name, shape, dtype }) = self.open.get(name).copied() {
            let symbol = self.graph.open_input(name, shape.clone(), *dtype);
            self.symbols.add(name.clone(), symbol);
            return Ok(symbol);
        }
        let known = self.symbols.names();
        Err(Error::unknown(
            at,
            "layer before it",
            name,
            known.chain(self.open.names()),
        ))
    }
}

/// The value of `trainable`, if it is given.
fn trainable(at: &str, fields: &mut Map<String, Value>) -> Result<Option<bool>> {
    match fields.remove("trainable") {
        None => Ok(None),
        Some(Value::Bool(trainable)) => Ok(Some(trainable)),
        Some(other) => {
            let at = join(at, "trainable");
            Err(Error::invalid(&at, other, "true or false"))
        }
    }
}

/// Keys that every layer has.
fn with_common_keys(error: Error) -> Error {
    match error {
        Error::UnknownName { family: "key", .. } => error.or_known(&COMMON),
        other => other,
    }
}
