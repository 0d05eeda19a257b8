//! Nodes that are layers: products, normalizations, shapes.

use super::super::messages::Node;
use super::array::Array;
use super::folding::shape_of;
use super::network::{attribute, float, int};
use super::reader::{Reader, Trouble, Value};
use super::steps::{Columns, What};
use crate::model::Source;
use crate::model::layers::{
    Activation as ActivationLayer, BatchNormalization, Concatenate, Dense, Dropout, Flatten,
    LayerNormalization, PReLU, Reshape, Softmax,
};
use crate::rules::activations::Activation;

/// Words that exporters put behind a layer's name for its weights.
const WEIGHTS: &[&str] = &[
    "weight",
    "kernel",
    "bias",
    "gamma",
    "beta",
    "alpha",
    "scale",
    "running_mean",
    "moving_mean",
];

/// Axes of a tensor, above any honest network's.
pub(super) const MOST_AXES: usize = 64;

/// Longest name of a layer.
const LONGEST: usize = 60;

/// The name of a layer: its weights', or its node's folder, else of its class.
pub(super) fn name_of(node: &Node, weight: Option<&str>, class: &str) -> String {
    let of_weight = weight.and_then(|weight| {
        let (layer, last) = weight.rsplit_once(['.', '/'])?;
        WEIGHTS.contains(&last).then_some(layer)
    });
    let folder = node.name.rsplit_once('/').map(|(folder, _)| folder);
    let name = of_weight.or(folder).unwrap_or_default();
    let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let name: String = name
        .trim_matches('/')
        .chars()
        .take(LONGEST)
        .map(|c| if fine(c) { c } else { '_' })
        .collect();
    match name.is_empty() {
        true => crate::model::sequential::snake_case(class),
        false => name,
    }
}

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
            "ReduceMean" => Ok(Some(Value::Unknown(format!(
                "node `{}` ({}): it is read as a part of a layer normalization alone",
                crate::error::visible(&node.name),
                node.op_type
            )))),
            "PRelu" => symbol(self.prelu(node)),
            "Softmax" | "LogSoftmax" => symbol(self.softmax(node)),
            "Concat" => symbol(self.concatenation(node)),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => symbol(self.reshaped(node)),
            "Transpose" => symbol(self.transposed(node)),
            "Shape" => {
                let source = self.first(node)?;
                Ok(Some(Value::Constant(shape_of(self.shape(source).dims()))))
            }
            "Cast" => is_float_cast(node).map(|()| None),
            "Dropout" => symbol(self.dropout(node)),
            _ => Ok(None),
        }
    }

    /// The source of a node's first input.
    fn first(&mut self, node: &Node) -> Result<Source, Trouble> {
        match node.input.first() {
            Some(name) => self.symbol(name),
            None => Err("it has no input".into()),
        }
    }

    /// A node's n-th input, a constant that has to be there.
    fn needed(&self, node: &Node, n: usize) -> Result<Array, Trouble> {
        self.argument(node, n)?
            .ok_or_else(|| format!("it has only {} inputs", node.input.len()).into())
    }

    /// The number of axes of a tensor, the batch included.
    fn rank(&self, source: Source) -> usize {
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

    /// An operator of each row and a vector: a bias, or factors and shifts by column, together
    /// with those before.
    fn by_column(&mut self, node: &Node) -> Result<Option<Value>, Trouble> {
        let (a, b) = match &node.input[..] {
            [a, b] => (a, b),
            other => return Err(format!("it has {} inputs", other.len()).into()),
        };
        let (x, by, is_second) = match (self.constant(a), self.constant(b)) {
            (None, Some(by)) => (a, by, true),
            (Some(by), None) => (b, by, false),
            _ => return Ok(None),
        };
        let alone = self.network.uses.get(x) == Some(&1);
        let producer = match self.values.get(x) {
            Some(Value::Symbol(Source::Node(n))) if alone => Some(*n),
            _ => None,
        };
        let op = &*node.op_type;
        if let (Some(n), "Add") = (producer, op)
            && let What::Dense(dense) = &self.steps[n].what
            && !dense.use_bias
            && dense.activation == Activation::Linear
            && by.len() == dense.units
            && let Some(bias) = by.vector(dense.units, self.rank(Source::Node(n)))
        {
            let what = What::Dense(dense.clone().use_bias(true));
            self.steps[n].what = what;
            self.steps[n].weights.push(bias);
            return Ok(Some(Value::Symbol(Source::Node(n))));
        }
        if by.scalar().is_some() && !matches!(producer, Some(n) if self.takes_columns(n)) {
            return Ok(None);
        }
        let source = self.symbol(x)?;
        let (width, rank) = (self.shape(source).last(), self.rank(source));
        self.claim(5 * width)?;
        let Some(by) = by.vector(width, rank).filter(|_| rank > 1) else {
            let found = format!("its constant is of shape {:?}", by.dims);
            return Err(format!("{found}, expected one number for each of {width} columns").into());
        };
        let negative = |by: &[f32]| by.iter().map(|x| -x).collect::<Vec<f32>>();
        let (factor, shift) = match (op, is_second) {
            ("Add", _) => (None, Some(by)),
            ("Sub", true) => (None, Some(negative(&by))),
            ("Sub", false) => (Some(vec![-1.0; width]), Some(by)),
            ("Mul", _) => (Some(by), None),
            ("Div", true) => (Some(by.iter().map(|x| 1.0 / x).collect()), None),
            _ => return Err("a constant divided by a tensor is not read".into()),
        };
        let n = match source {
            Source::Node(n) if producer == Some(n) && self.takes_columns(n) => n,
            _ => {
                let name = name_of(node, None, "Normalization");
                let what = What::Columns(Columns::new(width));
                let made = self.step(name, what, Vec::new(), vec![source])?;
                let Source::Node(n) = made else {
                    return Err("it is no layer".into());
                };
                n
            }
        };
        let step = &mut self.steps[n];
        match &mut step.what {
            What::Columns(columns) => {
                factor.iter().for_each(|by| columns.multiply(by));
                shift.iter().for_each(|by| columns.add(by));
            }
            // γ and β of a layer normalization.
            _ => {
                let times = |all: &mut Vec<f32>, by: &[f32]| {
                    all.iter_mut().zip(by).for_each(|(x, by)| *x *= by)
                };
                if let Some(by) = &factor {
                    step.weights.iter_mut().for_each(|all| times(all, by));
                }
                if let (Some(by), [_, beta]) = (&shift, &mut step.weights[..]) {
                    beta.iter_mut().zip(by).for_each(|(x, by)| *x += by);
                }
            }
        }
        Ok(Some(Value::Symbol(Source::Node(n))))
    }

    /// True if a step's factors and shifts by column may be changed.
    fn takes_columns(&self, n: usize) -> bool {
        match &self.steps[n].what {
            What::Columns(_) => true,
            What::Layer(layer) => layer.class() == "LayerNormalization",
            What::Dense(_) => false,
        }
    }

    fn batch_normalization(&mut self, node: &Node) -> Result<Source, Trouble> {
        if int(node, "training_mode").unwrap_or(0) != 0 {
            return Err("it is in training mode: export the model in evaluation mode".into());
        }
        let x = self.first(node)?;
        let dims = self.shape(x).dims();
        let (axis, channels) = match dims {
            [] => return Err("its input has no channels".into()),
            [width] => (-1, *width),
            [channels, ..] => (1, *channels),
        };
        self.claim(4 * channels)?;
        let mut weights = Vec::new();
        for n in 1..5 {
            let vector = self.needed(node, n)?.vector(channels, 1);
            weights
                .push(vector.ok_or_else(|| format!("its input {n} has not {channels} numbers"))?);
        }
        let layer = BatchNormalization::new()
            .axis(axis)
            .epsilon(float(node, "epsilon", 1e-5))
            .momentum(float(node, "momentum", 0.9));
        let name = name_of(
            node,
            node.input.get(1).map(String::as_str),
            "BatchNormalization",
        );
        self.step(name, What::Layer(layer.into()), weights, vec![x])
    }

    fn row_normalization(&mut self, node: &Node) -> Result<Source, Trouble> {
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

    fn normalized_rows(
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
    fn composed(&self, node: &Node) -> Option<(String, f64)> {
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

    fn prelu(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let (rank, width) = (self.rank(x), self.shape(x).last());
        self.claim(width + self.shape(x).size())?;
        let slope = self.needed(node, 1)?.vector(width, rank);
        let slope =
            slope.ok_or_else(|| format!("its slopes are not one for each of {width} columns"))?;
        let positions = self.shape(x).size() / width.max(1);
        let weights = vec![slope.repeat(positions)];
        let name = name_of(node, node.input.get(1).map(String::as_str), "PReLU");
        self.step(name, What::Layer(PReLU::new().into()), weights, vec![x])
    }

    fn softmax(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let rank = self.rank(x) as i64;
        let old = self.network.opset < 13;
        let axis = int(node, "axis").unwrap_or(if old { 1 } else { -1 });
        let axis = if axis < 0 { axis + rank } else { axis };
        let is_last = axis == rank - 1;
        if !is_last && (old || axis < 1 || node.op_type == "LogSoftmax") {
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
        match sources[..] {
            [] => Err("it has no inputs".into()),
            [one] => Ok(one),
            _ => self.layer(node, Concatenate::new().axis(axis), sources),
        }
    }

    /// The same rows in another shape.
    fn reshaped(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let dims = self.shape(x).dims().to_vec();
        let row = match &*node.op_type {
            "Flatten" => match int(node, "axis").unwrap_or(1) {
                1 => vec![dims.iter().product()],
                axis => return Err(format!("its axis is {axis}, expected 1").into()),
            },
            "Reshape" => {
                let shape = self.needed(node, 1)?;
                let shape = shape.whole().ok_or("its shape has no whole numbers")?;
                if int(node, "allowzero").unwrap_or(0) != 0 && shape.contains(&0) {
                    return Err("its shape has a 0, which is to make a tensor of nothing".into());
                }
                self.row(x, &dims, shape)?
            }
            _ => {
                let axes = match self.argument(node, 1)? {
                    Some(axes) => axes.whole().map(<[i64]>::to_vec),
                    None => attribute(node, "axes").map(|axes| axes.ints.clone()),
                };
                squeezed(
                    &dims,
                    &axes.ok_or("its axes are not read")?,
                    node.op_type == "Unsqueeze",
                )?
            }
        };
        if row == dims {
            return Ok(x);
        }
        if row.iter().product::<usize>() != dims.iter().product::<usize>() {
            return Err(format!("rows of shape {dims:?} do not become ones of {row:?}").into());
        }
        match row.len() {
            1 => self.layer(node, Flatten::new(), vec![x]),
            _ => {
                let target: Vec<i64> = row.iter().map(|&dim| dim as i64).collect();
                self.layer(node, Reshape::new(target), vec![x])
            }
        }
    }

    /// The shape of a row in a new shape of the whole tensor, which has to keep the rows.
    fn row(&self, x: Source, dims: &[usize], shape: &[i64]) -> Result<Vec<usize>, Trouble> {
        let rows = match x {
            Source::Input(n) => self.network.inputs[n].rows,
            Source::Node(_) => self.network.inputs.iter().find_map(|input| input.rows),
        };
        let Some((&first, rest)) = shape.split_first() else {
            return Err("its shape has no axes".into());
        };
        if ![0, -1].contains(&first) && Some(first) != rows {
            let found = format!("its shape {shape:?} does not keep the rows");
            return Err(format!("{found}, expected 0 or -1 as the first length").into());
        }
        let mut row = Vec::new();
        for (n, &dim) in rest.iter().enumerate() {
            row.push(match dim {
                0 => *dims
                    .get(n)
                    .ok_or("its shape has a 0 where there is no axis")?,
                -1 => 1,
                dim => usize::try_from(dim).map_err(|_| format!("its shape is {shape:?}"))?,
            });
        }
        let known = row
            .iter()
            .try_fold(1, |size: usize, &dim| size.checked_mul(dim));
        let known = known
            .filter(|&size| size > 0)
            .ok_or_else(|| format!("its shape is {shape:?}"))?;
        if let Some(open) = rest.iter().position(|&dim| dim == -1) {
            if first == -1 {
                return Err(format!("its shape {shape:?} leaves two lengths open").into());
            }
            row[open] = dims.iter().product::<usize>() / known;
        }
        Ok(row)
    }

    /// A transposition that changes nothing.
    fn transposed(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let order = attribute(node, "perm")
            .map(|order| order.ints.clone())
            .unwrap_or_default();
        match order.iter().copied().eq(0..self.rank(x) as i64) {
            true => Ok(x),
            false => Err("rows are not transposed here: gradus has no layer for it".into()),
        }
    }

    /// scikit-learn's scalers: (x - offset) scale.
    pub fn scaler(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let width = self.shape(x).last();
        self.claim(3 * width)?;
        let given = |name: &str| match attribute(node, name).map(|given| &given.floats[..]) {
            Some([one]) => Ok(vec![*one; width]),
            Some(all) if all.len() == width => Ok(all.to_vec()),
            _ => Err(Trouble::Here(format!(
                "its {name} is not one for each of {width} columns"
            ))),
        };
        let columns = Columns {
            mean: given("offset")?,
            factor: given("scale")?,
            ..Columns::new(width)
        };
        self.step("scaler".into(), What::Columns(columns), Vec::new(), vec![x])
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

/// The shape of a row without some axes of length 1, or with some more.
fn squeezed(dims: &[usize], axes: &[i64], more: bool) -> Result<Vec<usize>, Trouble> {
    if axes.len() > MOST_AXES {
        return Err(format!("it has {} axes", axes.len()).into());
    }
    let rank = dims.len() + 1 + if more { axes.len() } else { 0 };
    let place = |&axis: &i64| {
        let axis = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(axis)
            .ok()
            .filter(|axis| (1..rank).contains(axis))
    };
    let places: Option<Vec<usize>> = axes.iter().map(place).collect();
    let mut places = places.ok_or("its axes are not those of a row")?;
    places.sort_unstable();
    places.dedup();
    let mut row = dims.to_vec();
    if more {
        places.iter().for_each(|place| row.insert(place - 1, 1));
        return Ok(row);
    }
    for place in places.iter().rev() {
        if row.remove(place - 1) != 1 {
            return Err("its axes are not of length 1".into());
        }
    }
    Ok(row)
}
