//! Going through the nodes, from the inputs to the outputs.

use super::super::messages::Node;
use super::array::Array;
use super::folding::folded;
use super::functions::is_function;
use super::reader::{Reader, Value};
use super::trouble::Trouble;
use crate::error::visible;
use crate::model::Source;

const NOT_READ: &str = "the operator is not read";

impl Reader {
    /// Reads all nodes, and gives the outputs' sources; what is wrong is among the problems.
    pub fn read(&mut self) -> Vec<Source> {
        for n in 0..self.network.nodes.len() {
            let node = self.network.nodes[n].clone();
            let before = self.steps.len();
            let value = match self.node(&node) {
                Ok(value) => value,
                Err(trouble) => {
                    let problem = self.problem(&node, trouble);
                    self.tell(problem.clone());
                    Value::Unknown(problem)
                }
            };
            if let Some(output) = node.output.first() {
                if let Value::Symbol(Source::Node(n)) = value
                    && n >= before
                {
                    self.steps[n].tensor.clone_from(output);
                }
                self.values.insert(output.clone(), value);
            }
        }
        let outputs = self.network.outputs.clone();
        let sources = outputs.iter().map(|output| match self.symbol(output) {
            Ok(source) => source,
            Err(Trouble::Here(problem) | Trouble::Elsewhere(problem)) => {
                self.tell(problem);
                Source::Input(0)
            }
        });
        sources.collect()
    }

    fn tell(&mut self, problem: String) {
        if self.told.insert(problem.clone()) {
            self.problems.push(problem);
        }
    }

    /// The first output of a node.
    fn node(&mut self, node: &Node) -> Result<Value, Trouble> {
        if (&*node.domain, &*node.op_type) == ("ai.onnx.ml", "Scaler") {
            return self.scaler(node).map(Value::Symbol);
        }
        if !["", "ai.onnx"].contains(&&*node.domain) {
            let why = format!("operators of `{}` are not read", visible(&node.domain));
            return Err(why.into());
        }
        let constants: Option<Vec<Array>> =
            node.input.iter().map(|name| self.constant(name)).collect();
        if let Some(constants) = constants
            && let Some(folded) = folded(node, &constants)?
        {
            return Ok(Value::Constant(folded));
        }
        if let Some(unknown) = node
            .input
            .iter()
            .find_map(|name| match self.values.get(name) {
                Some(Value::Unknown(why)) => Some(why.clone()),
                _ => None,
            })
        {
            // Part of a layer normalization, or told already; the node may be one more problem.
            return match self.layer_normalization(node)? {
                Some(source) => Ok(Value::Symbol(source)),
                None if !is_function(node) && matches!(self.by_layer(node), Ok(None)) => {
                    Err(NOT_READ.into())
                }
                None => Ok(Value::Unknown(unknown)),
            };
        }
        if let Some(value) = self.by_layer(node)? {
            return Ok(value);
        }
        if is_function(node) {
            return self.function(node);
        }
        Err(NOT_READ.into())
    }
}
