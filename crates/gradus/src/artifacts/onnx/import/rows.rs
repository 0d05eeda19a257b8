//! Normalizations of each row: of one operator, or of several.

use super::super::messages::Node;
use super::names::name_of;
use super::network::{attribute, float, int};
use super::reader::{Reader, Value};
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::LayerNormalization;

impl Reader {
    pub fn row_normalization(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let (rank, width) = (self.rank(x) as i64, self.shape(x).last());
        let axis = int(node, "axis").unwrap_or(-1);
        if rank < 2 || ![-1, rank - 1].contains(&axis) {
            return Err(format!("its axis is {axis}, expected the last one").into());
        }
        self.claim(2 * width)?;
        let vector = |n: usize, fill: f32| match self.argument(node, n)? {
            None => Ok(vec![fill; width]),
            Some(array) => array
                .vector(width, 1)
                .ok_or_else(|| Trouble::Here(format!("its input {n} has not {width} numbers"))),
        };
        let weights = vec![vector(1, 1.0)?, vector(2, 0.0)?];
        let epsilon = float(node, "epsilon", 1e-5);
        let name = name_of(
            node,
            node.input.get(1).map(String::as_str),
            "LayerNormalization",
        );
        self.normalized_rows(name, x, epsilon, weights)
    }

    pub fn normalized_rows(
        &mut self,
        name: String,
        x: Source,
        epsilon: f64,
        weights: Vec<Vec<f32>>,
    ) -> Result<Source, Trouble> {
        let layer = LayerNormalization::new().epsilon(epsilon);
        self.step(name, What::Layer(layer.into()), weights, vec![x])
    }

    /// A layer normalization of several operators, if this node is the last of such: with
    /// d = x - mean(x), d / √(mean(d²) + ε).
    pub fn layer_normalization(&mut self, node: &Node) -> Result<Option<Source>, Trouble> {
        let found = self.composed(node);
        let Some((x, epsilon)) = found else {
            return Ok(None);
        };
        let x = self.symbol(&x)?;
        let width = self.shape(x).last();
        self.claim(2 * width)?;
        let weights = vec![vec![1.0; width], vec![0.0; width]];
        let name = name_of(node, None, "LayerNormalization");
        self.normalized_rows(name, x, epsilon, weights).map(Some)
    }

    /// The input and ε of such operators.
    pub fn composed(&self, node: &Node) -> Option<(String, f64)> {
        let network = &self.network;
        let centred = node.input.first().filter(|_| node.op_type == "Div")?;
        let root = network.maker(node.input.get(1)?, "Sqrt")?;
        let sum = network.maker(root.input.first()?, "Add")?;
        let epsilon = self.constant(sum.input.get(1)?)?.scalar()?;
        // The same difference may be there twice.
        let centre_of = |tensor: &str| {
            let difference = network.maker(tensor, "Sub")?;
            let (x, mean) = (difference.input.first()?, difference.input.get(1)?);
            let mean = network.maker(mean, "ReduceMean")?;
            (mean.input.first()? == x).then_some((x.clone(), mean))
        };
        let (x, mean) = centre_of(centred)?;
        let variance = network.maker(sum.input.first()?, "ReduceMean")?;
        let square = variance.input.first()?;
        let squared = match network.maker(square, "Pow") {
            Some(power) => {
                let exponent = self.constant(power.input.get(1)?)?.scalar();
                power.input.first().filter(|_| exponent == Some(2.0))?
            }
            None => {
                let product = network.maker(square, "Mul")?;
                product
                    .input
                    .first()
                    .filter(|a| product.input.get(1) == Some(a))?
            }
        };
        let rank = match self.values.get(&x)? {
            Value::Symbol(of) | Value::Function { of, .. } => self.rank(*of) as i64,
            _ => return None,
        };
        if rank < 2 {
            return None;
        }
        let is_over_last = |mean: &Node| {
            let axes = match mean.input.get(1) {
                Some(axes) => self.constant(axes)?.whole()?.to_vec(),
                None => attribute(mean, "axes")?.ints.clone(),
            };
            let kept = int(mean, "keepdims").unwrap_or(1) == 1;
            (kept && (axes == [-1] || axes == [rank - 1])).then_some(())
        };
        is_over_last(mean)?;
        is_over_last(variance)?;
        (centre_of(squared)?.0 == x).then_some((x, epsilon))
    }
}
