//! Nodes that are layers: products, normalizations, shapes.

use super::super::messages::Node;
use super::array::Array;
use super::folding::shape_of;
use super::names::name_of;
use super::network::{float, int};
use super::reader::{Reader, Value};
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{
    Activation as ActivationLayer, Concatenate, Dense, Dropout, PReLU, Softmax,
};
use crate::rules::activations::Activation;

impl Reader {
    /// The value of a node that is a layer; none of others.
    pub fn by_layer(&mut self, node: &Node) -> Result<Option<Value>, Trouble> {
        let symbol =
            |found: Result<Source, Trouble>| found.map(|source| Some(Value::Symbol(source)));
        match &*node.op_type {
            "Gemm" => symbol(self.gemm(node)),
            "MatMul" => symbol(self.product(node)),
            "Add" | "Sub" | "Mul" | "Div" => self.by_column(node),
            "Sum" | "Max" | "Min" if node.input.len() > 2 => {
                let sources = node.input.iter().map(|name| self.symbol(name));
                let sources = sources.collect::<Result<_, _>>()?;
                symbol(self.merged(node, sources))
            }
            "BatchNormalization" => symbol(self.batch_normalization(node)),
            "LayerNormalization" => symbol(self.row_normalization(node)),
            "ReduceMean" => match self.over_channels(node)? {
                Some(source) => Ok(Some(Value::Symbol(source))),
                None => Ok(Some(Value::Unknown(format!(
                    "node `{}` ({}): it is read as the mean of each channel, or as a part of a \
                     layer normalization, alone",
                    crate::error::visible(&node.name),
                    node.op_type
                )))),
            },
            "ReduceMax" => match self.over_channels(node)? {
                Some(source) => Ok(Some(Value::Symbol(source))),
                None => Err("it is read as the largest number of each channel alone".into()),
            },
            "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" | "GlobalMaxPool"
            | "GlobalAveragePool" => symbol(self.image(node)),
            "Pad" => symbol(self.pad(node)),
            "Slice" => symbol(self.slice(node)),
            "Resize" | "Upsample" => symbol(self.resized(node)),
            "Gather" => symbol(self.gathered(node)),
            "PRelu" => symbol(self.prelu(node)),
            "Softmax" | "LogSoftmax" => symbol(self.softmax(node)),
            "Concat" => symbol(self.concatenation(node)),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => symbol(self.reshaped(node)),
            "Transpose" => self.transposed(node).map(Some),
            "Shape" => {
                let source = self.first(node)?;
                let (start, end) = (int(node, "start"), int(node, "end"));
                let shape = shape_of(self.shape(source).dims(), start, end);
                Ok(Some(Value::Constant(shape)))
            }
            "Cast" => is_float_cast(node).map(|()| None),
            "Dropout" => symbol(self.dropout(node)),
            _ => Ok(None),
        }
    }

    /// The source of a node's first input.
    pub fn first(&mut self, node: &Node) -> Result<Source, Trouble> {
        match node.input.first() {
            Some(name) => self.symbol(name),
            None => Err("it has no input".into()),
        }
    }

    /// A node's n-th input, a constant that has to be there.
    pub fn needed(&self, node: &Node, n: usize) -> Result<Array, Trouble> {
        self.argument(node, n)?
            .ok_or_else(|| format!("it has only {} inputs", node.input.len()).into())
    }

    /// The number of axes of a tensor, the batch included.
    pub fn rank(&self, source: Source) -> usize {
        self.shape(source).rank() + 1
    }

    /// A dense layer: alpha x · B + beta C.
    fn gemm(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let is_set = |name: &str| int(node, name).unwrap_or(0) != 0;
        if is_set("transA") || self.rank(x) != 2 {
            return Err("its first input is no matrix of a row each".into());
        }
        let mut kernel = self.needed(node, 1)?;
        if is_set("transB") {
            kernel = kernel.transposed().ok_or("its second input is no matrix")?;
        }
        let (alpha, beta) = (float(node, "alpha", 1.0), float(node, "beta", 1.0));
        let bias = self.argument(node, 2)?;
        let bias = match bias {
            None => None,
            Some(bias) => {
                let units = kernel.dims.last().copied().unwrap_or(0);
                self.claim(units)?;
                let vector = bias
                    .vector(units, 2)
                    .ok_or("its third input is no vector of the units")?;
                Some(
                    vector
                        .iter()
                        .map(|b| (beta * f64::from(*b)) as f32)
                        .collect(),
                )
            }
        };
        self.dense(node, x, &kernel, alpha, bias)
    }

    fn product(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let kernel = self.needed(node, 1)?;
        if self.rank(x) < 2 {
            return Err("its first input has no columns".into());
        }
        self.dense(node, x, &kernel, 1.0, None)
    }

    fn dense(
        &mut self,
        node: &Node,
        x: Source,
        kernel: &Array,
        alpha: f64,
        bias: Option<Vec<f32>>,
    ) -> Result<Source, Trouble> {
        let &[inputs, units] = &kernel.dims[..] else {
            return Err(format!(
                "its second input has {} axes, expected 2",
                kernel.dims.len()
            )
            .into());
        };
        let width = self.shape(x).last();
        if inputs != width || units == 0 {
            return Err(format!(
                "its second input is of shape {:?}, the first has {width} columns",
                kernel.dims
            )
            .into());
        }
        let mut values = kernel.floats();
        if alpha != 1.0 {
            values
                .iter_mut()
                .for_each(|x| *x = (f64::from(*x) * alpha) as f32);
        }
        let layer = Dense::new(units).use_bias(bias.is_some());
        let weights = std::iter::once(values).chain(bias).collect();
        let name = name_of(node, node.input.get(1).map(String::as_str), "Dense");
        self.step(name, What::Dense(layer), weights, vec![x])
    }

    fn prelu(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let (rank, width) = (self.rank(x), self.shape(x).last());
        let name = name_of(node, node.input.get(1).map(String::as_str), "PReLU");
        let slope = self.needed(node, 1)?;
        if let Some(channels) = self.by_channels(&slope, x) {
            let layer = PReLU::new().shared_axes((2..rank as i64).collect::<Vec<_>>());
            return self.step(name, What::Layer(layer.into()), vec![channels], vec![x]);
        }
        self.claim(width + self.shape(x).size())?;
        let slope = slope.vector(width, rank);
        let slope =
            slope.ok_or_else(|| format!("its slopes are not one for each of {width} columns"))?;
        let positions = self.shape(x).size() / width.max(1);
        let weights = vec![slope.repeat(positions)];
        self.step(name, What::Layer(PReLU::new().into()), weights, vec![x])
    }

    fn softmax(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let rank = self.rank(x) as i64;
        let old = self.network.opset < 13;
        let axis = int(node, "axis").unwrap_or(if old { 1 } else { -1 });
        let axis = if axis < 0 { axis + rank } else { axis };
        let is_last = axis == rank - 1;
        if axis < 1 || !is_last && (old || node.op_type == "LogSoftmax") {
            return Err(format!("its axis is {axis}, expected the last one").into());
        }
        match (is_last, &*node.op_type) {
            (true, "Softmax") => {
                self.layer(node, ActivationLayer::new(Activation::Softmax), vec![x])
            }
            (true, _) => self.layer(node, ActivationLayer::new(Activation::LogSoftmax), vec![x]),
            (false, _) => self.layer(node, Softmax::new().axis(axis), vec![x]),
        }
    }

    fn concatenation(&mut self, node: &Node) -> Result<Source, Trouble> {
        let sources = node.input.iter().map(|name| self.symbol(name));
        let sources: Vec<Source> = sources.collect::<Result<_, _>>()?;
        let axis = int(node, "axis").ok_or("it has no axis")?;
        let rank = sources
            .first()
            .map_or(0, |source| self.rank(*source) as i64);
        let axis = if axis < 0 { axis + rank } else { axis };
        if axis < 1 {
            return Err("it puts rows one behind the other".into());
        }
        match sources[..] {
            [] => Err("it has no inputs".into()),
            [one] => Ok(one),
            _ => self.layer(node, Concatenate::new().axis(axis), sources),
        }
    }

    fn dropout(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let training = self.argument(node, 2)?.and_then(|array| array.scalar());
        if training.unwrap_or(0.0) != 0.0 {
            return Err("it drops numbers in every prediction".into());
        }
        let given = self.argument(node, 1)?.and_then(|array| array.scalar());
        let rate = given.unwrap_or_else(|| float(node, "ratio", 0.5));
        // Rates such as 0.1 were rounded to single precision.
        let rate = (rate * 1e7).round() / 1e7;
        match rate {
            0.0 => Ok(x),
            _ => self.layer(node, Dropout::new(rate), vec![x]),
        }
    }
}

/// Refuses a cast to anything but floats, of whatever precision: they are float32 here.
fn is_float_cast(node: &Node) -> Result<(), Trouble> {
    use super::super::messages::data_type::{BFLOAT16, DOUBLE, FLOAT, FLOAT16};
    let to = int(node, "to").unwrap_or_default() as i32;
    match [FLOAT, DOUBLE, FLOAT16, BFLOAT16].contains(&to) {
        true => Ok(()),
        false => Err("it makes whole numbers of each row, or texts".into()),
    }
}
