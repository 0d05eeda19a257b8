//! Writing a model: its inference plan, operation by operation, so that a layer needs no rule of
//! its own.
//!
//! `graph` collects nodes and constants, `rules` has a rule for each operation, `elementwise`
//! those of single elements, `places` those by place, `windows` convolutions and pooling, `products` their operands and those of dense
//! layers, float or int8, `quantized` Keras' int8 products; `columns` are the inputs, `dates` what texts of dates become.

mod columns;
mod dates;
mod elementwise;
mod graph;
mod places;
mod products;
mod quantized;
mod rules;
mod windows;

use super::messages::{Entry, Graph, Model as File, OperatorSet, data_type};
use super::{Inputs, Int8};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::lowering::{Lowered, Owner, PlanSpec};
use crate::model::{LayerEntry, Model, Weight};
use crate::plan::{Buffer, Mode, Op, Plan, Role, View};
use graph::{Builder, ML, value_info};
use products::Products;
use rules::dims_of;
use std::collections::HashMap;
use std::path::Path;

/// The operator set of files without the operators of [`NEWER`].
const OPSET: i64 = 17;

/// Operators that take texts apart, and one that takes its axes as an input.
const NEWER: [&str; 4] = ["StringSplit", "StringConcat", "RegexFullMatch", "ReduceMax"];

/// The first operator set with these.
const NEWER_OPSET: i64 = 20;

/// The version of `ai.onnx.ml`, of the same age as [`OPSET`].
const ML_OPSET: i64 = 3;

/// A plan on its way to a graph.
struct Export<'a> {
    model: &'a Model,
    plan: &'a Plan,
    lowered: &'a Lowered,
    /// True for the numeric core.
    core: bool,
    builder: Builder,
    /// Of each buffer, its tensor, once there is one.
    tensors: Vec<Option<Tensor>>,
    /// Of each buffer, the number of operations that read it, results of the model included.
    readers: Vec<usize>,
    /// The products of int8 numbers.
    products: Products,
    problems: Vec<String>,
}

/// A tensor of the graph: its name, and the shape of a row, or of all of a constant.
#[derive(Clone, Debug)]
struct Tensor {
    name: String,
    dims: Vec<usize>,
}

/// The file for a model, which is to have this path.
pub(super) fn export(
    model: &Model,
    inputs: Inputs,
    int8: Option<Int8<'_>>,
    path: &Path,
) -> Result<File> {
    // In the file, ranges are those of a calibration.
    let floats = model.is_quantization_aware().then(|| model.in_floats());
    let model = floats.as_ref().unwrap_or(model);
    let lowered = model.lower(&[PlanSpec {
        mode: Mode::Infer,
        rows: 1,
        weighted: false,
        mixed: false,
        bfloat16: false,
        observed: false,
        from_features: false,
    }])?;
    let plan = &lowered.program.plans[0];
    let mut readers = vec![0; plan.buffers.len()];
    let read = plan.ops.iter().flat_map(Op::reads);
    for buffer in read.chain(plan.outputs.iter().map(|output| output.0)) {
        readers[buffer.index()] += 1;
    }
    let mut export = Export {
        model,
        plan,
        lowered: &lowered,
        core: inputs == Inputs::Core,
        builder: Builder::default(),
        tensors: vec![None; plan.buffers.len()],
        readers,
        products: Products::new(model, int8)?,
        problems: Vec::new(),
    };
    export.run();
    match &export.problems[..] {
        [] => Ok(export.finish()),
        problems => {
            let problem = format!("cannot be written as ONNX: {}", problems.join("; "));
            Err(Error::file(path, problem))
        }
    }
}

impl<'a> Export<'a> {
    fn run(&mut self) {
        let names: Vec<String> = self.model.inputs.iter().map(|i| i.name.clone()).collect();
        let names: Vec<String> = names.iter().map(|name| self.column(name)).collect();
        let names: Vec<String> = names.iter().map(|name| self.builder.take(name)).collect();
        let outputs: Vec<String> = self.model.output_names();
        let outputs: Vec<String> = outputs.iter().map(|name| self.builder.take(name)).collect();
        self.add_inputs(&names);
        let mut n = 0;
        while n < self.plan.ops.len() {
            let node = self.model.nodes.get(self.node_of(n));
            let layer = &self.model.layers[node.map_or(0, |node| node.layer)];
            self.builder.scope.clone_from(&layer.name);
            n += match self.operation(n) {
                Ok(done) => done,
                Err(why) => {
                    let (name, class) = (&layer.name, layer.rule.class());
                    let problem = format!("layer {name} ({class}): {why}");
                    if !self.problems.contains(&problem) {
                        self.problems.push(problem);
                    }
                    self.pass_over(n);
                    1
                }
            };
        }
        self.add_outputs(&outputs);
    }

    /// The node of the n-th operation.
    fn node_of(&self, n: usize) -> usize {
        let starts = &self.lowered.starts[0];
        starts.partition_point(|&start| start <= n).max(1) - 1
    }

    /// Stands for the results of an operation that ONNX cannot say, so that the others are looked
    /// at, too.
    fn pass_over(&mut self, n: usize) {
        let plan = self.plan;
        for buffer in plan.ops[n].writes() {
            let size = plan.buffers[buffer.index()].size.of(1);
            self.made(buffer, String::new(), vec![size]);
        }
    }

    /// The outputs under their names.
    fn add_outputs(&mut self, names: &[String]) {
        self.builder.scope.clear();
        let mut renamed: HashMap<String, &String> = HashMap::new();
        for (name, (buffer, shape)) in names.iter().zip(&self.plan.outputs) {
            let made = self.in_shape(*buffer, shape.dims());
            if renamed.contains_key(&made) {
                // Another name for one tensor.
                let copy = self.builder.op("Identity", &[&made]);
                renamed.insert(copy, name);
            } else {
                renamed.insert(made, name);
            }
            let info = value_info(name, data_type::FLOAT, shape.dims(), "");
            self.builder.graph.output.push(info);
        }
        for node in &mut self.builder.graph.node {
            for tensor in node.output.iter_mut().chain(&mut node.input) {
                if let Some(name) = renamed.get(tensor) {
                    tensor.clone_from(name);
                }
            }
        }
    }

    /// The file.
    fn finish(self) -> File {
        let graph = Graph {
            name: self.model.name.clone(),
            ..self.builder.graph
        };
        let is_newer = |op: &str| NEWER.contains(&op);
        let opset = match graph.node.iter().any(|node| is_newer(&node.op_type)) {
            true => NEWER_OPSET,
            false => OPSET,
        };
        let mut opset_import = vec![OperatorSet {
            domain: String::new(),
            version: opset,
        }];
        if graph.node.iter().any(|node| node.domain == ML) {
            opset_import.push(OperatorSet {
                domain: ML.to_owned(),
                version: ML_OPSET,
            });
        }
        File {
            // The versions of the format that came with these operator sets.
            ir_version: if opset == OPSET { 8 } else { 9 },
            producer_name: "gradus".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            metadata_props: metadata(self.model),
            opset_import,
            graph: Some(graph),
            ..File::default()
        }
    }

    /// Notes the tensor of a buffer.
    fn made(&mut self, buffer: Buffer, name: String, dims: Vec<usize>) {
        self.tensors[buffer.index()] = Some(Tensor { name, dims });
    }

    /// The tensor of a buffer, in whatever shape.
    fn as_it_is(&mut self, buffer: Buffer) -> (String, Vec<usize>) {
        let info = &self.plan.buffers[buffer.index()];
        if self.tensors[buffer.index()].is_none() && info.role == Role::Variable {
            self.add_weight(buffer);
        }
        let tensor = self.tensors[buffer.index()].clone();
        let tensor = tensor.unwrap_or_else(|| unreachable!("the plan was verified"));
        (tensor.name, tensor.dims)
    }

    /// The tensor of a buffer with rows of this shape; a constant in this shape.
    fn in_shape(&mut self, buffer: Buffer, dims: &[usize]) -> String {
        let (name, own) = self.as_it_is(buffer);
        if own == dims {
            return name;
        }
        match self.plan.buffers[buffer.index()].size {
            crate::plan::Size::PerRow(_) => self.builder.reshape(&name, dims),
            crate::plan::Size::Fixed(_) => {
                let shape = self.builder.whole("shape", &graph::lengths(dims));
                self.builder.op("Reshape", &[&name, &shape])
            }
        }
    }

    /// The tensor of a buffer, and its shape, whose last axis is the view's columns.
    fn by_width(&mut self, buffer: Buffer, view: View) -> (String, Vec<usize>) {
        let (name, own) = self.as_it_is(buffer);
        if own.last() == Some(&view.width) {
            return (name, own);
        }
        let dims = dims_of(view);
        (self.in_shape(buffer, &dims), dims)
    }

    /// Two tensors in the shape of the first one.
    fn alike(&mut self, a: Buffer, b: Buffer) -> (String, String, Vec<usize>) {
        let (a, dims) = self.as_it_is(a);
        let b = self.in_shape(b, &dims);
        (a, b, dims)
    }

    /// The operation behind the n-th, if it alone reads the result `y` of that one.
    fn next_alone(&self, n: usize, y: Buffer) -> Option<&Op> {
        let next = self.plan.ops.get(n + 1)?;
        let takes_it = next.reads().any(|read| read == y);
        (takes_it && self.readers[y.index()] == 1).then_some(next)
    }

    /// The values of a weight.
    fn values(&self, buffer: Buffer) -> Vec<f32> {
        self.weight(buffer).1.values.clone()
    }

    /// The weight of a variable, and its layer.
    fn weight(&self, buffer: Buffer) -> (&'a LayerEntry, &'a Weight) {
        match self.lowered.owners[buffer.index()] {
            Owner::Weight { layer, weight, .. } => {
                let layer = &self.model.layers[layer];
                (layer, &layer.weights[weight])
            }
            Owner::Range(_) => unreachable!("a model in floats has no learned ranges"),
        }
    }

    /// Adds a weight as a constant: `dense/kernel`.
    fn add_weight(&mut self, buffer: Buffer) {
        let (layer, weight) = self.weight(buffer);
        let scope = std::mem::replace(&mut self.builder.scope, layer.name.clone());
        let name = match weight.int8 {
            true => {
                let whole = self
                    .builder
                    .int8(weight.name, &weight.shape, &weight.values);
                self.builder.cast(&whole, data_type::FLOAT)
            }
            false => self
                .builder
                .numbers(weight.name, &weight.shape, &weight.values),
        };
        self.builder.scope = scope;
        self.made(buffer, name, weight.shape.clone());
    }
}

/// Facts for people: the name, and each output's classes as JSON.
fn metadata(model: &Model) -> Vec<Entry> {
    let entry = |key: &str, value: String| Entry {
        key: key.to_owned(),
        value,
    };
    let mut entries = vec![entry("name", model.name.clone())];
    let names = model.output_names();
    for (n, (name, target)) in names.iter().zip(model.known_targets()).enumerate() {
        let classes = target
            .or_else(|| model.classes_of(n))
            .map(|target| target.classes);
        if let Some(classes) = classes.filter(|classes| !classes.is_empty()) {
            let key = match names.len() {
                1 => "classes".to_owned(),
                _ => format!("classes/{name}"),
            };
            entries.push(entry(&key, serde_json::json!(classes).to_string()));
        }
    }
    entries
}

/// The size of a row.
fn row(shape: &Option<Shape>) -> Vec<usize> {
    shape.clone().unwrap_or_default().dims().to_vec()
}
