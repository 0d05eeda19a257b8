//! The part of a saved model that a table names: by `drop`, `until` or `layer`.

use super::Saved;
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::error::{Error, Result, join};
use crate::model::graph::{LayerEntry, Model, Node, Source};
use serde_json::Map;

/// The layers that are taken.
#[derive(Debug)]
pub(super) enum Part {
    /// All but so many at the end.
    Drop(usize),
    /// All up to the layer of that name, and that one.
    Until(String),
    /// The layer of that name alone.
    Layer(String),
}

/// Layers on their way into another model.
pub(super) struct Taken {
    /// The shape of each input.
    pub inputs: Vec<Shape>,
    pub layers: Vec<LayerEntry>,
    /// Their uses; sources count among these, and the inputs.
    pub nodes: Vec<Node>,
    pub output: Source,
}

impl Part {
    /// Takes its keys out of a table.
    pub fn read(at: &str, fields: &mut Map<String, Value>) -> Result<Self> {
        let given = ["drop", "until", "layer"];
        let mut given = given.iter().filter(|key| fields.contains_key(**key));
        if let (Some(a), Some(b)) = (given.next(), given.next()) {
            return Err(Error::Config {
                at: at.to_owned(),
                problem: format!("`{a}` and `{b}` exclude each other: each says what is reused"),
            });
        }
        let name = |key: &str, value: Value| match value {
            Value::String(name) => Ok(name),
            other => Err(Error::invalid(&join(at, key), other, "a layer's name")),
        };
        if let Some(until) = fields.remove("until") {
            return name("until", until).map(Part::Until);
        }
        if let Some(layer) = fields.remove("layer") {
            return name("layer", layer).map(Part::Layer);
        }
        match fields.remove("drop") {
            None => Ok(Part::Drop(0)),
            Some(drop) => {
                let count = drop.as_u64().and_then(|n| usize::try_from(n).ok());
                let expected = "a whole number of 0 or more, of layers at the end";
                let count = count.ok_or_else(|| Error::invalid(&join(at, "drop"), drop, expected));
                count.map(Part::Drop)
            }
        }
    }

    /// Copies these layers of a saved model.
    pub fn of(&self, at: &str, saved: &Saved) -> Result<Taken> {
        let (model, path) = (&saved.model, &saved.path);
        let wrong = |problem: String| Error::Config {
            at: join(at, "reuse"),
            problem: format!("{path}: {problem}"),
        };
        if !model.is_built() {
            let problem = "it has no weights: it was saved before its input's shape was known";
            return Err(wrong(problem.into()));
        }
        if let Part::Layer(name) = self {
            return one(&join(at, "layer"), model, name);
        }
        if model.inputs.len() != 1 || model.outputs.len() != 1 {
            let (inputs, outputs) = (model.inputs.len(), model.outputs.len());
            return Err(wrong(format!(
                "it has {inputs} inputs and {outputs} outputs, expected one of each; \
                 `layer = \"NAME\"` takes a single layer of it"
            )));
        }
        let count = model.layers.len();
        let (last, key) = match self {
            Part::Drop(0) => return Ok(taken(model)),
            Part::Drop(drop) if *drop >= count => {
                let expected = format!("fewer than {count}, the layers of {path}");
                return Err(Error::invalid(&join(at, "drop"), drop, expected));
            }
            Part::Drop(drop) => (&model.layers[count - 1 - drop].name, "drop"),
            Part::Until(name) | Part::Layer(name) => (name, "until"),
        };
        let at = join(at, key);
        let part = model.up_to(&[last]).map_err(|error| error.under(&at))?;
        if let Part::Drop(drop) = self
            && part.layers.len() != count - drop
        {
            let problem = format!(
                "{path}: without its last {drop} layers it has more than one end; \
                 `until = \"NAME\"` says which is meant"
            );
            return Err(Error::Config { at, problem });
        }
        if part.inputs.is_empty() {
            return Err(wrong(format!("its layer {last} has no input")));
        }
        Ok(taken(&part))
    }
}

/// All layers of a model. Those of nested models become plain layers.
fn taken(model: &Model) -> Taken {
    let shapes = model.inputs.iter().filter_map(|input| input.shape.clone());
    Taken {
        inputs: shapes.collect(),
        layers: model.layers.clone(),
        nodes: model.nodes.clone(),
        output: model.outputs[0],
    }
}

/// A layer alone, for inputs as those of its first use.
fn one(at: &str, model: &Model, name: &str) -> Result<Taken> {
    let layer = model.layer(name).map_err(|error| error.under(at))?;
    let used = model.nodes.iter().position(|node| {
        let of_node = &model.layers[node.layer];
        of_node.name == layer.name
    });
    let shapes = model.shapes()?;
    let inputs = used.map_or(Vec::new(), |n| shapes[n].0.clone());
    Ok(Taken {
        layers: vec![layer.clone()],
        nodes: vec![Node {
            layer: 0,
            inputs: (0..inputs.len()).map(Source::Input).collect(),
            inference: used.is_some_and(|n| model.nodes[n].inference),
        }],
        inputs,
        output: Source::Node(0),
    })
}
