//! A model as `config.json`.

use super::{compile, quantized};
use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::objects::{dtype_policy, object, to_keras};
use crate::base::names::Names;
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::feeds::dtypes_of;
use crate::model::layers::{KerasHome, Kind, OutputMode};
use crate::model::order::{Element, keras_order};
use crate::model::parts::{Call, Calls, Unit, Units, own_name};
use crate::model::{Dtype, LayerEntry, Model, Source, Submodel};
use serde_json::{Map, json};
use std::collections::HashSet;

/// The model, as Keras writes it.
pub(crate) fn write(model: &Model) -> Result<String> {
    let mut layers = model.layers.iter();
    if let Some(layer) = layers.find(|layer| layer.rule.tied_to().is_some()) {
        let at = format!("layer {}", layer.name);
        let found = "a DenseTranspose, whose kernel is another layer's";
        let expected = "layers that Keras has: save the layers before it (`up_to`)";
        return Err(Error::invalid(&at, found, expected));
    }
    let inputs = model.inputs.iter();
    let inputs = inputs.map(|input| (input.shape.clone(), input.dtype));
    let mut written = Graph::new(model, None, inputs.collect())?.written()?;
    written["compile_config"] = match &model.compiled {
        Some(compiled) => {
            let mut layers = model.layers.iter();
            let jit = layers.all(|layer| layer.rule.keras().compiled);
            compile::write(compiled, &model.output_names(), jit)
        }
        None => json!({}),
    };
    serde_json::to_string(&written).map_err(|error| Error::Internal(error.to_string()))
}

/// A model's graph, or a part's.
struct Graph<'a> {
    model: &'a Model,
    part: Option<&'a Submodel>,
    units: Units<'a>,
    calls: Calls,
    /// The names of its inputs, which no layer has.
    names: Vec<String>,
    /// The shapes of its inputs.
    inputs: Option<Vec<Shape>>,
    /// Data types of its inputs, and of each node's output.
    dtypes: (Vec<Dtype>, Vec<Dtype>),
    /// Shapes of each node's inputs and output; empty if the inputs' are unknown.
    shapes: Vec<(Vec<Shape>, Shape)>,
}

impl<'a> Graph<'a> {
    fn new(
        model: &'a Model,
        part: Option<usize>,
        inputs: Vec<(Option<Shape>, Dtype)>,
    ) -> Result<Self> {
        let units = model.units(part);
        let (inputs, dtypes): (Vec<Option<Shape>>, Vec<Dtype>) = inputs.into_iter().unzip();
        let known: Option<Vec<Shape>> = inputs.iter().cloned().collect();
        let mut taken = Names::default();
        for unit in units.all() {
            taken.take(units.name(unit));
        }
        let own = units.inputs().iter();
        let names = own.map(|input| taken.free(&input.name)).collect();
        Ok(Graph {
            model,
            part: part.map(|p| &model.parts[p]),
            calls: units.calls(),
            shapes: match known {
                Some(_) => model.shapes_of(units.nodes(), &inputs)?,
                None => Vec::new(),
            },
            dtypes: (dtypes.clone(), dtypes_of(model, units.nodes(), &dtypes)),
            inputs: known,
            names,
            units,
        })
    }

    fn written(&self) -> Result<Value> {
        let (name, chain) = match self.part {
            None => (self.model.name.as_str(), self.model.chain),
            Some(part) => (part.own_name(), part.chain),
        };
        let mut config = Map::new();
        config.insert("name".to_owned(), name.into());
        config.insert("trainable".to_owned(), self.is_trainable().into());
        if self.is_chain() && !self.has_operations() && (chain || self.inputs.is_none()) {
            self.sequential(config)
        } else {
            self.functional(config)
        }
    }

    /// False for a part of which every layer is frozen.
    fn is_trainable(&self) -> bool {
        let Some(part) = self.part else { return true };
        let layers = &self.model.layers[part.layers.clone()];
        layers.iter().any(|layer| layer.trainable)
    }

    /// True if each unit is used once, on the previous one's output.
    fn is_chain(&self) -> bool {
        let mut last = Some(Source::Input(0));
        let units = self.units.all();
        for (call, &unit) in self.calls.all.iter().zip(&units) {
            let inputs = last.map(|last| vec![last]);
            if call.unit != unit || call.inference || inputs != Some(call.inputs.clone()) {
                return false;
            }
            last = self.output(call);
        }
        self.units.inputs().len() == 1
            && self.calls.all.len() == units.len()
            && last.is_some_and(|last| self.units.outputs() == [last])
    }

    /// True if one of its layers is an operation in Keras, which no Sequential takes.
    fn has_operations(&self) -> bool {
        let is = |unit: &Unit| match *unit {
            Unit::Layer(l) => {
                let home = self.model.layers[l].rule.keras().home;
                matches!(home, KerasHome::Operation(_))
            }
            Unit::Part(_) => false,
        };
        self.units.all().iter().any(is)
    }

    /// The single output of a call.
    fn output(&self, call: &Call) -> Option<Source> {
        match call.unit {
            Unit::Layer(_) => Some(Source::Node(call.nodes.start)),
            Unit::Part(p) => match self.model.parts[p].outputs[..] {
                [Source::Node(n)] => Some(Source::Node(call.nodes.start + n)),
                [Source::Input(i)] => call.inputs.get(i).copied(),
                _ => None,
            },
        }
    }

    fn sequential(&self, mut config: Map<String, Value>) -> Result<Value> {
        let mut layers = Vec::new();
        let input = self.inputs.as_ref().and_then(|inputs| inputs.first());
        if let Some(shape) = input {
            layers.push(self.input_layer(0, shape));
        }
        for call in &self.calls.all {
            layers.push(self.unit(call)?);
        }
        config.insert("dtype".to_owned(), dtype_policy("float32"));
        config.insert("layers".to_owned(), layers.into());
        if let Some(shape) = input {
            config.insert("build_input_shape".to_owned(), batch_shape(shape));
        }
        let mut written = object("keras", "Sequential", config);
        if let Some(shape) = input {
            written["build_config"] = json!({ "input_shape": batch_shape(shape) });
        }
        Ok(written)
    }

    fn functional(&self, mut config: Map<String, Value>) -> Result<Value> {
        let Some(inputs) = &self.inputs else {
            let problem = "a functional model is saved when its inputs' shapes are known: \
                           call `fit` or `build` first";
            return Err(Error::NotReady {
                problem: problem.to_owned(),
            });
        };
        let order = keras_order(&self.calls, self.units.outputs());
        let placed: HashSet<&Element> = order.iter().collect();
        // Layers that lead to no output are kept.
        let all_inputs = (0..inputs.len()).map(Element::Input);
        let all_units = self.units.all().into_iter().map(Element::Unit);
        let rest = all_inputs.chain(all_units).filter(|p| !placed.contains(p));
        let mut layers = Vec::new();
        for place in order.iter().copied().chain(rest) {
            let (mut layer, calls) = match place {
                Element::Input(i) => (self.input_layer(i, &inputs[i]), Vec::new()),
                Element::Unit(unit) => {
                    let mut calls = self.calls.of(unit);
                    let Some(first) = calls.next() else { continue };
                    let inbound = self.calls.of(unit).map(|call| self.inbound(call));
                    (self.unit(first)?, inbound.collect::<Result<_>>()?)
                }
            };
            layer["name"] = layer["config"]["name"].clone();
            layer["inbound_nodes"] = calls.into();
            layers.push(layer);
        }
        let ends = |ends: &[Source]| -> Result<Value> {
            let histories = ends.iter().map(|&end| self.history(end, true));
            let mut histories = histories.collect::<Result<Vec<Value>>>()?;
            Ok(match histories.len() {
                1 => histories.remove(0),
                _ => histories.into(),
            })
        };
        let sources: Vec<Source> = (0..inputs.len()).map(Source::Input).collect();
        config.insert("layers".to_owned(), layers.into());
        config.insert("input_layers".to_owned(), ends(&sources)?);
        config.insert("output_layers".to_owned(), ends(self.units.outputs())?);
        let mut written = object("keras.src.models.functional", "Functional", config);
        written["registered_name"] = "Functional".into();
        written["build_config"] = json!({ "input_shape": null });
        Ok(written)
    }

    /// The layer of an input.
    fn input_layer(&self, number: usize, shape: &Shape) -> Value {
        let config = json!({
            "batch_shape": batch_shape(shape),
            "dtype": self.units.inputs()[number].dtype.name(),
            "sparse": false,
            "ragged": false,
            "name": self.names[number],
            "optional": false,
        });
        json!({
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": config,
            "registered_name": null,
        })
    }

    /// The unit of a call, which is its first.
    fn unit(&self, call: &Call) -> Result<Value> {
        match call.unit {
            Unit::Layer(l) => {
                let shapes = self.shapes.get(call.nodes.start);
                let inputs = shapes.map(|(inputs, _)| inputs.as_slice());
                Ok(written_layer(&self.model.layers[l], inputs))
            }
            Unit::Part(p) => {
                let inputs = call.inputs.iter();
                let inputs = inputs.map(|&source| (self.shape(source), self.dtype(source)));
                Graph::new(self.model, Some(p), inputs.collect())?.written()
            }
        }
    }

    fn dtype(&self, source: Source) -> Dtype {
        let found = match source {
            Source::Input(i) => self.dtypes.0.get(i),
            Source::Node(n) => self.dtypes.1.get(n),
        };
        found.copied().unwrap_or_default()
    }

    fn shape(&self, source: Source) -> Option<Shape> {
        match source {
            Source::Input(i) => self.inputs.as_ref()?.get(i).cloned(),
            Source::Node(n) => self.shapes.get(n).map(|(_, shape)| shape.clone()),
        }
    }

    /// The inputs of a call.
    fn inbound(&self, call: &Call) -> Result<Value> {
        let tensors = call.inputs.iter().map(|&source| {
            let shape = self.shape(source).unwrap_or_default();
            let config = json!({
                "shape": batch_shape(&shape),
                "dtype": self.dtype(source).name(),
                "keras_history": self.history(source, false)?,
            });
            Ok(json!({ "class_name": "__keras_tensor__", "config": config }))
        });
        let mut tensors = tensors.collect::<Result<Vec<Value>>>()?;
        let nothing = vec![Value::Null; tensors.len()];
        let single = tensors.len() == 1;
        let argument = match single {
            true => tensors.remove(0),
            false => tensors.into(),
        };
        let mut kwargs = match call.unit {
            Unit::Layer(_) => json!({}),
            Unit::Part(_) if single => json!({ "mask": null }),
            Unit::Part(_) => json!({ "mask": nothing }),
        };
        if call.inference {
            kwargs["training"] = false.into();
        }
        Ok(json!({ "args": [argument], "kwargs": kwargs }))
    }

    /// Keras' name of a tensor: the layer's, the index of its call, and the index of the call's
    /// output.
    fn history(&self, source: Source, of_ends: bool) -> Result<Value> {
        let n = match source {
            Source::Input(i) => {
                return Ok(json!([self.names[i], 0, 0]));
            }
            Source::Node(n) => n,
        };
        let Some((c, output)) = self.units.maker(&self.calls, n) else {
            let inner = &self.model.layers[self.units.nodes()[n].layer].name;
            let problem = format!(
                "the output of layer {inner} is used from outside of the model that \
                 it is a part of, which .keras files have no place for"
            );
            return Err(Error::NotReady { problem });
        };
        let unit = self.calls.all[c].unit;
        let mut call = self.calls.number(c);
        // Keras counts the call that builds a functional model.
        if let (Unit::Part(p), true) = (unit, of_ends) {
            let inputs = self.calls.all[c]
                .inputs
                .iter()
                .map(|&source| (self.shape(source), self.dtype(source)));
            let part = Graph::new(self.model, Some(p), inputs.collect())?;
            call += usize::from(!(part.is_chain() && self.model.parts[p].chain));
        }
        Ok(json!([self.units.name(unit), call, output]))
    }
}

fn written_layer(layer: &LayerEntry, inputs: Option<&[Shape]>) -> Value {
    let mut written = to_keras(Family::Layer, &layer.rule.to_config());
    written["config"]["name"] = own_name(&layer.name).into();
    let keras = layer.rule.keras();
    if let KerasHome::Operation(module) = keras.home {
        written["module"] = module.into();
        written["registered_name"] = layer.rule.class().into();
        return written;
    }
    written["config"]["trainable"] = layer.trainable.into();
    written["config"]["dtype"] = match &layer.rule.0 {
        Kind::Hashing(rule) if rule.output_mode == OutputMode::Int => dtype_policy("int64"),
        Kind::Discretization(_) => "float32".into(),
        _ => dtype_policy("float32"),
    };
    if let (Some(mode), Some(config)) =
        (layer.rule.quantization(), written["config"].as_object_mut())
    {
        quantized::write(mode, config);
    }
    match (layer.rule.class(), written["config"].as_object_mut()) {
        // These classes of Keras do not accept it.
        ("Discretization" | "SpatialDropout1D" | "SpatialDropout2D", Some(config)) => {
            config.remove("trainable");
        }
        ("StringLookup" | "IntegerLookup", Some(config)) => {
            if layer.rule.vocabulary_text().is_some() {
                config.insert("vocabulary".to_owned(), Value::Null);
            }
            let places = layer.rule.traits().vocabulary_size;
            config.insert("vocabulary_size".to_owned(), json!(places));
            written["build_config"] = json!({});
            return written;
        }
        _ => {}
    }
    if let Some(inputs) = inputs
        && !keras.built_at_once
    {
        let shape = match inputs {
            [one] => batch_shape(one),
            several => several.iter().map(batch_shape).collect(),
        };
        written["build_config"] = json!({ "input_shape": shape });
    }
    written
}

/// Keras' shape: the batch first, its size open.
fn batch_shape(shape: &Shape) -> Value {
    let dims = shape.dims().iter().map(|&dim| Value::from(dim));
    std::iter::once(Value::Null).chain(dims).collect()
}
