//! A file as a network of nodes: what it says, checked, with what its nodes are by name.

use super::super::messages::{
    Attribute, Dimension, Length, Model as File, Node, ValueInfo, data_type,
};
use super::array::{Array, MOST_AXES};
use crate::artifacts::keras::{NotRead, Note};
use crate::error::visible;
use std::collections::{HashMap, HashSet};

/// The oldest set of operators whose meaning is known here.
const OLDEST: i64 = 7;

/// Numbers of an input's row, above any honest network's.
const MOST_ROW: usize = 1 << 28;

/// The parts of a file that lead to its outputs.
pub(super) struct Network {
    pub nodes: Vec<Node>,
    /// The version of ONNX's own operators.
    pub opset: i64,
    pub constants: HashMap<String, Array>,
    pub inputs: Vec<Given>,
    /// The tensors that are the results.
    pub outputs: Vec<String>,
    /// The node that makes each tensor.
    pub makers: HashMap<String, usize>,
    /// The number of uses of each tensor.
    pub uses: HashMap<String, usize>,
}

/// An input.
pub(super) struct Given {
    pub name: String,
    /// The shape of a row.
    pub row: Vec<usize>,
    /// The number of rows, if the file says one.
    pub rows: Option<i64>,
}

impl Network {
    /// Reads a file's graph; notes say what is left out of its outputs.
    pub fn of(
        file: File,
        problems: &mut Vec<String>,
        notes: &mut Vec<Note>,
    ) -> Result<Self, String> {
        let Some(graph) = file.graph else {
            return Err("has no graph: it is no ONNX model".into());
        };
        let mut versions = file.opset_import.iter();
        let own = versions.find(|set| ["", "ai.onnx"].contains(&&*set.domain));
        let opset = own.map_or(1, |set| set.version);
        if opset < OLDEST {
            return Err(format!(
                "is written with ONNX's operators of version {opset}, expected {OLDEST} or more"
            ));
        }
        let mut makers: HashMap<String, usize> = HashMap::new();
        for (n, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if makers.insert(output.clone(), n).is_some() {
                    return Err(format!("makes the tensor `{}` twice", visible(output)));
                }
            }
        }
        let outputs = outputs(&graph.output, &graph.node, &makers, notes)?;
        let needed = needed(&outputs, &graph.node, &makers)?;
        let mut uses: HashMap<String, usize> = HashMap::new();
        let read = needed.iter().flat_map(|&n| &graph.node[n].input);
        for tensor in read.chain(&outputs) {
            *uses.entry(tensor.clone()).or_default() += 1;
        }
        let mut constants = HashMap::new();
        for tensor in graph
            .initializer
            .iter()
            .filter(|t| uses.contains_key(&t.name))
        {
            match Array::read(tensor) {
                Ok(array) => {
                    constants.insert(tensor.name.clone(), array);
                }
                Err(why) => problems.push(format!("constant `{}`: {why}", visible(&tensor.name))),
            }
        }
        let initial: HashSet<&String> = graph.initializer.iter().map(|t| &t.name).collect();
        let others = needed.iter().map(|&n| &graph.node[n]);
        let others = others.filter(|node| node.op_type != "Cast");
        let uncast: HashSet<&String> = others
            .flat_map(|node| &node.input)
            .chain(&outputs)
            .collect();
        let mut inputs = Vec::new();
        for info in graph
            .input
            .iter()
            .filter(|info| !initial.contains(&info.name))
        {
            if uses.contains_key(&info.name) {
                let input = given(info, uncast.contains(&info.name));
                inputs
                    .push(input.map_err(|why| format!("input `{}`: {why}", visible(&info.name)))?);
            }
        }
        let mut nodes = Vec::with_capacity(needed.len());
        let mut places = vec![None; graph.node.len()];
        let is_needed: HashSet<usize> = needed.into_iter().collect();
        for (n, node) in graph.node.into_iter().enumerate() {
            if is_needed.contains(&n) {
                places[n] = Some(nodes.len());
                nodes.push(node);
            }
        }
        let moved = makers
            .into_iter()
            .filter_map(|(name, n)| Some((name, places[n]?)));
        Ok(Network {
            nodes,
            opset,
            constants,
            inputs,
            outputs,
            makers: moved.collect(),
            uses,
        })
    }

    /// The node that makes a tensor, if it is this operator.
    pub fn maker(&self, tensor: &str, op: &str) -> Option<&Node> {
        let node = &self.nodes[*self.makers.get(tensor)?];
        (node.op_type == op).then_some(node)
    }
}

/// The tensors to take as outputs: of classifiers the probabilities, not the labels.
fn outputs(
    infos: &[ValueInfo],
    nodes: &[Node],
    makers: &HashMap<String, usize>,
    notes: &mut Vec<Note>,
) -> Result<Vec<String>, String> {
    let is_number = |info: &&ValueInfo| {
        let kind = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
        kind.is_none_or(|tensor| is_float(tensor.elem_type) || tensor.elem_type == 0)
    };
    let (numbers, others): (Vec<&ValueInfo>, Vec<&ValueInfo>) = infos.iter().partition(is_number);
    if numbers.is_empty() {
        return Err("has no output of numbers".into());
    }
    for info in others {
        notes.push(Note {
            part: NotRead::Output,
            problem: format!("`{}` holds no floats", visible(&info.name)),
        });
    }
    let mut tensors: Vec<String> = Vec::new();
    for info in numbers {
        let maker = makers.get(&info.name).map(|&n| &nodes[n]);
        let tensor = match maker.filter(|node| node.op_type == "ZipMap") {
            Some(node) => {
                notes.push(Note {
                    part: NotRead::Names,
                    problem: format!("`{}` is a list of dictionaries", visible(&info.name)),
                });
                node.input.first().cloned().unwrap_or_default()
            }
            None => info.name.clone(),
        };
        tensors.push(tensor);
    }
    Ok(tensors)
}

/// The nodes that lead to these tensors, none before what it reads.
fn needed(
    outputs: &[String],
    nodes: &[Node],
    makers: &HashMap<String, usize>,
) -> Result<Vec<usize>, String> {
    let mut found = vec![false; nodes.len()];
    let mut open: Vec<&String> = outputs.iter().collect();
    while let Some(tensor) = open.pop() {
        if let Some(&n) = makers.get(tensor)
            && !std::mem::replace(&mut found[n], true)
        {
            open.extend(&nodes[n].input);
        }
    }
    let needed: Vec<usize> = (0..nodes.len()).filter(|&n| found[n]).collect();
    for &n in &needed {
        let later = |tensor: &&String| makers.get(*tensor).is_some_and(|&maker| maker >= n);
        if let Some(tensor) = nodes[n].input.iter().find(later) {
            let (name, tensor) = (visible(&nodes[n].name), visible(tensor));
            return Err(format!(
                "has the node `{name}` before the one that makes its `{tensor}`"
            ));
        }
    }
    Ok(needed)
}

fn is_float(kind: i32) -> bool {
    use data_type::{BFLOAT16, DOUBLE, FLOAT, FLOAT16};
    [FLOAT, DOUBLE, FLOAT16, BFLOAT16].contains(&kind)
}

/// An input of numbers with the batch as its first axis; `uncast` if something else than a cast
/// takes it.
fn given(info: &ValueInfo, uncast: bool) -> Result<Given, String> {
    let tensor = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
    let tensor = tensor.ok_or("it is no tensor")?;
    match tensor.elem_type {
        kind if is_float(kind) => {}
        // The arithmetic of whole numbers is another one.
        data_type::INT32 | data_type::INT64 if uncast => {
            return Err("whole numbers are read only where a Cast makes floats of them".into());
        }
        data_type::INT32 | data_type::INT64 => {}
        _ => return Err("expected numbers: texts and truth values are not read".into()),
    }
    let dims = tensor.shape.as_ref().map(|shape| &shape.dim[..]);
    let Some((batch, row)) = dims.and_then(<[Dimension]>::split_first) else {
        return Err("its shape is not known, expected one with the batch as first axis".into());
    };
    let length = |dimension: &Dimension| match dimension.length {
        Some(Length::Value(n)) => Some(n),
        _ => None,
    };
    let row = row.iter().map(|dim| {
        length(dim)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|&n| n > 0)
    });
    let row: Option<Vec<usize>> = row.collect();
    let size = |row: &[usize]| row.iter().try_fold(1, |n: usize, &dim| n.checked_mul(dim));
    if let Some(row) = &row
        && (row.len() > MOST_AXES || size(row).is_none_or(|size| size > MOST_ROW))
    {
        return Err("its rows do not fit into memory".into());
    }
    Ok(Given {
        name: info.name.clone(),
        row: row.ok_or("only the first axis, the batch, may be of any length")?,
        rows: length(batch),
    })
}

/// An attribute of a node.
pub(super) fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a Attribute> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

/// A number among a node's attributes.
pub(super) fn float(node: &Node, name: &str, default: f64) -> f64 {
    let given = attribute(node, name).and_then(|attribute| attribute.f);
    given.map_or(default, f64::from)
}

/// A whole number among a node's attributes.
pub(super) fn int(node: &Node, name: &str) -> Option<i64> {
    attribute(node, name)?.i
}
