//! The graph in the making: nodes and constants with names of their own.

use super::super::messages::{
    Attribute, Dimension, Graph, Length, Node, Shape, Tensor, TensorType, Type, ValueInfo,
    data_type,
};
use crate::base::names::Names;
use std::collections::HashMap;

/// The operators for texts and vocabularies.
pub(super) const ML: &str = "ai.onnx.ml";

/// A graph in the making. Outputs of nodes have the nodes' names.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub graph: Graph,
    /// The layer in whose name nodes and constants are added.
    pub scope: String,
    names: Names,
    /// Names of scalar constants by type and bits.
    scalars: HashMap<(i32, u64), String>,
}

pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute {
        i: Some(i),
        ..attribute(name, Attribute::INT)
    }
}

pub(super) fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute {
        ints,
        ..attribute(name, Attribute::INTS)
    }
}

pub(super) fn float(name: &str, f: f64) -> Attribute {
    Attribute {
        f: Some(f as f32),
        ..attribute(name, Attribute::FLOAT)
    }
}

pub(super) fn floats(name: &str, floats: Vec<f32>) -> Attribute {
    Attribute {
        floats,
        ..attribute(name, Attribute::FLOATS)
    }
}

pub(super) fn text(name: &str, text: &str) -> Attribute {
    Attribute {
        s: Some(text.as_bytes().to_vec()),
        ..attribute(name, Attribute::STRING)
    }
}

pub(super) fn texts<'a>(name: &str, texts: impl Iterator<Item = &'a String>) -> Attribute {
    Attribute {
        strings: texts.map(|text| text.as_bytes().to_vec()).collect(),
        ..attribute(name, Attribute::STRINGS)
    }
}

fn attribute(name: &str, kind: i32) -> Attribute {
    Attribute {
        name: name.to_owned(),
        kind,
        ..Attribute::default()
    }
}

/// Lengths of axes as ONNX has them.
pub(super) fn lengths(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&dim| dim as i64).collect()
}

/// An input or output of rows of this shape.
pub(super) fn value_info(name: &str, elem_type: i32, row: &[usize], doc: &str) -> ValueInfo {
    let batch = Length::Named("N".into());
    let row = row.iter().map(|&dim| Length::Value(dim as i64));
    let dim = std::iter::once(batch).chain(row);
    let dim = dim.map(|length| Dimension {
        length: Some(length),
    });
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor: Some(TensorType {
                elem_type,
                shape: Some(Shape { dim: dim.collect() }),
            }),
        }),
        doc_string: doc.to_owned(),
    }
}

impl Builder {
    /// A name that nothing else gets; a taken one gets a number.
    pub fn take(&mut self, wanted: &str) -> String {
        let name = self.names.free(wanted);
        self.names.take(&name);
        name
    }

    /// Adds a node without attributes, and returns its one output.
    pub fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.node(op, inputs, Vec::new())
    }

    /// Adds a node with one output, and returns that.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.node_of("", op, inputs, attributes)
    }

    /// The same for an operator of another domain.
    pub fn node_of(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        attribute: Vec<Attribute>,
    ) -> String {
        let name = self.take(&self.named(op));
        self.graph.node.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
        name
    }

    /// The name of something of the layer at hand.
    pub fn named(&self, of: &str) -> String {
        match &*self.scope {
            "" => of.to_owned(),
            scope => format!("{scope}/{of}"),
        }
    }

    /// Adds a constant of numbers.
    pub fn numbers(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(name, data_type::FLOAT, dims, raw)
    }

    /// Adds a constant of whole numbers from -128 to 127, a byte each.
    pub fn int8(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let raw = values.iter().map(|&x| x as i8 as u8).collect();
        self.constant(name, data_type::INT8, dims, raw)
    }

    /// Adds a constant of whole numbers of 32 bits.
    pub fn int32(&mut self, name: &str, values: &[i32]) -> String {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(name, data_type::INT32, &[values.len()], raw)
    }

    /// A constant whole number from 0 to 255.
    pub fn byte(&mut self, x: u8) -> String {
        self.scalar_of(data_type::UINT8, x.into(), vec![x])
    }

    /// Adds a constant of whole numbers.
    pub fn whole(&mut self, name: &str, values: &[i64]) -> String {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(name, data_type::INT64, &[values.len()], raw)
    }

    /// A constant number.
    pub fn scalar(&mut self, x: f32) -> String {
        let raw = x.to_le_bytes().to_vec();
        self.scalar_of(data_type::FLOAT, x.to_bits().into(), raw)
    }

    /// A constant whole number.
    pub fn whole_scalar(&mut self, x: i64) -> String {
        self.scalar_of(data_type::INT64, x as u64, x.to_le_bytes().to_vec())
    }

    /// A constant number of double precision.
    pub fn double(&mut self, x: f64) -> String {
        self.scalar_of(data_type::DOUBLE, x.to_bits(), x.to_le_bytes().to_vec())
    }

    /// A constant text.
    pub fn text(&mut self, text: &str) -> String {
        let name = self.take(&self.named("text"));
        self.graph.initializer.push(Tensor {
            data_type: data_type::STRING,
            name: name.clone(),
            string_data: vec![text.as_bytes().to_vec()],
            ..Tensor::default()
        });
        name
    }

    /// Equal scalars are one, whichever layers they belong to.
    fn scalar_of(&mut self, kind: i32, bits: u64, raw: Vec<u8>) -> String {
        if let Some(name) = self.scalars.get(&(kind, bits)) {
            return name.clone();
        }
        let scope = std::mem::take(&mut self.scope);
        let name = self.constant("scalar", kind, &[], raw);
        self.scope = scope;
        self.scalars.insert((kind, bits), name.clone());
        name
    }

    fn constant(
        &mut self,
        name: &str,
        data_type: i32,
        dims: &[usize],
        raw_data: Vec<u8>,
    ) -> String {
        let name = self.take(&self.named(name));
        self.graph.initializer.push(Tensor {
            dims: lengths(dims),
            data_type,
            name: name.clone(),
            raw_data,
            ..Tensor::default()
        });
        name
    }

    /// `x` as a tensor of this type.
    pub fn cast(&mut self, x: &str, to: i32) -> String {
        self.node("Cast", &[x], vec![int("to", to.into())])
    }

    /// `x` with its rows in this shape.
    pub fn reshape(&mut self, x: &str, row: &[usize]) -> String {
        // 0 keeps the number of rows, of which there may be none.
        let shape: Vec<i64> = std::iter::once(0).chain(lengths(row)).collect();
        let shape = self.whole("shape", &shape);
        self.op("Reshape", &[x, &shape])
    }
}
