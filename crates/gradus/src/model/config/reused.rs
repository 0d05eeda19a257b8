//! `{ reuse = "model_a.keras", drop = 1 }`: layers of a saved model, with their weights, among those
//! of a configuration.

mod fit;
mod part;

use super::{Named, Reader, Shared, Symbol};
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::data::Dataset;
use crate::error::{Error, Result, join};
use crate::model::graph::{LayerEntry, Model, Source};
use part::{Part, Taken};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// Keys of a table with `reuse`.
const KEYS: [&str; 7] = [
    "reuse",
    "drop",
    "until",
    "layer",
    "name",
    "trainable",
    "inputs",
];

/// A saved model, some of whose layers a configuration reuses.
#[derive(Debug)]
pub(crate) struct Saved {
    pub model: Model,
    /// The file's full path.
    pub path: String,
}

/// The saved models of a configuration, and what was taken from them.
#[derive(Debug, Default)]
pub(crate) struct Reuse {
    /// The models, by the paths that the configuration names.
    pub saved: BTreeMap<String, Saved>,
    /// Rows of the data, whose shapes the reused layers have to take, if there are such layers.
    pub rows: Option<Dataset>,
    taken: Vec<Origin>,
    /// Sentences about images that are resized.
    resized: Vec<String>,
}

/// The origin of a layer.
#[derive(Debug)]
struct Origin {
    /// Its name in the model.
    name: String,
    /// Its name in the file.
    saved_name: String,
    /// The file.
    path: String,
}

impl Reuse {
    /// The tables of a model's layers with those of reused layers in place of their arguments: each
    /// names its file and its layer there.
    pub fn tables(&self, tables: Vec<Value>) -> Vec<Value> {
        let reused = |table: Value| {
            let name = table.get("name").and_then(Value::as_str);
            let origin = self.taken.iter().find(|o| Some(&*o.name) == name);
            let Some(origin) = origin.filter(|_| table.get("use").is_none()) else {
                return table;
            };
            let mut reused = json!({
                "reuse": origin.path,
                "layer": origin.saved_name,
                "name": origin.name,
            });
            if let Some(inputs) = table.get("inputs") {
                reused["inputs"] = inputs.clone();
            }
            // Without it, it would be the file's.
            reused["trainable"] = (table["trainable"] != false).into();
            reused
        };
        tables.into_iter().map(reused).collect()
    }

    /// Notes that the layers of these names have got others.
    pub fn rename(&mut self, names: &[(String, String)]) {
        for origin in &mut self.taken {
            if let Some((_, new)) = names.iter().find(|(old, _)| *old == origin.name) {
                origin.name.clone_from(new);
            }
        }
    }

    /// The error with the file of the layer, if its weights do not fit what comes before.
    pub fn explain(&self, error: Error) -> Error {
        let Error::Shape {
            at,
            found,
            expected,
        } = error
        else {
            return error;
        };
        let of = |origin: &&Origin| {
            let rest = at.strip_prefix(&*origin.name);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let at = match self.taken.iter().find(of) {
            Some(origin) => format!("{at}, of {}", origin.path),
            None => at,
        };
        Error::Shape {
            at,
            found,
            expected,
        }
    }

    /// The first layer that is reused with frozen weights, and its file.
    pub fn frozen(&self, model: &Model) -> Option<(&str, &str)> {
        let is_frozen = |origin: &&Origin| {
            let layer = model.layers.iter().find(|layer| layer.name == origin.name);
            layer.is_some_and(|layer| !layer.trainable && layer.weights.iter().any(|w| w.trainable))
        };
        let origin = self.taken.iter().find(is_frozen)?;
        Some((&origin.name, &origin.path))
    }

    /// A line for each file about what is reused of it.
    pub fn describe(&self, model: &Model) -> Vec<String> {
        let mut files: Vec<&str> = Vec::new();
        for origin in &self.taken {
            if !files.contains(&&*origin.path) {
                files.push(&origin.path);
            }
        }
        let line = |path: &str| {
            let of_file = self.taken.iter().filter(|origin| origin.path == path);
            let names: Vec<&str> = of_file.map(|origin| &*origin.name).collect();
            let frozen = model.layers.iter().filter(|layer| {
                let has_weights = !layer.weights.is_empty();
                has_weights && !layer.trainable && names.contains(&&*layer.name)
            });
            let frozen = match frozen.count() {
                0 => String::new(),
                frozen => format!(", {frozen} of them with frozen weights"),
            };
            match names[..] {
                [one] => format!("reuses the layer {one} of {path}{frozen}"),
                [first, .., last] => {
                    let count = names.len();
                    format!("reuses {count} layers of {path}, {first} to {last}{frozen}")
                }
                [] => String::new(),
            }
        };
        let lines = files.into_iter().map(line);
        lines.chain(self.resized.iter().cloned()).collect()
    }
}

impl Reader<'_> {
    /// Layers of a saved model.
    pub(super) fn reused(&mut self, at: &str, mut fields: Map<String, Value>) -> Result<()> {
        let file = match fields.remove("reuse") {
            Some(Value::String(file)) => file,
            other => {
                let expected = "the path of a saved model, such as \"model_a.keras\"";
                let found = other.unwrap_or_default();
                return Err(Error::invalid(&join(at, "reuse"), found, expected));
            }
        };
        let part = Part::read(at, &mut fields)?;
        let name = self.name(at, &mut fields)?;
        let trainable = super::trainable(at, &mut fields)?;
        let inputs = self.inputs(at, &mut fields)?;
        if let Some(key) = fields.keys().next() {
            return Err(Error::unknown(at, "key", key, KEYS));
        }
        let Some(saved) = self.reuse.saved.get(&file) else {
            let problem = "files are opened for an experiment's configuration alone; in a program, \
                           `Sequential::add_layers` takes a loaded model's layers";
            return Err(Error::Config {
                at: join(at, "reuse"),
                problem: problem.into(),
            });
        };
        let path = saved.path.clone();
        let taken = part.of(at, saved)?;
        if inputs.len() != taken.inputs.len() {
            let found = format!("{} inputs", inputs.len());
            let expected = format!("{}, as the layers of {path} have", taken.inputs.len());
            return Err(Error::invalid(&join(at, "inputs"), found, expected));
        }
        let mut sources = Vec::new();
        for (symbol, expected) in inputs.into_iter().zip(&taken.inputs) {
            sources.push(self.fit(&join(at, "reuse"), symbol, expected, &part, &path)?);
        }
        let is_one = matches!(part, Part::Layer(_));
        let output = self.splice(taken, &sources, name.as_deref(), is_one, trainable, &path)?;
        match name {
            // The layer has it already.
            Some(name) if !is_one => self.made(name, output),
            _ => self.last = Some(output),
        }
        Ok(())
    }

    /// Adds the layers and their nodes. Returns the output's symbol.
    fn splice(
        &mut self,
        taken: Taken,
        inputs: &[Symbol],
        name: Option<&str>,
        is_one: bool,
        trainable: Option<bool>,
        path: &str,
    ) -> Result<Symbol> {
        let mut layers: Vec<Shared> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for layer in taken.layers {
            let saved_name = layer.name.clone();
            let wanted = match name {
                Some(name) if is_one => name.to_owned(),
                Some(name) => format!("{name}_{saved_name}"),
                None => saved_name.clone(),
            };
            let name = self.graph.free_name(&wanted);
            let shared = self.graph.define(LayerEntry {
                name: name.clone(),
                trainable: trainable.unwrap_or(layer.trainable),
                ..layer
            });
            self.layers.add(name.clone(), (shared, 0));
            self.reuse.taken.push(Origin {
                name: name.clone(),
                saved_name,
                path: path.to_owned(),
            });
            layers.push(shared);
            names.push(name);
        }
        let mut made: Vec<Symbol> = Vec::new();
        let mut uses = Named::default();
        for node in taken.nodes {
            let sources = node.inputs.iter().map(|source| match *source {
                Source::Input(i) => inputs[i],
                Source::Node(n) => made[n],
            });
            let sources: Vec<Symbol> = sources.collect();
            let outputs = self
                .graph
                .call_as(layers[node.layer], sources, node.inference)?;
            let name = &names[node.layer];
            match uses.get_mut(name) {
                None => {
                    uses.add(name.clone(), 0);
                    self.symbols.add(name.clone(), outputs[0]);
                }
                Some(count) => {
                    *count += 1;
                    self.symbols.add(format!("{name}:{count}"), outputs[0]);
                    if let Some((_, uses)) = self.layers.get_mut(name) {
                        *uses = *count;
                    }
                }
            }
            made.push(outputs[0]);
        }
        Ok(match taken.output {
            Source::Input(i) => inputs[i],
            Source::Node(n) => made[n],
        })
    }

    /// The shape of an input's rows in the data, if it is known and of numbers.
    pub(super) fn shape_in_rows(&self, input: &str) -> Option<Shape> {
        let rows = self.reuse.rows.as_ref()?;
        let tensor = match rows.inputs() {
            [one] => one,
            several => {
                let place = rows.input_names().iter().position(|name| name == input)?;
                several.get(place)?
            }
        };
        (!tensor.is_text()).then(|| tensor.shape().clone())
    }
}
